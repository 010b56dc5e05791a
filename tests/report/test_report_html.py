"""The HTML page: the answer first, everything rendered, nothing that comes alive."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from pytest_rollout.model.plan import Gate
from pytest_rollout.model.story import StepState, Story
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.report.html import to_html
from tests.report import report_decisions as given
from tests.report.report_reading import Node, page, read
from tests.words import because


def row_of(tree: Node, slug: str) -> Node:
    return next(row for row in tree.all("tr", role="row") if f"plms.day3. {slug}" in row.text)


@pytest.mark.parametrize("answer", Answer)
def test_answer_is_the_first_heading_and_the_first_word_of_the_title(answer: Answer) -> None:
    tree = read(given.decision(answer))
    heading = next(node for node in tree.all() if re.fullmatch("h[1-6]", node.tag))
    assert heading.tag == "h1"
    assert heading.one("strong").text == answer.value
    assert tree.one("title").text == f"{answer.value}: plms.day3/exit in prod"


def test_head_tells_plan_phase_gate_environment_release_window_and_time() -> None:
    facts = read(given.decision()).one("dl", class_="facts")
    assert [node.text for node in facts.all("div")] == [
        "Plan PLMS Tier 1, seven-day rollout plms",
        "Phase Portfolio scheduler day3",
        "Gate exit plms.day3/exit",
        "Environment prod",
        "Release plms-v1.0.0",
        "Window Mon 2025-11-10 09:00-11:00 EST",
        "Decided 2025-11-10 10:12:04 EST",
    ]


def test_release_that_is_not_known_is_said() -> None:
    assert "Release unknown" in read(given.decision(release=None)).one("dl", class_="facts").text


def test_each_reason_has_the_plans_sentence_and_leads_to_what_it_names() -> None:
    decision = given.rollback()
    tree = read(decision)
    findings = {one.id: one for one in (*decision.criteria, *decision.guardrails)}
    shown = tree.one("ul", class_="reasons").all("li")
    for reason, cause in zip(shown, decision.reasons, strict=True):
        assert reason.one("b").text == findings[cause.id].says
        assert because(cause) in reason.text
        target = tree.one(id=str(reason.one("a").attributes["href"])[1:])
        assert cause.id.rpartition(".")[2] in target.text


def test_conditions_have_owner_and_due_gate() -> None:
    decision = given.go_with_conditions()
    tree = read(decision)
    assert tree.one("h1").one("em").text == "with 2 conditions"
    items = tree.one("ul", class_="conditions").all("li")
    for item, condition in zip(items, decision.conditions, strict=True):
        assert because(condition) in item.text
        assert f"owed by {condition.owner} , due at {condition.due}" in item.text
        assert item.one("span", class_="badge").text == condition.verdict.value


def test_go_without_conditions_says_so() -> None:
    assert "This GO carries no conditions." in read(given.decision()).text
    for other in (given.go_with_conditions(), given.decision(Answer.HOLD)):
        assert "no conditions" not in read(other).text


@pytest.mark.parametrize(
    ("outcomes", "says"),
    [
        (("", ""), "0 of 2 steps done"),
        (("done", "failed"), "1 of 2 steps done"),
        (("done", "already done"), "every step is done"),
    ],
)
def test_a_rollback_says_beside_the_answer_how_far_it_is(
    outcomes: tuple[str, ...], says: str
) -> None:
    steps = tuple(StepState("a step", by_hand=False, outcome=outcome) for outcome in outcomes)
    tree = page(to_html(given.rollback(), story=Story(steps=steps)))
    assert tree.one("h1").one("em").text == says


@pytest.mark.parametrize(
    ("gate", "says"), [("entry", "the change may start"), ("exit", "the phase may end")]
)
def test_a_go_says_what_it_does_not_say(gate: str, says: str) -> None:
    decision = replace(given.decision(), gate=Gate(gate))
    assert f"Whether {says} right now" in read(decision).text


def test_conditions_without_a_go_are_not_called_attached() -> None:
    headings = [node.text for node in read(given.no_go()).all("h2")]
    assert "Conditions a GO would carry" in headings
    assert "Conditions" not in headings


def test_partial_rehearsal_and_stand_ins_stand_before_the_reasons() -> None:
    decision = given.held_partial()
    tree = read(decision)
    assert tree.one("h1").one("em").text == "from a partial run, in a rehearsal"
    told = tree.text
    for words in (*decision.partial, *decision.stand_ins, "Rehearsal", "Stand-ins"):
        assert told.index(words) < told.index("Why")


def test_drill_is_said_beside_the_answer_and_names_its_fault() -> None:
    tree = read(given.drill())
    assert tree.one("h1").one("em").text == "in a drill"
    assert "fault lane-starved" in tree.one("section", class_="notices").text
    assert not read(given.decision()).all("section", class_="notices")


def test_waivers_are_rendered() -> None:
    waived = given.waived("plms.day3.queue-depth", limit="<= 12")
    text = read(given.decision(waivers=(waived,))).text
    assert "plms.day3.queue-depth up to <= 12: applied; until 2025-11-30" in text
    assert "approved by B. Approver: two hosts only" in text


def test_empty_sections_are_left_out() -> None:
    tree = read(given.decision(criteria=(), demands=(), configuration=None))
    headings = [node.text for node in tree.all("h2")]
    assert headings == ["Why", "Conditions", "For the record"]
    assert "None" not in tree.text
    assert "Configuration" not in tree.text


def test_criteria_stand_worst_first_and_in_the_plans_order_under_each_verdict() -> None:
    decision = given.no_go()
    tree = read(decision)
    rows = [node.text for node in tree.all("tr") if (node.attributes.get("id") or "x")[0] == "c"]
    shown = [re.match(r"plms\.day3\. (\S+)", row) for row in rows]
    expected = sorted(decision.criteria, key=lambda one: one.verdict.rank)
    assert [f"plms.day3.{found[1]}" for found in shown if found] == [one.id for one in expected]
    groups = [node.text.split()[0] for node in tree.all("tr", class_="group")]
    assert groups == ["fail", "missing", "inconclusive", "warn", "pass", "not"]


@pytest.mark.parametrize(("passing", "folded"), [(100, []), (101, ["pass met 101 of 102"])])
def test_of_many_criteria_those_of_one_verdict_are_folded(passing: int, folded: list[str]) -> None:
    many = tuple(given.criterion(f"number-{number}") for number in range(passing))
    bad = given.criterion("bad", Verdict.FAIL)
    tree = read(given.decision(Answer.NO_GO, criteria=(*many, bad)))
    groups = tree.all("details", class_="group")
    assert [group.all("summary")[0].text for group in groups] == folded
    section = next(node for node in tree.all("section") if node.all("h2", id="criteria"))
    rows = [row for row in section.all("tr") if "id" in row.attributes]
    assert len(rows) == passing + 1
    assert "bad" in rows[0].text


def test_criterion_tells_what_it_says_and_what_was_seen_and_allowed() -> None:
    row = row_of(read(given.no_go()), "no-starvation")
    cells = [node.text for node in row.inside if isinstance(node, Node)]
    one = given.STARVED
    assert cells == [
        f"plms.day3. no-starvation {one.says}",
        "hard load",
        "fail",
        because(one),
        "> 0.20",
        "960",
    ]


def test_evidence_is_folded_worst_first_with_what_was_seen() -> None:
    tree = read(given.no_go())
    folded = next(node for node in tree.all("details") if "no-starvation" in node.text)
    assert "open" not in folded.attributes
    assert folded.one("summary").text == "Evidence of no-starvation : 1 fail, 4 pass"
    rows = [
        [cell.text for cell in row.inside if isinstance(cell, Node)] for row in folded.all("tr")
    ]
    assert rows[0] == ["Group or check", "Verdict", "Seen", "Samples", "At", "Because"]
    assert rows[1][:5] == ["lane Data-Schema", "fail", "0.125", "240", "2025-11-10 09:07:15 EST"]
    assert rows[2][1:] == ["pass", "", "", "", "passed"]
    assert {len(row) for row in rows} == {6}


def test_attempts_are_shown_where_there_was_more_than_one() -> None:
    tree = read(given.no_go())
    tries = tree.one("ol", class_="attempts")
    assert [node.text for node in tries.all("li")] == [
        "fail: 409 was expected, 500 was seen",
        "pass",
    ]


def test_guardrails_are_tripped_blind_or_quiet() -> None:
    tree = read(given.rollback())
    table = tree.one("table", class_="guardrails")
    states = [node.text for node in table.all("td", **{"data-label": "State"})]
    assert states == ["tripped", "tripped", "blind", "quiet"]
    owed = tree.one("ul", class_="conditions")
    assert owed.one("span", class_="badge").text == "tripped"


def test_record_holds_everything_an_auditor_compares() -> None:
    decision = given.decision()
    record = read(decision).one("footer").text
    for value in (
        decision.run,
        decision.plan_digest,
        decision.criteria_digest,
        decision.substance_digest,
        decision.ledger.hash,
        str(decision.ledger.sequence),
        decision.decided_at,
        decision.zone_data,
        decision.configuration or "",
        "Evaluation 4th of this release",
        f"Judge version {decision.judge}",
    ):
        assert value in record


def test_what_is_no_look_says_what_it_is() -> None:
    def look(**changes: Any) -> str:
        found = read(given.decision(**changes)).one("footer").all("div")
        return next(node.text for node in found if node.text.startswith("Evaluation "))

    assert look() == "Evaluation 4th of this release"
    assert look(environment="embedded", looks=0) == "Evaluation a rehearsal"
    assert look(partial=("-k leaves checks out",)) == "Evaluation not counted"
    assert look(environment="embedded", drill="lane-starved") == "Evaluation not counted"
