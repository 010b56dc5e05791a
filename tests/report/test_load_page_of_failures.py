"""A load whose target went away: its times are void, and the decision says no to the rest."""

from __future__ import annotations

from dataclasses import replace

from pytest_rollout.model.load import FAILED
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.report.load_html import to_html
from pytest_rollout.report.load_stored import link_of
from pytest_rollout.report.load_words import LoadReport
from tests.report import load_records as given
from tests.report.report_reading import page
from tests.report.test_load_page import in_words, svgs

GONE = "every request failed in the last 4 seconds with answers: the target was not there"


def dying() -> LoadReport:
    """A load whose target went away: its times are void, and the decision says no to the rest."""
    record = given.record()
    ends = tuple(replace(one, failures=one.requests * 3 // 4) for one in record.endpoints)
    cuts = (given.cut("< 800ms"), given.cut("< 2 %", "rate", FAILED))
    verdicts = (Verdict.ERROR, Verdict.FAIL)
    decided = dict(zip((cut.criterion for cut in cuts), verdicts, strict=True))
    made = replace(record, endpoints=ends)
    return given.report(record=made, cuts=cuts, verdicts=decided, of_times=(GONE,))


def test_times_that_are_void_leave_the_other_verdicts_alone() -> None:
    report = dying()
    assert (report.believed, report.times_believed) == (True, False)
    html = to_html(report)
    tree = page(html)
    marks = [row.all("span")[-1] for row in tree.one("table", class_="cuts").all("tr")[1:]]
    assert [mark.text for mark in marks] == ["error", "fail"]
    assert [mark.has(class_="bad") for mark in marks] == [False, True]
    assert "not to be believed: every request failed" in tree.one("section", class_="doubts").text
    for text in in_words(report):
        assert "NOT TO BE BELIEVED: nothing" not in text
        assert "Nothing below is a figure" not in text
        assert text.count("not judged") == 1  # the warm-up
        assert GONE in text
    drawn = svgs(html)
    disclaimed = ["Its times are not to be believed</text>" in one for one in drawn]
    assert disclaimed == [True, True, False, False, True, True, True, True]
    link = link_of(report, "load-nightly")
    assert link.believed
    assert "74.9 % failed" in link.says
    assert link.says.endswith(GONE)
    passed = dict.fromkeys(report.verdicts, Verdict.PASS)
    assert in_words(replace(report, verdicts=passed))[0].count("not judged") == 2
    alone = page(to_html(replace(report, verdicts={}))).one("table", class_="cuts").all("tr")[1:]
    assert [row.all("span")[-1].text for row in alone] == ["not judged", "beyond"]


def test_a_no_of_the_decision_stands_beside_what_is_not_believed() -> None:
    report = dying()
    doubted = replace(report, doubts=("61 of 100 planned arrivals started",))
    tree = page(to_html(doubted))
    rows = tree.one("table", class_="cuts").all("tr")[1:]
    assert [row.all("span")[-1].text for row in rows] == ["error", "fail"]
    waived = replace(doubted, verdicts=dict.fromkeys(doubted.verdicts, Verdict.WAIVED))
    assert not page(to_html(waived)).all("span", class_="note")
    assert GONE in tree.one("section", class_="doubts").text


def tones(report: LoadReport) -> dict[str, tuple[str, ...]]:
    tiles = page(to_html(report)).one("dl", class_="tiles").all("div")
    classes = ("bad", "note", "dim")
    return {
        tile.one("dt").text: tuple(name for name in classes if tile.has(class_=name))
        for tile in tiles
    }


def test_tiles_of_what_fails_are_red_and_times_beside_failures_are_not_large() -> None:
    shown = tones(dying())
    assert shown["Failed"] == ("bad",)
    assert shown["p95"] == shown["max"] == ("dim",)
    tiles = page(to_html(dying())).one("dl", class_="tiles")
    assert "answers that did not fail" in tiles.text
    assert tones(given.report())["p99"] == ("bad",)
    assert tones(given.report())["p50"] == ()
    assert tones(given.report())["Failed"] == ("note",)
    kept = given.report(cuts=(given.cut("< 50 %", "rate", FAILED),))
    assert tones(kept) == dict.fromkeys(tones(kept), ())
    assert set(tones(replace(dying(), doubts=("no",))).values()) == {()}
