"""A look finds what was to be found then, and what cannot have happened yet is a hole.

What comes later undoes no trip and changes no look at what was before. A judge in which the other
side of a comparison reaches beyond its look, or that forgets samples from the future, is found out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import event, find, given
from hypothesis import strategies as st

from pytest_rollout.judge import looks, rules, slices
from pytest_rollout.judge.case import Case
from pytest_rollout.judge.series import Groups, Series, Sides
from pytest_rollout.judge.slices import Reach
from pytest_rollout.model.evidence import Seen, World
from pytest_rollout.model.finding import Part
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.rule import Rule, ScopeKind
from pytest_rollout.model.verdict import Answer, State, Verdict, worst
from tests.judge import drawn_plans
from tests.judge.drawn_plans import (
    criterion_phase,
    gate_of,
    guardrail_phase,
    narrow_phases,
    phase_of,
    planned,
    rules_of,
)
from tests.judge.drawn_values import is_other, values
from tests.judge.drawn_worlds import AHEAD, DAY, PAST, by_nights, observations, worlds
from tests.judge.test_assumptions import FOUND
from tests.judge.test_monotone import MANY
from tests.judge.worlds import AT, NINE, SECOND, bare, run_of, seen, world_of

GOOD = (Verdict.PASS, Verdict.WARN)
COMPARED = ("", "versus: {metric: c0_o}", "versus: {metric: c0_o, as: ratio}")
OVER = tuple(f"over: {over}, in_a_row: 2" for over in drawn_plans.OVER[1:6])  # of more than a run
CLOSED = (
    *("per: day, over: [{last: 1, need: 1}]", "over: [{days: 1}]"),
    *("per: night, over: [{last: 1, need: 1}]", "over: [{nights: 1}]"),
)
MIDNIGHT_US, MORNING_US = NINE - 9 * 3600 * SECOND, NINE - 3 * 3600 * SECOND


@st.composite
def in_turn(draw: st.DrawFn, plan: Plan) -> tuple[World, World, int]:
    """What a first run knew when it ended, all that is known in the end, and when that run ended.

    A second run brings what happened later, and perhaps late some of what happened before.
    """
    world = replace(draw(worlds(plan, begun=False)), resets=())
    moments = [min(one.slot.t_us, AT) for one in world.seen]
    ended_us = draw(st.sampled_from(moments or [AT]))
    first, second = [], []
    for one in world.seen:
        if one.slot.t_us <= ended_us and draw(st.integers(0, 4)):
            first.append(replace(one, run="r0", seen_us=one.slot.t_us))
        else:
            second.append(replace(one, run="r1", seen_us=AT))
    run = run_of(id="r0", ended_us=ended_us)
    early = replace(world, seen=tuple(first), run=run)
    return early, replace(world, seen=(*first, *second), run=run_of()), ended_us


def tripped(plan: Plan, world: World, at_us: int = AT) -> bool:
    return bare(plan, world, at_us=at_us).guardrails[0].state is State.TRIPPED


def undone(plan: Plan, early: World, late: World, ended_us: int) -> bool:
    """Whether a guardrail tripped and does not stand tripped any more."""
    return tripped(plan, early, ended_us) and not tripped(plan, late)


@pytest.mark.slow
@given(st.data())
@MANY
def test_what_comes_later_undoes_no_trip(data: st.DataObject) -> None:
    text = guardrail_phase(data.draw(drawn_plans.rules("g0", guardrail=True)))
    plan = planned(text)
    early, late, ended_us = data.draw(in_turn(plan))
    event(f"tripped: {tripped(plan, early, ended_us)}")
    assert not undone(plan, early, late, ended_us)


@st.composite
def ruled(draw: st.DrawFn) -> str:
    """A rule in flow style that does not say which slots it looks at."""
    take = draw(st.sampled_from(("mean", "max", "last", "sum", "p50")))
    cut = draw(st.sampled_from(('pass: "<= 1"', 'pass: ">= 1"')))
    versus = draw(st.sampled_from(COMPARED))
    need = draw(st.sampled_from((1, 2)))
    return f"metric: c0, take: {take}, {cut}, need: {need}{', ' * bool(versus)}{versus}"


@st.composite
def observed(draw: st.DrawFn, plan: Plan) -> World:
    """A world in which all depends on what one rule sees."""
    (rule,) = rules_of(plan)
    items = draw(observations(rule))
    days = drawn_plans.by_days(rule)
    past = tuple(one for one in items if one.run == PAST)
    begun_us = NINE - 2 * DAY * SECOND if days else NINE
    known = [one for one in items if one.run != PAST and one.slot.t_us <= AT]
    return replace(world_of(plan, known, begun_us=begun_us), past=past)


def verdict(plan: Plan, world: World, at_us: int = AT) -> Verdict:
    return bare(plan, world, at_us=at_us).criteria[0].verdict


def until(world: World, at_us: int) -> World:
    """What had happened at an instant."""
    return replace(world, seen=tuple(one for one in world.seen if one.slot.t_us <= at_us))


def rows_differ(plan: Plan, world: World) -> bool:
    """Whether a row of two tells another thing than both looks, each judged in its own time."""
    (criterion,), (rule,) = phase_of(plan).criteria, rules_of(plan)
    alone = replace(criterion, rule=replace(rule, streak=None))
    at_once = replace(plan, phases=(replace(phase_of(plan), criteria=(alone,)),))
    moments = sorted({one.slot.t_us for one in world.seen if not is_other(rule, one)})
    found = [verdict(at_once, until(world, at_us), at_us) for at_us in moments[-2:]]
    return (verdict(plan, world) in GOOD) is not (len(found) > 1 and worst(found) in GOOD)


def closed_differ(plan: Plan, world: World) -> bool:
    """Whether a rule on the newest day or night finds another thing than when that was over."""
    (rule,) = rules_of(plan)
    at_us = MORNING_US if by_nights(rule) else MIDNIGHT_US
    return verdict(plan, until(world, at_us), at_us) is not verdict(plan, world)


@pytest.mark.slow
@pytest.mark.parametrize(("chosen", "differ"), [(OVER, rows_differ), (CLOSED, closed_differ)])
def test_a_look_finds_what_was_to_be_found_then(
    chosen: Sequence[str], differ: Callable[[Plan, World], bool]
) -> None:
    @given(st.data())
    @MANY
    def alike(data: st.DataObject) -> None:
        rule, over = data.draw(ruled()), data.draw(st.sampled_from(chosen))
        plan = planned(criterion_phase(f"{rule}, {over}"))
        world = data.draw(observed(plan))
        event(verdict(plan, world).value)
        assert not differ(plan, world)

    alike()


@st.composite
def ahead(draw: st.DrawFn, plan: Plan) -> World:
    """A world with a sample from the future in a group that is expected."""
    (rule,) = rules_of(plan)
    labels: dict[str, Any] = {"site": "x", **({"lane": "A"} if rule.each else {})}
    t, value = draw(st.sampled_from(AHEAD)), draw(values(rule, good=True))
    world = draw(worlds(plan))
    return replace(world, seen=(*world.seen, seen(value, t, rule.metric, seq=9, **labels)))


@pytest.mark.slow
@given(st.data())
@MANY
def test_a_sample_from_the_future_lets_no_rule_pass(data: st.DataObject) -> None:
    plan = planned(data.draw(narrow_phases()))
    assert bare(plan, data.draw(ahead(plan)), gate_of(plan)).answer is not Answer.GO


def the_other_side_reaches_beyond_the_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is known of the other side in the end, at whatever look."""

    def broken(
        rule: Rule, sides: Sides, reach: Reach, choose: Callable[[Series], tuple[Seen, ...]]
    ) -> tuple[tuple[Seen, ...], tuple[Seen, ...]]:
        return choose(sides.own), tuple(sides.other.items)

    for module in (slices, looks):
        monkeypatch.setattr(module, "cut_both", broken)


def what_is_to_come_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample from the future is a hole only where a scope reaches up to now."""
    stated = rules._capped

    def broken(part: Part, rule: Rule, groups: Groups, case: Case) -> Part:
        scope = rule.scopes[0]
        ends = scope.kind in (ScopeKind.DAYS, ScopeKind.NIGHTS, ScopeKind.AGE)
        until = scope.kind is ScopeKind.SINCE and scope.span_us > 0
        return part if ends or until else stated(part, rule, groups, case)

    monkeypatch.setattr(rules, "_capped", broken)


@pytest.mark.slow
@pytest.mark.parametrize("over", ["over: [{last: 1, need: 1}]", "over: [{span: 1m}]", "per: run"])
def test_a_comparison_with_what_comes_later_undoes_trips(
    over: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = f'metric: g0, take: mean, {over}, versus: {{metric: g0_o}}, fail: "> 1"'
    plan = planned(guardrail_phase(rule))
    the_other_side_reaches_beyond_the_look(monkeypatch)
    find(in_turn(plan), lambda turns: undone(plan, *turns), settings=FOUND)


@pytest.mark.slow
@pytest.mark.parametrize(("over", "differ"), [(OVER[2], rows_differ), (CLOSED[0], closed_differ)])
def test_a_comparison_with_what_comes_later_changes_looks(
    over: str, differ: Callable[[Plan, World], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = 'metric: c0, take: mean, versus: {metric: c0_o}, pass: "<= 1"'
    plan = planned(criterion_phase(f"{rule}, {over}"))
    the_other_side_reaches_beyond_the_look(monkeypatch)
    find(observed(plan), lambda world: differ(plan, world), settings=FOUND)


@pytest.mark.parametrize(
    "over", ["[{days: 1}]", "[{nights: 1}]", "[{age: 4m}]", "[{since: begin, until: 20m}]"]
)
def test_a_judge_that_leaves_out_what_is_to_come_is_found_out(
    over: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planned(criterion_phase(f'metric: c0, take: max, pass: "<= 1", over: {over}'))
    what_is_to_come_is_left_out(monkeypatch)
    find(ahead(plan), lambda world: bare(plan, world).answer is Answer.GO, settings=FOUND)
