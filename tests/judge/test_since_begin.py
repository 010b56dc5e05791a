"""What changed since the begin: drift that nobody recorded, criteria that nobody amended."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest

from pytest_rollout.judge.since_begin import followed, statements_of
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import ReleaseFact
from pytest_rollout.model.life import DRIFT, Life, RecordedChange, TargetReading
from pytest_rollout.model.plan import Gate, Plan
from pytest_rollout.model.reset import Reset
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report import sentences
from tests.judge.lives import amendment, begin_of, change, life_of, reading
from tests.judge.test_causes_and_looks import V1
from tests.judge.worlds import at, decided, plan_of, seen, told, world_of

TEXT = """\
    criteria:
      - {id: c, kind: load, says: It holds, metric: m, take: max, pass: "< 10"}
      - {id: d, kind: demo, says: It works}
    guardrails: [{id: g, metric: m, take: max, fail: "> 99", over: [{last: 1}], then: [pause]}]
"""
PLAN = plan_of(TEXT)
PHASE = PLAN.phases[0]
SAME, OTHER = reading(10), reading(20, configuration="c2")
LATER = reading(30, configuration="c2")
Step = TargetReading | RecordedChange


def judged(life: Life | None, plan: Plan = PLAN, gate: Gate = Gate.EXIT, **more: Any) -> Decision:
    world = world_of(plan, [seen(3, 5)], environment="prod", releases=V1)
    return decided(plan, replace(world, life=life, **more), gate)


DRIFTS: dict[str, tuple[tuple[Step, ...], bool]] = {
    "nothing was read": ((), False),
    "as it was": ((SAME, SAME), False),
    "another configuration": ((SAME, OTHER), True),
    "another release": ((reading(10, release="v2"),), True),
    "another address": ((reading(10, api="http://b"),), True),
    "an address that is not known": ((reading(10, api=None),), True),
    "a configuration that is not read any more": ((reading(10, configuration=None),), True),
    "a target that was not known then": ((reading(10, new="http://n"),), False),
    "recorded before": ((change(15), OTHER, LATER), False),
    "recorded after": ((OTHER, change(25), LATER), False),
    "recorded after, and not read since": ((OTHER, change(25)), False),
    "used up by a reading that agreed": ((change(5), SAME, OTHER), True),
    "not used up by a watch that agreed": ((change(5), reading(10, watch=True), OTHER), False),
    "used up by a watch ten minutes later": (
        (change(5), reading(605, watch=True), reading(700, configuration="c2")),
        True,
    ),
    "one change is one change": (
        (change(15), OTHER, reading(30, configuration="c3")),
        True,
    ),
    "and two are two": (
        (change(15), OTHER, change(25), reading(30, configuration="c3")),
        False,
    ),
    "back again is another change": ((change(15), OTHER, SAME), True),
    "back again is no excuse": ((OTHER, SAME), True),
    "a configuration is no release": ((change(5, "configuration"), reading(9, release="v2")), True),
    "a step of a rollback, and out again": (
        (change(5, "rollback-step"), reading(9, release="v0"), change(12), SAME),
        False,
    ),
    "a reset": ((OTHER, change(25, "reset"), LATER), False),
}


@pytest.mark.parametrize(("since", "drifts"), DRIFTS.values(), ids=DRIFTS)
def test_drift_that_nobody_recorded_holds(since: tuple[Step, ...], drifts: bool) -> None:
    decision = judged(life_of(PHASE, *since))
    assert [cause.id for cause in decision.reasons] == (["phase.drift"] if drifts else [""])
    assert decision.answer is (Answer.HOLD if drifts else Answer.GO)


def test_the_reason_names_what_differs_and_when() -> None:
    (line,) = told(judged(life_of(PHASE, SAME, reading(60, release="v2"))))
    assert line == (
        "phase.drift: the release was v2 at 2025-11-10 09:01:00 EST, not v1 as when the phase "
        "began or as recorded since, and nobody recorded a change (where it was meant: "
        "`rollout record p.one change --says WHAT --by WHO`)"
    )


BACK = change(5, "rollback-step")


@pytest.mark.parametrize(
    ("since", "asked"),
    [
        ((BACK,), ["phase.rolled-back"]),
        ((BACK, SAME, reading(20)), ["phase.rolled-back"]),  # what runs is the same again
        ((change(4), BACK), ["phase.rolled-back"]),  # the change that was rolled back
        ((BACK, change(8)), [""]),  # out again
        ((BACK, change(8), change(9, "rollback-step")), ["phase.rolled-back"]),
        ((BACK, change(8, "configuration")), ["phase.rolled-back"]),
        ((BACK, change(8, "reset")), ["phase.rolled-back"]),
    ],
)
def test_what_is_measured_after_a_rollback_says_nothing_of_the_change(
    since: tuple[Step, ...], asked: list[str]
) -> None:
    decision = judged(life_of(PHASE, *since))
    assert [cause.id for cause in decision.reasons] == asked
    assert decision.answer is (Answer.GO if asked == [""] else Answer.HOLD)


def test_the_reason_says_when_it_was_rolled_back_and_what_ends_that() -> None:
    (line,) = told(judged(life_of(PHASE, BACK)))
    assert line == (
        "phase.rolled-back: the phase was rolled back at 2025-11-10 09:00:05 EST (as planned), so "
        "what is measured since is not of the change, until the phase begins anew or somebody "
        "records that it is out again"
    )


def test_of_a_record_of_before_nothing_is_compared() -> None:
    life = Life(replace(begin_of(PHASE), frozen=False, stated={}), (OTHER,))
    assert judged(life).answer is Answer.GO


def test_a_begin_that_is_gone_holds() -> None:
    (line,) = told(judged(Life(None)))
    assert line == "phase.begun: the run began after a begin that is no longer on record"


def test_the_entry_gate_of_a_phase_asks_nothing_of_its_begin() -> None:
    plan = plan_of(TEXT.replace("id: d,", "id: d, gate: entry,"))
    life = life_of(PHASE, OTHER)
    assert judged(life, plan, Gate.ENTRY).answer is Answer.GO
    assert judged(life, plan, Gate.EXIT).answer is Answer.HOLD


def test_a_recorded_new_release_is_a_condition() -> None:
    began = {"release": "v0", "configuration": "c1"}
    decision = judged(life_of(PHASE, change(5), reading(10), read=began))
    assert decision.answer is Answer.GO
    assert [(one.id, one.reason.code) for one in decision.conditions] == [
        ("phase.release", "begin.new-release")
    ]
    assert judged(life_of(PHASE, change(5), reading(10))).conditions == ()


def test_losing_records_of_changes_never_makes_a_go() -> None:
    steps: tuple[Step, ...] = (
        *(change(1), reading(2, configuration="c2"), change(3, "configuration"), reading(4)),
        *(reading(5, watch=True), reading(6, configuration="c2"), change(7), reading(8)),
    )
    begin = begin_of(PHASE)
    for most in range(len(steps) + 1):
        whole = steps[:most]
        if not followed(begin, whole).drifted:
            continue
        changes = [one for one in whole if isinstance(one, RecordedChange)]
        for n in range(1, len(changes) + 1):
            for lost in combinations(changes, n):
                left = tuple(one for one in whole if one not in lost)
                assert followed(begin, left).drifted, (whole, lost)


A, B, C = (f'pass: "< {limit}"' for limit in (10, 20, 30))


def stated(limit: str) -> Plan:
    return plan_of(TEXT.replace(A, limit))


def digest(limit: str) -> str:
    return statements_of(stated(limit).phases[0])["c"]


AB, BC = (amendment("c", digest(one), digest(two)) for one, two in ((A, B), (B, C)))
CB = amendment("c", digest(C), digest(B))


@pytest.mark.parametrize(
    ("now", "amendments", "in_force"),
    [
        (A, (), 0),
        (B, (), None),
        (B, (AB,), 1),
        (C, (AB,), None),
        (C, (AB, BC), 2),
        (C, (BC,), None),
        (C, (BC, AB), None),
        (A, (AB,), 0),
        (B, (AB, BC), 1),
        (B, (CB,), None),
        (B, (amendment("d", digest(A), digest(B)),), None),
    ],
)
def test_what_changed_holds_unless_it_was_amended(
    now: str, amendments: tuple[Any, ...], in_force: int | None
) -> None:
    decision = judged(life_of(PHASE, amendments=amendments), stated(now))
    held = [cause.id for cause in decision.reasons if cause.id]
    assert held == (["phase.stated"] if in_force is None else [])
    if in_force is not None:
        assert len(decision.amendments) == in_force
        amended = [one for one in decision.conditions if one.reason.code == "amended"]
        assert [one.id for one in amended] == ["p.one.c"] * in_force


def test_losing_an_amendment_never_makes_a_go() -> None:
    every = (AB, BC, CB)
    for now in (A, B, C):
        for n in range(len(every) + 1):
            for kept in combinations(every, n):
                if judged(life_of(PHASE, amendments=kept), stated(now)).answer is Answer.GO:
                    continue
                for lost in kept:
                    left = tuple(one for one in kept if one is not lost)
                    less = judged(life_of(PHASE, amendments=left), stated(now))
                    assert less.answer is not Answer.GO, (now, kept, lost)


def test_amendments_are_part_of_what_is_signed_where_there_are_some() -> None:
    plan = stated(B)
    without = judged(None, plan)
    one = judged(life_of(PHASE, amendments=(AB,)), plan)
    other = judged(life_of(PHASE, amendments=(replace(AB, approved_by="Cleo"),)), plan)
    assert len({without.substance_digest, one.substance_digest, other.substance_digest}) == 3
    assert judged(life_of(PHASE)).substance_digest == judged(None).substance_digest


def test_a_reset_of_drift_is_a_condition() -> None:
    reset = Reset(f"p.one.{DRIFT.id}", "Ada", "meant", at(25), "25 s", "tripped", "v1")
    life = life_of(PHASE, OTHER, change(25, "reset"), LATER)
    decision = judged(life, resets=(reset,))
    assert decision.answer is Answer.GO
    assert decision.resets == (reset,)
    assert [one.id for one in decision.conditions] == ["p.one.drift"]


def test_what_could_not_be_read_is_not_said_to_be_as_it_was() -> None:
    silent = (
        ReleaseFact("start", None, error="refused"),
        ReleaseFact("end", None, error="refused"),
    )
    world = world_of(PLAN, [seen(3, 5)], environment="prod", releases=silent)
    decision = decided(PLAN, replace(world, life=life_of(PHASE)), Gate.EXIT)
    (begun,) = (one for one in decision.demands if one.id == "phase.begun")
    assert sentences.text(begun.reason, PLAN.timezone) == (
        "begun at 2025-11-10 09:00:00 EST by Ada; criteria and addresses are as they were then, or "
        "as recorded since; the release could not be read"
    )
