"""Losing or worsening evidence never turns another decision into GO.

MONOTONE_EXAMPLES says how many worlds.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, event, given, note, settings
from hypothesis import strategies as st

from pytest_rollout.model.verdict import Answer
from tests.judge.drawn_plans import OVER, gate_of, plans, rules_of
from tests.judge.drawn_worlds import END, slots, worlds
from tests.judge.worlds import bare, decided, plan_of, seen, told, world_of
from tests.judge.worsening import changed_slot, degradations

MANY = settings(
    max_examples=int(os.environ.get("MONOTONE_EXAMPLES", "300")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.slow
@given(st.data())
@MANY
def test_worse_evidence_never_turns_another_decision_into_go(data: st.DataObject) -> None:
    plan = data.draw(plans())
    gate = gate_of(plan)
    world = data.draw(worlds(plan))
    before = decided(plan, world, gate)
    event(f"before: {before.answer.value}")
    for _ in range(data.draw(st.integers(2, 5))):
        step, worse = data.draw(degradations(plan, world))
        after = bare(plan, worse, gate)
        event(f"{before.answer.value} -> {after.answer.value}")
        if after.answer is Answer.GO:
            note(f"{step}\nbefore: {told(before)}\nafter: {told(after)}")
            assert before.answer is Answer.GO
        if before.answer is Answer.GO or data.draw(st.booleans()):  # else another step from it
            world, before = worse, after


WATCHED = """\
    criteria: [{{id: c0, kind: load}}]
    guardrails: [{{id: g0, metric: g0, take: {take}, fail: "> 1", over: {over}, then: [{then}]}}]
"""


@pytest.mark.slow
@given(st.data())
@MANY
def test_what_a_guardrail_lost_is_never_forgotten(data: st.DataObject) -> None:
    plan = plan_of(
        WATCHED.format(
            take=data.draw(st.sampled_from(("max", "mean", "sum", "last", "p50"))),
            over=data.draw(st.sampled_from(OVER[1:5])),
            then=data.draw(st.sampled_from(("warn", "pause"))),
        )
    )
    good = [seen(0, END - age, "g0") for age in (90, 60, 30)]
    (rule,) = rules_of(plan)
    early = data.draw(st.lists(slots(rule), min_size=1, max_size=5))
    world = world_of(plan, [*early, *good])
    before = decided(plan, world)
    for _ in range(data.draw(st.integers(1, 2))):
        world = data.draw(changed_slot(plan, world, lose=data.draw(st.booleans())))
        after = bare(plan, world)
        event(f"{before.answer.value} -> {after.answer.value}")
        assert before.answer is Answer.GO or after.answer is not Answer.GO
        before = after
