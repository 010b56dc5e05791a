"""The HTML page under hostile, long and many texts: nothing comes alive, nothing is lost unsaid."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pytest_rollout.model.finding import Attempted, said
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.report.html import MOST_ON_TOP, to_html
from tests.report import report_decisions as given
from tests.report.report_hostile import hostile
from tests.report.report_reading import Node, page, read
from tests.timing import fastest_s


def test_hostile_texts_stay_text() -> None:
    html = to_html(hostile())
    html.encode()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e]", html)
    assert "62615533" not in re.sub(r"\b[0-9a-f]{64}\b", "", html[html.index("<body") :])
    tree = page(html)
    assert not tree.all("img")
    assert not tree.all("script")
    assert "<img src=x onerror=alert(1)>" in tree.one("footer").text
    for node in tree.all():
        assert not [name for name in node.attributes if name.startswith("on") or name == "style"]


def test_page_asks_for_nothing_and_admits_nothing_but_its_own_style() -> None:
    html = to_html(given.no_go())
    tree = page(html)
    (policy,) = [
        str(node.attributes["content"])
        for node in tree.all("meta")
        if node.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not [node for node in tree.all() if {"src", "style"} & set(node.attributes)]
    assert {node.tag for node in tree.all()}.isdisjoint({"script", "link", "img", "iframe", "form"})
    assert all(str(node.attributes["href"]).startswith("#") for node in tree.all("a"))
    assert not re.search(r"https?:|url\(|@import", html)


def test_every_link_inside_the_page_has_one_target() -> None:
    tree = read(given.rollback())
    ids = [str(node.attributes["id"]) for node in tree.all() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    assert {str(node.attributes["href"])[1:] for node in tree.all("a")} <= set(ids)


def test_page_can_be_read_aloud() -> None:
    tree = read(given.no_go())
    assert tree.one("html").attributes["lang"] == "en"
    assert all(node.attributes.get("scope") for node in tree.all("th"))
    assert all(node.text for node in tree.all("span", class_="badge"))


def test_long_texts_are_cut_and_say_by_how_much() -> None:
    long = given.criterion("x" * 1_000_000, Verdict.FAIL, because="y" * 1_000_000)
    html = to_html(given.decision(Answer.NO_GO, criteria=(long,)))
    assert len(html) < 50_000
    assert "999,400 more characters in decision.json" in html


def test_more_evidence_than_is_shown_is_announced_and_the_worst_is_shown() -> None:
    parts = (*(given.check(f"test_{n}") for n in range(120)), given.check("bad", Verdict.FAIL))
    tree = read(given.decision(criteria=(given.criterion("wide", Verdict.FAIL, parts=parts),)))
    folded = tree.one("details")
    assert len(folded.all("tr")) == 1 + 50
    assert folded.all("tr")[1].text.startswith("suites/plms/test_day3.py::bad fail")
    assert "and 71 more entries in decision.json" in folded.text
    assert "1 fail, 120 pass" in folded.one("summary").text


def test_many_attempts_are_cut_and_announced() -> None:
    part = replace(given.check(), attempts=(Attempted(Verdict.FAIL, said("no")),) * 12)
    tree = read(given.decision(criteria=(given.criterion("often", parts=(part,)),)))
    assert len(tree.one("ol", class_="attempts").all("li")) == 10
    assert "and 2 more attempts in decision.json" in tree.text


def test_many_reasons_leave_room_on_the_first_screen_but_are_all_there() -> None:
    reasons = [f"reason number {n}" for n in range(40)]
    held = given.decision(Answer.HOLD, reasons=tuple(map(given.whole, reasons)))
    listed = read(held).one("ul", class_="reasons")
    assert "and 34 more reasons" in listed.one("summary").text
    on_top = [node for node in listed.inside if isinstance(node, Node)]
    assert len(on_top) == MOST_ON_TOP + 1
    for reason in reasons:
        assert reason in listed.text


def test_same_decision_gives_the_same_bytes() -> None:
    assert to_html(given.no_go()) == to_html(given.no_go())


@pytest.mark.slow
def test_a_thousand_criteria_stay_small_and_quick() -> None:
    many = tuple(
        replace(given.STARVED if n % 10 == 0 else given.PASSING[2], id=f"plms.day3.number-{n}")
        for n in range(1_000)
    )
    decision = given.decision(Answer.NO_GO, criteria=many)
    to_html(given.decision())
    assert fastest_s(lambda: to_html(decision)) < 1
    html = to_html(decision)
    assert len(html.encode()) < 2_000_000
    assert all(f"number-{n}</code>" in html for n in range(1_000))


def test_many_notices_leave_the_reasons_on_the_first_screen_but_are_all_there() -> None:
    left = tuple(f"--ignore=part-{n} leaves checks out" for n in range(12))
    listed = read(given.decision(Answer.HOLD, partial=left)).one("section", class_="notices")
    assert "and 10 more" in listed.one("summary").text
    assert all(words in listed.text for words in left)
