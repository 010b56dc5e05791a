"""Worlds that are supposed: as good, or as bad, as a rule alone allows anything to be.

Made of the rule, the phase and the environment, never of evidence, to ask the judge itself what
it would say: a rule that cannot fail at worst, or cannot pass at best, is a mistake of the plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
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
from pytest_rollout.model.rule import PerUnit, Range, Rule, ScopeKind, Streak, Take
from pytest_rollout.model.verdict import Verdict

RUN, CHECK = "supposed", "supposed::check"
ENOUGH = 100_000  # opportunities that decide, unless a plan asks for nearly the impossible
_NOON = 1_736_942_400_000_000  # of 2025-01-15 in UTC: when a phase without a date is judged
_SECOND, _HOUR, _DAY = 1_000_000, 3_600_000_000, 86_400_000_000
_MOST_SLOTS = 200
_SPREAD = 4  # slots over a stretch of time, so that some of them are old
_PAIRS = 60  # samples on each side of a comparison
_MOST_GROUPS = 64
_BUCKETS = {
    ScopeKind.DAYS: calendar.Bucketing.DAY,
    ScopeKind.NIGHTS: calendar.Bucketing.NIGHT,
    PerUnit.DAY: calendar.Bucketing.DAY,
    PerUnit.NIGHT: calendar.Bucketing.NIGHT,
}


@dataclass(frozen=True, slots=True)
class Supposed:
    """What is supposed of the samples of one rule with one scope."""

    rule: Rule
    good: bool
    slots: int  # a group's, in each slice or bucket
    weight: int = 1  # opportunities that each slot stands for


def tractable(rule: Rule) -> Rule:
    """The rule with at most some hundreds of looks in a row, which judge alike."""
    streak = rule.streak
    if streak is None or streak.n:
        return rule
    gap_us = max(streak.gap_us, streak.span_us // _MOST_SLOTS)
    return replace(rule, streak=Streak(span_us=streak.span_us, gap_us=gap_us, soak=streak.soak))


def supposing(rule: Rule, *, good: bool, filled: bool = True) -> Supposed:
    """As many samples as the rule's one scope can hold; unless ``filled``, as it needs at least."""
    scope = rule.scopes[0]
    need = rule.need if rule.per else scope.need
    counted = rule.take.take is Take.COUNT and not good  # the fewest are the worst
    if scope.kind is ScopeKind.LAST and rule.per is None:
        return Supposed(rule, good, need if counted or not filled else scope.last)
    if rule.tolerate is not None:
        need = max(need, rule.tolerate.failures + 1 + (rule.tolerate.in_a_row or 0))
    elif filled and rule.take.take is Take.COUNT and good:
        need = max(need, ceil(rule.bands.passes.limit) + 1)
    elif filled and (rule.confidence or not rule.in_theorem):
        need = max(need, _PAIRS if rule.versus else ENOUGH)
    slots = min(need, _MOST_SLOTS)
    if filled and scope.kind in (ScopeKind.SPAN, ScopeKind.SINCE) and (good or not counted):
        slots = max(slots, _SPREAD)
    return Supposed(rule, good, slots, ceil(need / slots))


def world_of(plan: Plan, phase: Phase, item: str, supposed: Supposed, environment: str) -> World:
    """The world in which the check of a criterion passed and everything is as supposed."""
    at_us = judged_at(plan, phase)
    reach = Reach(at_us, at_us - _length(plan, phase, supposed.rule), RUN, plan.timezone)
    reach = replace(reach, nights=plan.nights)
    moments = list(_moments(supposed, reach))
    first = min(t_us for t_us, _ in moments)
    begun = first if supposed.rule.per else min(first, reach.begun_us or first)
    reach = replace(reach, begun_us=begun - 1)
    seen: list[Seen] = []
    past: list[Seen] = []
    for group in _groups(supposed.rule):
        seen += _own(supposed, group, moments, at_us)
        other = _others(supposed, group, moments, reach)
        release = supposed.rule.versus.release if supposed.rule.versus else None
        past += [replace(one, release=release) for one in other] if release else []
        seen += [] if release else other
    return World(
        run=Run(RUN, environment, at_us - _HOUR, at_us, sealed=True),
        manifest=Manifest({item: (CHECK,)}),
        checks={CHECK: (Attempt(Verdict.PASS),)},
        seen=tuple(seen),
        head=Head(1, ""),
        begun_us=reach.begun_us,
        past=tuple(past),
    )


def judged_at(plan: Plan, phase: Phase) -> int:
    """When a phase is supposed to be judged: at its end."""
    window = calendar.phase_window(plan, phase)
    return calendar.to_us(window[1]) if window else _NOON


def length_of(plan: Plan, phase: Phase) -> int | None:
    """How long a phase lasts, in microseconds; None where it has no date."""
    window = calendar.phase_window(plan, phase)
    return calendar.to_us(window[1]) - calendar.to_us(window[0]) if window else None


def _length(plan: Plan, phase: Phase, rule: Rule) -> int:
    scope = rule.scopes[0]
    lasts = length_of(plan, phase)
    until = scope.span_us if scope.kind is ScopeKind.SINCE else 0
    return min(one for one in (lasts, until or None, None if lasts or until else _HOUR) if one)


def _moments(supposed: Supposed, reach: Reach) -> Iterator[tuple[int, str]]:
    """When the slots of a group happen, in order, and which run saw each."""
    rule, scope = supposed.rule, supposed.rule.scopes[0]
    if rule.per is not None and rule.per.unit is PerUnit.RUN:
        yield from _runs(supposed, reach)
    elif rule.per is not None or scope.kind in _BUCKETS:
        yield from _days(supposed, reach)
    elif rule.streak is not None:
        yield from _looks(rule.streak, supposed, reach)
    else:
        step, end = _SECOND, reach.at_us
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
    many, streak = _many(supposed.rule, _HOUR), supposed.rule.streak
    step = (streak.gap_us if streak else 0) or _HOUR // many
    for number in reversed(range(many)):
        run = f"{RUN}-{number}" if number else RUN
        yield from ((reach.at_us - number * step, run) for _ in range(supposed.slots))


def _days(supposed: Supposed, reach: Reach) -> Iterator[tuple[int, str]]:
    rule = supposed.rule
    kind = _BUCKETS[rule.per.unit if rule.per else rule.scopes[0].kind]
    many = _many(rule, _DAY)
    slots = supposed.slots if rule.per else ceil(supposed.slots / max(1, rule.scopes[0].last))
    for bucket in calendar.newest(kind, reach.zone, reach.nights, many, reach.at_us):
        step = (bucket.end_us - bucket.start_us) // (slots + 1)
        yield from ((bucket.start_us + (1 + number) * step, RUN) for number in range(slots))


def _many(rule: Rule, bucket_us: int) -> int:
    """How many buckets the scope and the row want."""
    scope, streak = rule.scopes[0], rule.streak
    row = 1
    if streak is not None:
        row = streak.n or ceil(streak.span_us / min(streak.gap_us, bucket_us)) + 1
    if rule.per is None:
        return scope.last + row - 1
    return max(scope.need, scope.last, row)


def _looks(streak: Streak, supposed: Supposed, reach: Reach) -> Iterator[tuple[int, str]]:
    scope = supposed.rule.scopes[0]
    step = streak.gap_us or _SECOND
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
    late = rule.scopes[0].kind is ScopeKind.AGE  # happened long ago, seen by this run
    for number, (t_us, run) in enumerate(moments):
        slot = Slot(rule.metric, labels, t_us, number)
        yield Seen(slot, ((value, supposed.weight),), at_us if late else t_us, run)
    for each in rule.each:
        if each.source:
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
    begun = reach.begun_us or reach.at_us
    return [
        Seen(Slot(versus.metric, labels, at, len(moments) + number), ((value, 1),), at, run)
        for number, (t_us, run) in enumerate(moments)
        for at in [begun - number * _SECOND if versus.frozen else t_us]
    ]


def values(rule: Rule, *, good: bool) -> tuple[Fraction, Fraction]:
    """The most that a sample can help, or harm, and the same of the other side."""
    large = rule.bands.passes.upward is good
    low, high = _ends(rule)
    cut = rule.take.share_of
    if cut is not None and not cut.upward:  # inside of the cut are its small values
        low, high = high, low
    versus = rule.versus
    divided = versus is not None and (versus.ratio or versus.kayenta)
    if divided and rule.take.take is not Take.SHARE:
        one = Fraction(1) if rule.take.take is not Take.RATE else Fraction(1, 1000)
        return (high if large else Fraction(0) if rule.take.take is Take.RATE else 1 / high), one
    return (high, low) if large else (low, high)


def _ends(rule: Rule) -> tuple[Fraction, Fraction]:
    """The least and the greatest value that a sample can have."""
    if rule.take.take is Take.RATE:
        return Fraction(0), Fraction(1)
    stated: Range | None = rule.range
    if stated is not None:
        return stated.low, stated.high
    bands = rule.bands
    sizes = [abs(c.limit) for c in (bands.passes, bands.warn, bands.fail, rule.take.share_of) if c]
    far = 1000 * (1 + sum(sizes, Fraction(0)))
    return -far, far
