"""Each assumption of the theorem is needed: a judge that breaks one is found out.

What is broken is one function of the judge; the worlds are those of the theorem's property.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, settings

from pytest_rollout.judge import criteria, demands, guardrails, looks, rules, series, slices, takes
from pytest_rollout.judge.case import Case
from pytest_rollout.judge.series import Groups
from pytest_rollout.judge.slices import Reach, Slice
from pytest_rollout.judge.tally import Tally, Terms
from pytest_rollout.model.evidence import Hole, Seen, World
from pytest_rollout.model.finding import Part
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.rule import Rule, Scope
from pytest_rollout.model.verdict import Answer, State, Verdict
from tests.judge.drawn_plans import criterion_phase, gate_of, guardrail_phase
from tests.judge.worlds import bare, plan_of
from tests.judge.worsening import Step, failing_attempt, harm, hole, lost_report, lost_run, pairs

FOUND = settings(
    max_examples=2000,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
Patch = Callable[[pytest.MonkeyPatch], None]


def everywhere(monkeypatch: pytest.MonkeyPatch, name: str, broken: object) -> None:
    """Replace a function in every module of the judge that uses it."""
    for module in (criteria, guardrails, looks, rules, series, slices):
        if hasattr(module, name):
            monkeypatch.setattr(module, name, broken)


def known(items: Iterable[Seen]) -> list[Seen]:
    return [item for item in items if not isinstance(item.value, Hole)]


def numbers(item: Seen) -> list[Fraction]:
    return [] if isinstance(item.value, Hole) else [number for number, _ in item.value]


def where_looks_at_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """W: values beyond what is usual are left out as outliers."""
    stated = series.own_side

    def broken(rule: Rule, case: Case) -> list[Seen]:
        def usual(item: Seen) -> bool:
            return all(-3 < number < 5 for number in numbers(item))

        return [item for item in stated(rule, case) if usual(item)]

    everywhere(monkeypatch, "own_side", broken)


def moments(groups: Groups) -> list[int]:
    """When something was seen that is known, in any group."""
    return [item.slot.t_us for sides in groups.values() for item in known(sides.own.items)]


def the_window_ends_at_the_last_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """W: a window reaches back from the newest slot that holds a value."""
    stated = slices.slices

    def broken(rule: Rule, groups: Groups, reach: Reach) -> Any:
        newest = max(moments(groups), default=reach.at_us)
        return stated(rule, groups, replace(reach, at_us=newest))

    everywhere(monkeypatch, "slices", broken)


def the_scope_is_chosen_by_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """W: a scope has enough only where enough of its slots hold a value."""
    stated = slices.slice_of

    def broken(rule: Rule, group: Any, sides: Any, reach: Reach) -> Slice:
        valued = stated(rule, group, replace(sides, own=valued_of(sides.own)), reach)
        return stated(replace(rule, scopes=(valued.scope,)), group, sides, reach)

    def valued_of(own: series.Series) -> series.Series:
        return series.Series.of(known(own.items))

    everywhere(monkeypatch, "slice_of", broken)


def a_take_gets_better_when_a_value_gets_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    """I: what is taken is how far values lie from the last one."""
    stated = takes.tallied

    def broken(rule: Rule, seen: Iterable[Seen], scope: Scope, terms: Terms, **more: Any) -> Tally:
        items = list(seen)
        newest = max((max(numbers(item)) for item in known(items)[-1:]), default=Fraction(0))
        far = [
            replace(item, value=tuple((abs(number - newest), 1) for number in numbers(item)))
            for item in known(items)
        ]
        return stated(rule, far, scope, terms, **more)

    everywhere(monkeypatch, "tallied", broken)


def holes_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """H: what was lost is not looked at."""
    stated = series.own_side
    everywhere(monkeypatch, "own_side", lambda rule, case: known(stated(rule, case)))


def holes_do_not_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    """H: what was lost counts as an opportunity, and the rest is judged."""
    monkeypatch.setattr(Slice, "holes", property(lambda self: ()))


def looks_that_cannot_be_judged_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """H: a look at a value that the rule cannot take is an error, and no more than that."""
    stated = rules.could_fail

    def broken(rule: Rule, slice_: Slice, terms: Terms) -> bool:
        codes = {one.reason.code for one in (*slice_.holes, *slice_.other_holes)}
        refused = codes & {"hole.no-outcome", "hole.no-whole-outcome", "hole.no-ratio"}
        return not refused and stated(rule, slice_, terms)

    everywhere(monkeypatch, "could_fail", broken)


def lost_runs_left_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """H: a run that was killed before it recorded anything is as if it had not been."""
    stated = series.own_side

    def broken(rule: Rule, case: Case) -> list[Seen]:
        return stated(rule, replace(case, world=replace(case.world, lost=())))

    everywhere(monkeypatch, "own_side", broken)


def silent_checks_saw_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """H: a check that is of no weight itself may fail to report."""
    monkeypatch.setattr(demands, "_reported", lambda case: ())


def groups_are_those_that_were_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """E: a group is expected where a value of it was seen."""
    stated = slices.slices

    def broken(rule: Rule, groups: Groups, reach: Reach) -> Any:
        there = {group: sides for group, sides in groups.items() if known(sides.own.items)}
        found, _ = stated(rule, there or groups, reach)
        return [one for one in found if one.group in there or not there], []

    everywhere(monkeypatch, "slices", broken)


def the_begin_is_read_from_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """B: the phase is taken to begin with the first value, and not when it was begun."""
    stated = slices.slices

    def broken(rule: Rule, groups: Groups, reach: Reach) -> Any:
        first = min(moments(groups), default=reach.begun_us)
        return stated(rule, groups, replace(reach, begun_us=first))

    everywhere(monkeypatch, "slices", broken)


def a_baseline_is_what_is_known_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """B: of a baseline only the values are compared with that are there."""
    stated = series.other_side
    everywhere(monkeypatch, "other_side", lambda rule, case: known(stated(rule, case)))


def a_trip_is_forgotten_when_blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """F: a guardrail that was blind starts anew."""
    guard = guardrails._Guard
    stated = guard._look

    def broken(self: Any, moment: int, groups: Groups) -> None:
        stated(self, moment, groups)
        for watch in self.watches.values():
            now = watch.now or rules.judge_slice(self.rule, watch.slice_, self.terms)
            if State.of(now.verdict) is State.BLIND:
                watch.trip = watch.lost = None

    monkeypatch.setattr(guard, "_look", broken)


def only_what_could_be_judged_is_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    """F: parts fold to the worst of those that could be judged."""

    def broken(verdicts: Iterable[Verdict]) -> Verdict:
        every = list(verdicts)
        judged = [v for v in every if v not in (Verdict.INCONCLUSIVE, Verdict.MISSING)]
        return min(judged or every, key=lambda verdict: verdict.rank, default=Verdict.MISSING)

    everywhere(monkeypatch, "worst", broken)


def the_best_attempt_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """F: a check has passed if it failed at most every other time."""
    stated = criteria.judge_check

    def broken(item: str, world: World) -> Part:
        part = stated(item, world)
        odd = len(world.checks.get(item, ())) % 2
        return part if odd else replace(part, verdict=Verdict.PASS)

    monkeypatch.setattr(criteria, "judge_check", broken)


PLAIN = criterion_phase("says: It works")
MAX = criterion_phase('metric: c0, take: max, pass: "<= 2"')
SPAN = criterion_phase('metric: c0, take: max, pass: "<= 1", over: [{span: 2m}]')
NEXT = criterion_phase(
    'metric: c0, take: max, pass: "<= 1", over: [{span: 2m, need: 3}, {last: 1}]'
)
BESIDE = MAX + "      - {id: c1, kind: load, severity: optional}\n"
MEAN = criterion_phase('metric: c0, take: mean, pass: "<= 1"')
LANES = criterion_phase('metric: c0, take: mean, pass: "<= 1", each: {lane: [A, B]}')
RATE = guardrail_phase('metric: g0, take: rate, fail: "> 0.4", over: [{last: 2, need: 2}]')
RATIO = guardrail_phase(
    'metric: g0, take: mean, over: [{span: 1m}], versus: {metric: g0_o, as: ratio}, fail: "> 1.5"'
)
FROZEN = criterion_phase(
    'metric: c0, take: mean, versus: {metric: c0_o, frozen: begin}, pass: "<= 1"'
)
SINCE = criterion_phase('metric: c0, take: max, pass: "<= 1", over: [{since: begin}]')
WATCHED = guardrail_phase('metric: g0, take: mean, fail: "> 1", over: [{last: 2}]')


@pytest.mark.slow
@pytest.mark.parametrize(
    ("assumption", "phase", "steps"),
    [
        (where_looks_at_values, MEAN, [harm]),
        (the_window_ends_at_the_last_value, SPAN, [hole]),
        (the_scope_is_chosen_by_values, NEXT, [hole]),
        (a_take_gets_better_when_a_value_gets_worse, MEAN, [harm]),
        (holes_are_left_out, MAX, [hole]),
        (holes_do_not_cap, MAX, [hole]),
        (looks_that_cannot_be_judged_are_forgotten, RATE, [harm]),
        (looks_that_cannot_be_judged_are_forgotten, RATIO, [harm]),
        (lost_runs_left_nothing, SINCE, [lost_run]),
        (silent_checks_saw_nothing, BESIDE, [lost_report]),
        (groups_are_those_that_were_seen, LANES, [hole]),
        (the_begin_is_read_from_values, SINCE, [hole]),
        (a_baseline_is_what_is_known_of_it, FROZEN, [hole]),
        (a_trip_is_forgotten_when_blind, WATCHED, [hole]),
        (only_what_could_be_judged_is_folded, LANES, [hole]),
        (the_best_attempt_counts, PLAIN, [failing_attempt]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_judge_without_it_turns_another_decision_into_go(
    assumption: Patch, phase: str, steps: list[Step], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(phase)
    assumption(monkeypatch)
    find(pairs(plan, steps), lambda pair: turned(plan, *pair), settings=FOUND)


def turned(plan: Plan, world: World, worse: World) -> bool:
    """Whether the worse world is GO and the other is not."""
    return answer(plan, worse) is Answer.GO and answer(plan, world) is not Answer.GO


def answer(plan: Plan, world: World) -> Answer:
    return bare(plan, world, gate_of(plan)).answer
