"""What an answer rests on in a terminal: each cause once, with one name before it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_rollout.model.decision import Cause, Decision
from pytest_rollout.model.finding import Fact, Reason, said
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.report import sentences, terminal
from pytest_rollout.report.causes import grouped_causes
from pytest_rollout.report.fact_words import some_of
from tests.report.report_decisions import held_partial, no_go

LATE = "load peak: the target is too slow"


def cause(slug: str, says: str = LATE, subject: str = "", answer: Answer = Answer.HOLD) -> Cause:
    facts: dict[str, Fact] = {
        "subject": subject or f"day3:{slug}",
        "reason": Reason("said", {"text": says}),
    }
    id_ = f"plms.day3.{slug}" if slug else ""
    return Cause(id_, answer, Reason("several", {"reasons": (Reason("told", facts),)}))


@pytest.fixture
def decision() -> Decision:
    made = no_go()
    assert (made.plan, made.phase) == ("plms", "day3")
    return made


def words(decision: Decision, *causes: Cause) -> list[str]:
    told = replace(decision, reasons=causes)
    return [
        sentences.cause(some_of(ids), reason, told.timezone)
        for ids, reason, _ in grouped_causes(told)
    ]


def test_findings_that_hold_for_one_reason_share_a_line(decision: Decision) -> None:
    causes = [cause("latency"), cause("disk", "it is full"), cause("failures"), cause("rate")]
    lines = words(decision, *causes)
    assert lines == [
        f"plms.day3.latency, plms.day3.failures and plms.day3.rate: {LATE}",
        "plms.day3.disk: it is full",
    ]
    shown = [line.text for line in terminal.gate(replace(decision, reasons=tuple(causes)))]
    assert [line for line in shown if LATE in line] == [f"  - {lines[0]}"]


def test_what_differs_stands_alone(decision: Decision) -> None:
    no = cause("rate", answer=Answer.NO_GO)
    assert len(words(decision, cause("latency"), no)) == 2
    assert len(words(decision, cause("latency"), cause("rate", LATE + "!"))) == 2
    whole = Cause("", Answer.HOLD, Reason("said", {"text": LATE}))
    assert words(decision, whole, cause("rate"), whole) == [LATE, f"plms.day3.rate: {LATE}", LATE]


def test_the_name_of_another_check_is_kept(decision: Decision) -> None:
    other = cause("latency", subject="t.py::test_latency")
    assert words(decision, other) == [f"plms.day3.latency: t.py::test_latency: {LATE}"]
    assert words(decision, cause("latency", subject="day4:latency")) == [
        f"plms.day3.latency: day4:latency: {LATE}"
    ]


def test_several_parts_and_states_are_kept(decision: Decision) -> None:
    part: dict[str, Fact] = {"subject": "day3:lag", "reason": Reason("said", {"text": "x"})}
    stated = Reason("told", {**part, "state": "tripped"})
    for parts in ((stated,), (Reason("told", part),) * 2):
        held = Cause("plms.day3.lag", Answer.HOLD, Reason("several", {"reasons": parts}))
        (line,) = words(decision, held)
        assert line.count("day3:lag") == len(parts)


def test_checks_that_ended_alike_share_their_reason(decision: Decision) -> None:
    def told(subject: str, says: str) -> Reason:
        return Reason("told", {"subject": subject, "reason": Reason("said", {"text": says})})

    parts = (told("a", "away"), told("b", "slow"), told("c", "away"), told("d", "away"))
    held = Cause("plms.day3.lag", Answer.HOLD, Reason("several", {"reasons": parts}))
    assert words(decision, held) == ["plms.day3.lag: a, c and d: away; b: slow"]
    many = tuple(told(str(number), "away") for number in range(9))
    held = Cause("plms.day3.lag", Answer.HOLD, Reason("several", {"reasons": many}))
    assert words(decision, held) == ["plms.day3.lag: 0, 1, 2 and 6 more: away"]


def test_what_a_partial_run_left_out_is_one_cause() -> None:
    held = held_partial()
    (missing,) = [one for one in held.criteria if one.verdict is Verdict.MISSING]
    other, failed = replace(missing, id="plms.day3.other"), no_go().criteria[0]
    held = replace(held, criteria=(missing, other, failed))
    told = words(
        held, cause("no-starvation"), cause("other"), Cause(failed.id, Answer.NO_GO, said("x"))
    )
    assert told == [
        f"{missing.id} and {other.id}: no evidence, as it was left out of this run",
        f"{failed.id}: x",
    ]
