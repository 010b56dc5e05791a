"""The reports of a load record: its figures, its words, and nothing green that is not believed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from pytest_rollout.model.load import ErrorGroup, LoadRecord
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.report.load import WIDTH, to_terminal
from pytest_rollout.report.load_html import to_html
from pytest_rollout.report.load_live import live, live_line
from pytest_rollout.report.load_markdown import to_markdown
from pytest_rollout.report.load_words import CLOSED, CORRECTED, UNCORRECTED, LoadReport
from tests.report import load_records as given
from tests.report.report_hostile import HOSTILE
from tests.report.report_reading import Node, page, tables
from tests.report.test_load_figures import nothing

QUANTILES = {"p50": 50, "p90": 90, "p95": 95, "p99": 99, "p99.9": 99.9, "max": 100}


def expected(record: LoadRecord, name: str, field: str) -> list[float]:
    """The percentiles of an endpoint in ms: of its values, one by one, by nearest rank."""
    values = sorted(
        int(value)
        for one in record.endpoints
        if name in ("", one.name)
        for value, count in getattr(one, field).items()
        for _ in range(count)
    )
    ranks = (math.ceil(round(q * len(values), 6) / 100) for q in QUANTILES.values())
    return [float(f"{values[max(1, rank) - 1] / 1000:.3g}") for rank in ranks]


def all_expected(record: LoadRecord) -> Iterator[tuple[str, str, list[float]]]:
    for name in ("start", "status", "wake-ups", ""):
        yield name, CORRECTED, expected(record, name, "latency")
        yield name, UNCORRECTED, expected(record, name, "service_time")


def numbers(cells: list[str]) -> list[float]:
    return [float(cell.replace(",", "")) for cell in cells]


def test_the_page_shows_each_percentile_of_both_kinds() -> None:
    record = given.record()
    rows = page(to_html(given.report())).one("table", class_="times").all("tr")[1:]
    shown = [[cell.text for cell in row.all("td")][-7:] for row in rows]
    assert [(row[0], numbers(row[1:])) for row in shown] == [
        (kind, values) for _, kind, values in all_expected(record)
    ]
    counted = [
        [row.all("th")[0].text, *(one.text.split()[0] for one in row.all("td")[:2])]
        for row in rows[::2]
    ]
    assert counted == [
        *([one.name, f"{one.requests:,}", f"{one.failures:,}"] for one in record.endpoints),
        [
            "all together",
            f"{sum(one.requests for one in record.endpoints):,}",
            f"{sum(one.failures for one in record.endpoints):,}",
        ],
    ]


def test_markdown_shows_each_percentile_of_both_kinds() -> None:
    (times,) = [one for one in tables(to_markdown(given.report())) if one[0][1] == "Requests"]
    shown = [(row[3], numbers(row[4:])) for row in times[2:]]
    assert shown == [(kind, values) for _, kind, values in all_expected(given.record())]


def test_a_terminal_shows_each_percentile_of_both_kinds() -> None:
    lines = [line.text for line in to_terminal(given.report())]
    shown = [
        (kind, numbers(line.split(kind)[1].split()))
        for line in lines
        for kind in (CORRECTED, UNCORRECTED)
        if kind in line
    ]
    assert shown == [(kind, values) for _, kind, values in all_expected(given.record())]


def test_both_kinds_differ_where_the_target_stalls() -> None:
    waited = expected(given.record(), "", "latency")[3]
    served = expected(given.record(), "", "service_time")[3]
    assert waited > 5 * served


def test_tiles_are_those_of_all_endpoints() -> None:
    tiles = page(to_html(given.report())).one("dl", class_="tiles").all("div")
    shown = {one.one("dt").text: one.one("dd").text for one in tiles}
    waited = dict(zip(QUANTILES, expected(given.record(), "", "latency"), strict=True))
    for name in ("p50", "p95", "p99", "max"):
        number, unit = shown[name].split()[:2]
        assert float(number) * {"ms": 1, "s": 1000}[unit] == pytest.approx(waited[name], rel=1e-9)
    failed = sum(one.failures for one in given.record().endpoints)
    assert shown["Failed"].split()[2] == str(failed)


def test_the_facts_are_what_was_planned_and_started() -> None:
    record = given.record()
    late = sorted(int(v) for v, n in record.start_delay.items() for _ in range(n))
    p99 = late[math.ceil(0.99 * len(late)) - 1] / 1000
    for text in in_words(given.report()):
        assert f"{record.planned:,} arrivals in 20s: 30.0/s, poisson gaps, steady" in text
        assert f"{record.started:,} (100 %)" in text
        assert "0 dropped" in text
        assert f"p99 {float(f'{p99:.3g}'):.2f} ms" in text


def in_words(report: LoadReport) -> tuple[str, str, str]:
    """The three reports, each as one line of words."""
    terminal = " ".join(line.text for line in to_terminal(report))
    texts = (terminal, to_markdown(report), page(to_html(report)).text)
    return tuple(" ".join(text.split()) for text in texts)  # type: ignore[return-value]


UNBELIEVED: dict[str, dict[str, Any]] = {
    "a doubt": {"doubts": ("61 of 100 planned arrivals started",)},
    "cut short": {"record": given.record(completed=False)},
    "trouble": {"record": given.record(trouble="locust was killed")},
    "a worker that was lost": {"record": given.record(workers_expected=3)},
    "nothing answered": {"record": given.record(endpoints=())},
    "nothing at all": {"record": nothing()},
}


@pytest.mark.parametrize("why", UNBELIEVED)
def test_what_is_not_believed_says_so_first_and_is_never_green(why: str) -> None:
    report = given.report(**UNBELIEVED[why])
    assert report.reasons
    html = to_html(report)
    tree = page(html)
    assert tree.one("body").has(class_="bad")
    assert tree.one("header").one("strong").text == "Not to be believed"
    doubts = tree.one("section", class_="doubts")
    assert [one.text for one in doubts.all("li")] == list(report.reasons)
    assert not tree.all(class_="good")
    assert not tree.all("span", class_="note")
    words = in_words(report)
    for text in words:
        assert not re.search(r"\bwithin\b|\bbeyond\b(?! a limit)", text.replace("Red: beyond", ""))
    markdown = to_markdown(report).splitlines()
    assert markdown[2].startswith("> **Not to be believed.**")
    lines = to_terminal(report)
    assert lines[1].text.startswith("NOT TO BE BELIEVED")
    assert lines[1].styles == ("red",)
    drawn = [*lines, *live(report)]
    assert not [line for line in drawn if "green" in line.styles]


def test_what_is_believed_has_its_marks() -> None:
    report = given.report()
    assert report.believed
    rows = page(to_html(report)).one("table", class_="cuts").all("tr")[1:]
    marks = [row.all("span")[-1] for row in rows]
    assert [mark.text for mark in marks] == ["within", "beyond", "beyond"]
    assert [mark.has(class_="good") for mark in marks] == [True, False, False]
    assert not page(to_html(report)).all("section", class_="doubts")
    head = page(to_html(report)).one("header").all("span", class_="badge")
    assert [badge.text for badge in head] == ["2 beyond", "1 within"]


def test_where_there_is_a_decision_its_verdicts_stand_beside_the_cuts() -> None:
    report = given.report()
    first = report.cuts[0].criterion
    decided = replace(report, verdicts={first: Verdict.INCONCLUSIVE})
    mark = page(to_html(decided)).one("table", class_="cuts").all("tr")[1].all("span")[-1]
    assert (mark.text, mark.has(class_="held")) == ("inconclusive", True)
    for text in in_words(decided):
        assert "inconclusive" in text
    passed = dict.fromkeys((cut.criterion for cut in report.cuts), Verdict.PASS)
    tree = page(to_html(replace(report, verdicts=passed)))
    assert [one.text for one in tree.one("header").all("span", class_="good")] == ["3 pass"]
    doubted = page(to_html(replace(report, verdicts=passed, doubts=("no",))))
    assert not doubted.all(class_="good")
    assert not re.search(r"\bpass\b", doubted.text)


def svgs(html: str) -> list[str]:
    return re.findall(r"<svg.*?</svg>", html, re.DOTALL)


def test_every_plot_is_xml_that_says_what_it_shows() -> None:
    drawn = svgs(to_html(given.report()))
    assert len(drawn) == 8  # four, each of them for a wide page and for a narrow one
    for one in drawn:
        tree = ElementTree.fromstring(one)
        assert tree.attrib["role"] == "img"
        assert tree.attrib["aria-label"]
        assert not {"style", "script"} & {node.tag.rpartition("}")[2] for node in tree.iter()}
        assert not any("style" in node.attrib for node in tree.iter())


def test_a_plot_that_is_shown_alone_still_says_that_it_is_not_believed() -> None:
    for one in svgs(to_html(given.report(doubts=("no",)))):
        assert "Not to be believed</text>" in one
    assert "Not to be believed" not in "".join(svgs(to_html(given.report())))


def test_hostile_names_stay_text() -> None:
    record = given.record()
    ends = tuple(replace(one, name=f"{HOSTILE}{n}") for n, one in enumerate(record.endpoints))
    groups = (ErrorGroup(HOSTILE, HOSTILE, 3),)
    made = replace(record, endpoints=ends, errors=groups, profile=HOSTILE, tools={HOSTILE: HOSTILE})
    profile = given.profile(id=HOSTILE, says=HOSTILE, locustfile=HOSTILE, target=HOSTILE)
    cuts = (given.cut("< 800ms", endpoint=f"{HOSTILE}0"),)
    for doubts in ((), (HOSTILE,)):
        report = LoadReport(made, profile, doubts, cuts, HOSTILE, HOSTILE, HOSTILE)
        html = to_html(report)
        html.encode()
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e]", html)
        tree = page(html)
        assert {"img", "script"}.isdisjoint({node.tag for node in tree.all()})
        for node in tree.all():
            assert not [name for name in node.attributes if name.startswith("on")]
            assert "style" not in node.attributes
        for one in svgs(html):
            ElementTree.fromstring(one)
        lines = [*to_terminal(report), *live(report), *to_terminal(report, 40)]
        for text in (*(line.text for line in lines), live_line(report)):
            assert text.isprintable()
        markdown = to_markdown(report)
        assert "<img" not in re.sub(r"`[^`\n]*`", "", markdown)
        tables(markdown)


def test_the_page_asks_for_nothing_and_admits_only_its_own_style() -> None:
    tree = page(to_html(given.report()))
    (policy,) = [
        str(node.attributes["content"])
        for node in tree.all("meta")
        if node.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not [node for node in tree.all() if {"src", "style"} & set(node.attributes)]
    ids = {f"#{node.attributes['id']}" for node in tree.all() if "id" in node.attributes}
    assert {str(node.attributes["href"]) for node in tree.all("a")} <= ids
    outside = re.sub(r'xmlns="http://www.w3.org/2000/svg"', "", to_html(given.report()))
    assert not re.search(r"https?:|url\(|@import", outside)


def test_no_line_of_a_terminal_is_longer_than_it_is_wide() -> None:
    for report in (given.report(), given.report(doubts=("why " * 60,)), given.report(cuts=())):
        assert max(len(line.text) for line in to_terminal(report)) <= WIDTH


def test_nothing_is_said_in_words() -> None:
    report = given.report(record=nothing(), profile=None)
    terminal, markdown, html = in_words(report)
    for text in (terminal, markdown, html):
        assert re.search("no request was made, so there is no latency", text, re.IGNORECASE)
    assert "No request was answered in any second" in html
    assert "The record holds no second." in html
    assert "no percentile" in html
    assert not svgs(to_html(report))
    assert "No request failed, because none was made." in html


def test_an_endpoint_whose_requests_all_failed_has_no_time() -> None:
    record = given.record()
    silent = replace(record.endpoints[0], latency={}, service_time={}, failures=9, requests=9)
    report = given.report(record=replace(record, endpoints=(silent, *record.endpoints[1:])))
    for text in in_words(report):
        assert "no answer was timed" in text


def test_a_closed_loop_has_one_kind_of_latency_and_says_what_it_hides() -> None:
    report = given.report(record=given.record(open_loop=False, offered_rate=None))
    for text in in_words(report):
        assert CORRECTED not in text
        assert CLOSED in text
        assert "24 users for 20s, each waits for its answer" in text


def test_errors_are_shown_with_the_most_frequent_first() -> None:
    rows = page(to_html(given.report())).one("table", class_="errors").all("tr")[1:]
    assert [[cell.text for cell in row.all("td")] for row in rows] == [
        ["12", "status", "reset by peer"],
        ["7", "start", "HTTP 503"],
    ]
    many = tuple(ErrorGroup("start", f"kind {n}", 1) for n in range(300))
    shown = in_words(given.report(record=given.record(errors=many, other_errors=41)))
    assert "and 290 more kinds" in shown[0]
    assert "And 200 more kinds in the record." in shown[1]
    assert "and 100 more kinds in the record" in shown[2]
    assert all("41 " in text for text in shown)


def test_a_worker_that_never_reported_is_a_row_of_its_own() -> None:
    tree = page(to_html(given.report(record=given.record(workers_expected=3))))
    rows: list[Node] = tree.one("table", class_="generators").all("tr")[1:]
    ends = [row.all("td")[-1].text for row in rows]
    assert ends == ["reported to the end", "reported to the end", "never reported"]


def test_same_record_gives_the_same_bytes() -> None:
    assert to_html(given.report()) == to_html(given.report())
