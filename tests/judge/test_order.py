"""The order in which reports arrive is irrelevant, and a report twice is a report once."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rollout.model.evidence import World
from pytest_rollout.model.plan import Plan
from pytest_rollout.report.stored import to_json
from tests.judge.drawn_plans import gate_of, plans
from tests.judge.drawn_worlds import END, worlds
from tests.judge.test_monotone import MANY
from tests.judge.worlds import NINE, SECOND, decided, guardrail, plan_of, seen, told, world_of


def stored(plan: Plan, world: World) -> str:
    """The decision, as it is stored."""
    return to_json(decided(plan, world, gate_of(plan)))


@pytest.mark.slow
@given(st.data())
@MANY
def test_any_order_of_the_same_evidence_gives_the_same_bytes(data: st.DataObject) -> None:
    plan = data.draw(plans())
    world = data.draw(worlds(plan))
    shuffled = dataclasses.replace(
        world,
        seen=tuple(data.draw(st.permutations(world.seen))),
        checks=dict(data.draw(st.permutations(sorted(world.checks.items())))),
    )
    assert stored(plan, shuffled) == stored(plan, world)


@pytest.mark.slow
@given(st.data())
@MANY
def test_a_report_that_came_twice_counts_once(data: st.DataObject) -> None:
    plan = data.draw(plans())
    world = data.draw(worlds(plan))
    again = data.draw(st.lists(st.sampled_from(world.seen), max_size=4)) if world.seen else []
    twice = dataclasses.replace(world, seen=(*world.seen, *again))
    assert stored(plan, twice) == stored(plan, world)


@pytest.mark.parametrize("late", ["r1", "r2"])
def test_of_runs_that_were_recorded_at_one_instant_neither_is_first(late: str) -> None:
    rule = 'metric: m, over: [{last: 2, need: 2}], take: mean, fail: "> 1"'
    plan = plan_of(guardrail(rule))
    other = {"r1": "r2", "r2": "r1"}[late]
    mine = [seen(2, 0, run=late, recorded=90), seen(2, 60, run=late, recorded=90)]
    theirs = [seen(0, 30, run=other, recorded=90), seen(0, 90, run=other, recorded=90)]
    answers = {stored(plan, world_of(plan, one)) for one in (mine + theirs, theirs + mine)}
    assert len(answers) == 1


def test_a_slot_that_came_twice_is_as_old_as_its_first_record() -> None:
    plan = plan_of(guardrail('metric: m, take: max, fail: "> 1"'))
    old = -86_401
    copies = [seen(0, old, run="r0", recorded=old), seen(0, old, run="r1", recorded=END)]
    begun_us = NINE - 2 * 86_400 * SECOND
    for order in (copies, copies[::-1]):
        world = world_of(plan, order, environment="prod", begun_us=begun_us)
        (reason,) = told(decided(plan, world))
        assert (
            reason
            == "p.one.g: blind: everything that was seen is older than evidence may be (max_age)"
        )
