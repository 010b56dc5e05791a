"""Buckets of a length, over more time than the calendar divides at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_rollout.judge import Case, decide
from pytest_rollout.judge.guardrails import judge_guardrail
from pytest_rollout.model.evidence import Seen
from pytest_rollout.model.plan import Gate
from pytest_rollout.model.verdict import State, Verdict
from tests.judge.worlds import NINE, SECOND, criterion, guardrail, plan_of, samples, world_of

LONG = 100_050  # seconds, and so more buckets of one than the calendar divides at once


def test_a_row_is_judged_however_long_ago_the_first_sample_was() -> None:
    plan = plan_of(criterion('metric: m, take: max, pass: "< 1", per: 1s, in_a_row: 3'))
    newest = samples(0, 0, 0, every=1)
    world = world_of(plan, [*samples(9), *(later(item, LONG) for item in newest)])
    case = Case(plan, plan.phases[0], world, NINE + (LONG + 3) * SECOND)
    assert decide(case, Gate.EXIT).criteria[0].verdict is Verdict.PASS


@pytest.mark.parametrize(("bad", "state"), [((9, 9), State.TRIPPED), ((9, 0), State.QUIET)])
def test_buckets_stand_next_to_each_other_where_the_calendar_stops(
    monkeypatch: pytest.MonkeyPatch, bad: tuple[int, int], state: State
) -> None:
    monkeypatch.setattr("pytest_rollout.judge.looks.MOST_BUCKETS", 2)
    plan = plan_of(guardrail('metric: m, take: max, fail: "> 1", per: 1m, in_a_row: 2'))
    world = world_of(plan, samples(0, *bad, 0, 0))
    case = Case(plan, plan.phases[0], world, NINE + 600 * SECOND)
    assert judge_guardrail(case, plan.phases[0].guardrails[0]).state is state


def later(item: Seen, seconds: int) -> Seen:
    """The same, seen so much later."""
    us = seconds * SECOND
    slot = replace(item.slot, t_us=item.slot.t_us + us)
    return replace(item, slot=slot, seen_us=item.seen_us + us)
