"""Worlds that are supposed: as good, or as bad, as a rule alone allows anything to be.

Made of the rule, the phase and the environment, never of evidence, to ask the judge itself what
it would say: a rule that cannot fail at worst, or cannot pass at best, is a mistake of the plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import ceil

from pytest_rollout import calendar
from pytest_rollout.judge.slices import Reach
from pytest_rollout.model.evidence import (
    Attempt,
    Head,
    Manifest,
    Run,
    Seen,
    Slot,
    World,
    labels_of,
)
from pytest_rollout.model.finding import Labels
from pytest_rollout.model.plan import Phase, Plan
from pytest_rollout.model.rule import PREVIOUS, PerUnit, Rule, ScopeKind, Streak, Take
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.soundness.sample_sets import (
    HOUR,
    SECOND,
    Supposed,
    buckets,
    other_sample,
    values,
)

RUN, CHECK = "supposed", "supposed::check"
_NOON = 1_736_942_400_000_000  # of 2025-01-15 in UTC: when a phase without a date is judged
_MOST_GROUPS = 64
_BUCKETS = {
    ScopeKind.DAYS: calendar.Bucketing.DAY,
    ScopeKind.NIGHTS: calendar.Bucketing.NIGHT,
    PerUnit.DAY: calendar.Bucketing.DAY,
    PerUnit.NIGHT: calendar.Bucketing.NIGHT,
}


def world_of(plan: Plan, phase: Phase, item: str, supposed: Supposed, environment: str) -> World:
    """Return the world in which the check of a criterion passed and all is as supposed."""
    at_us = judged_at(plan, phase)
    reach = Reach(at_us, at_us - _length(plan, phase, supposed.rule), RUN, plan.timezone)
    reach = replace(reach, nights=plan.nights)
    moments = list(_moments(supposed, reach))
    first = min(t_us for t_us, _ in moments)
    begun = first if supposed.rule.per else min(first, reach.begun_us or first)
    reach = replace(reach, begun_us=begun - 1)
    release = supposed.rule.versus.release if supposed.rule.versus else None
    seen: list[Seen] = []
    past: list[Seen] = []
    for group in _groups(supposed.rule):
        seen += _own(supposed, group, moments, at_us)
        other_side = _others(supposed, group, moments, reach)
        past += [replace(item, release=release) for item in other_side] if release else []
        seen += [] if release else other_side
    return World(
        run=Run(RUN, environment, at_us - HOUR, at_us, sealed=True),
        manifest=Manifest({item: (CHECK,)}),
        checks={CHECK: (Attempt(Verdict.PASS),)},
        seen=tuple(seen),
        head=Head(1, ""),
        begun_us=reach.begun_us,
        past=tuple(past),
        previous=release if release == PREVIOUS else None,
    )


def judged_at(plan: Plan, phase: Phase) -> int:
    """Return when a phase is supposed to be judged: at its end, in microseconds."""
    window = calendar.phase_window(plan, phase)
    return calendar.to_us(window[1]) if window else _NOON


def length_of(plan: Plan, phase: Phase) -> int | None:
    """Return how long a phase lasts, in microseconds; None where it has no date."""
    window = calendar.phase_window(plan, phase)
    return calendar.to_us(window[1]) - calendar.to_us(window[0]) if window else None


def _length(plan: Plan, phase: Phase, rule: Rule) -> int:
    scope = rule.scopes[0]
    lasts = length_of(plan, phase)
    until = scope.span_us if scope.kind is ScopeKind.SINCE else 0
    return min((length for length in (lasts, until) if length), default=HOUR)


def _moments(supposed: Supposed, reach: Reach) -> Iterator[tuple[int, str]]:
    """When the slots of a group happen, in order, and which run saw each."""
    rule, scope = supposed.rule, supposed.rule.scopes[0]
    if rule.per is not None and rule.per.unit is PerUnit.RUN:
        yield from _runs(supposed, reach)
    elif rule.per is not None or scope.kind in _BUCKETS:
        yield from _in_buckets(supposed, reach)
    elif rule.streak is not None:
        yield from _looks(rule.streak, supposed, reach)
    else:
        step, end = SECOND, reach.at_us
        if scope.kind is ScopeKind.SPAN:
            step = max(1, scope.span_us // (supposed.slots + 1))
        elif scope.kind is ScopeKind.SINCE:
            assert reach.begun_us is not None
            step = max(1, (reach.at_us - reach.begun_us) // (supposed.slots + 1))
            end -= step
        elif scope.kind is ScopeKind.AGE:
            end -= scope.span_us
        yield from ((end - number * step, RUN) for number in reversed(range(supposed.slots)))


def _runs(supposed: Supposed, reach: Reach) -> Iterator[tuple[int, str]]:
    many, streak = buckets(supposed.rule), supposed.rule.streak
    step = (streak.gap_us if streak else 0) or HOUR // many
    for number in reversed(range(many)):
        run = f"{RUN}-{number}" if number else RUN
        yield from ((reach.at_us - number * step, run) for _ in range(supposed.slots))


def _in_buckets(supposed: Supposed, reach: Reach) -> Iterator[tuple[int, str]]:
    """Within the newest days, nights or spans that are over."""
    rule = supposed.rule
    slots = supposed.slots if rule.per else ceil(supposed.slots / max(1, rule.scopes[0].last))
    for bucket in _buckets(rule, reach):
        step = (bucket.end_us - bucket.start_us) // (slots + 1)
        yield from ((bucket.start_us + (1 + number) * step, RUN) for number in range(slots))


def _buckets(rule: Rule, reach: Reach) -> tuple[calendar.Bucket, ...]:
    if rule.per is not None and rule.per.unit is PerUnit.SPAN:
        length = rule.per.length_us
        last = reach.at_us // length * length
        return calendar.span_buckets(length, last - buckets(rule) * length, last)
    kind = _BUCKETS[rule.per.unit if rule.per else rule.scopes[0].kind]
    return calendar.newest(kind, reach.zone, reach.nights, buckets(rule), reach.at_us)


def _looks(streak: Streak, supposed: Supposed, reach: Reach) -> Iterator[tuple[int, str]]:
    scope = supposed.rule.scopes[0]
    step = streak.gap_us or SECOND
    if scope.kind is ScopeKind.SPAN:
        step = min(step, max(1, scope.span_us // (supposed.slots + 1)))
    many = (streak.n or streak.span_us // step + 1) + supposed.slots
    yield from ((reach.at_us - number * step, RUN) for number in reversed(range(many)))


def _groups(rule: Rule) -> list[Labels]:
    """The expected groups, by their names or by names for those that are only counted."""
    labels = [
        [(each.label, name) for name in each.names]
        or [(each.label, f"{each.label} {number + 1}") for number in range(each.at_least)]
        for each in rule.each
    ]
    return [
        tuple(sorted(pairs))
        for pairs, _ in zip(product(*labels), range(_MOST_GROUPS), strict=False)
    ]


def _own(
    supposed: Supposed, group: Labels, moments: list[tuple[int, str]], at_us: int
) -> Iterator[Seen]:
    rule = supposed.rule
    labels = labels_of({**rule.where, **dict(group)})
    value = values(rule, good=supposed.good)[0]
    counter = rule.take.take is Take.INCREASE  # its value is what it grows by each time
    late = rule.scopes[0].kind is ScopeKind.AGE  # happened long ago, seen by this run
    for number, (t_us, run) in enumerate(moments):
        slot = Slot(rule.metric, labels, t_us, number)
        held = value * number if counter else value
        yield Seen(slot, ((held, supposed.weight),), at_us if late else t_us, run)
    for each in rule.each:
        if each.source not in (None, rule.metric):  # a series may name its own groups
            named = labels_of({each.label: dict(group)[each.label]})
            yield Seen(Slot(each.source, named, at_us), ((Fraction(1), 1),), at_us, RUN)


def _others(
    supposed: Supposed, group: Labels, moments: list[tuple[int, str]], reach: Reach
) -> list[Seen]:
    """The other side of a comparison; none where a series is compared with itself."""
    rule = supposed.rule
    versus = rule.versus
    if versus is None:
        return []
    labels = labels_of({**versus.where, **dict(group)})
    apart = versus.frozen or versus.release
    if not apart and (versus.metric, versus.where) == (rule.metric, rule.where):
        return []
    value = values(rule, good=supposed.good)[1]
    counter = rule.take.take is Take.INCREASE
    begun = (reach.begun_us or reach.at_us) - len(moments) * SECOND
    samples = []
    for number, (t_us, run) in enumerate(moments):
        at = begun + number * SECOND if versus.frozen else t_us
        slot = Slot(versus.metric, labels, at, len(moments) + number)
        held = other_sample(rule, value * number if counter else value, supposed.weight)
        samples.append(Seen(slot, held, at, run))
    return samples
