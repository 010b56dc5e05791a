"""What an answer rests on in a terminal: each cause once, with one name before it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_rollout.model.decision import Cause, Decision
from pytest_rollout.model.finding import Fact, Reason, said
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.report import sentences, terminal
from pytest_rollout.report.causes import grouped_causes, meant_words
from pytest_rollout.report.fact_words import some_of
from pytest_rollout.report.text import conditions
from tests.report.report_decisions import RUNBOOK, held_partial, no_go

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


def test_a_series_that_may_be_meant_is_named_where_nothing_was_seen() -> None:
    few = Reason("few", {"metric": "failed", "n": 0, "need": 10, "scope": "run"})
    inside = Reason("several", {"reasons": (Reason("told", {"subject": "", "reason": few}),)})
    for reason in (few, inside):
        assert meant_words(reason, ("fialed", "other")) == (
            "seen in this run: fialed, which no rule reads"
        )
    assert meant_words(few, ("other",)) == ""
    assert meant_words(Reason("few", {**few.facts, "n": 3}), ("fialed",)) == ""


def test_nothing_of_any_night_is_told_apart_from_nothing_of_one() -> None:
    few = Reason("few", {"metric": "alarms", "n": 0, "need": 1, "scope": "run", "per": "night"})
    none = "no sample of alarms was seen in {} night; 1 sample needed"
    assert sentences.text(few, "UTC") == none.format("any")
    until: dict[str, Fact] = {
        "until": "2025-11-10T05:00:00+00:00",
        "telling": 1,
        "of": 2,
        "per": "night",
    }
    newest = Reason("bucket", {**until, "reason": few})
    assert sentences.text(newest, "UTC").endswith(f": {none.format('that')}")


def test_a_soft_criterion_that_blocks_is_no_condition_and_not_called_soft() -> None:
    free = no_go()
    blocks = Cause(RUNBOOK.id, Answer.NO_GO, RUNBOOK.reason)
    against = replace(free, reasons=(*free.reasons, blocks))
    for decided, soft in ((free, True), (against, False)):
        lines = [line.text for line in terminal.gate(decided)]
        assert any("soft, so not blocking" in line and RUNBOOK.id in line for line in lines) is soft
        assert any(owed.id == RUNBOOK.id for owed in conditions(decided)) is soft
