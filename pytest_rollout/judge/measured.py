"""What rules judged, as curves over time: for people to see, and nothing is decided by it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from itertools import accumulate

from pytest_rollout import calendar
from pytest_rollout.judge.case import Case
from pytest_rollout.judge.rules import sides_of
from pytest_rollout.judge.series import Sides, resolved
from pytest_rollout.judge.slices import Reach, slices
from pytest_rollout.model.evidence import Hole, Seen, exact
from pytest_rollout.model.finding import Finding, Labels, Part
from pytest_rollout.model.mutation import wilson
from pytest_rollout.model.plan import Criterion, Guardrail
from pytest_rollout.model.rule import Cut, Rule, Take
from pytest_rollout.model.story import Curve, CurvePoint, Drawn, Measured

MOST_POINTS = 200
MOST_CURVES = 60  # groups of one rule
_LARGEST = 10**15  # of what is drawn


def measured(case: Case, stated: Criterion | Guardrail, finding: Finding) -> tuple[Measured, ...]:
    """Return what each rule of a criterion or guardrail judged; none where it has no rule."""
    rules = stated.rules if isinstance(stated, Guardrail) else (stated.rule,)
    max_age_us = None if isinstance(stated, Guardrail) else stated.max_age_us
    return tuple(
        _of_rule(rule, case, finding, case.oldest_us(max_age_us), isinstance(stated, Guardrail))
        for rule in rules
        if rule is not None and rule.versus is None
    )


def _of_rule(stated: Rule, case: Case, finding: Finding, oldest_us: int, rail: bool) -> Measured:
    rule = resolved(stated, case)
    taken = {part.subject.labels: part for part in finding.parts if part.estimate is not None}
    by_group = _judged(rule, case, oldest_us)
    curves = tuple(
        _curve(rule, group, items, taken.get(group)) for group, items in by_group.items()
    )
    bands = rule.bands
    return Measured(
        rule.metric,
        rule.take.text,
        _drawn(rule),
        rule.unit,
        passes=None if rail else bands.passes,
        fails=bands.fail,
        curves=curves[:MOST_CURVES],
    )


def _drawn(rule: Rule) -> Drawn:
    if rule.take.take in (Take.RATE, Take.SHARE):
        return Drawn.SHARE
    return Drawn.TOTAL if rule.take.take is Take.SUM and rule.per is None else Drawn.VALUES


def _judged(rule: Rule, case: Case, oldest_us: int) -> Mapping[Labels, Sequence[Seen]]:
    """The samples of each group: those in scope, or all where looks have edges of their own."""
    groups = sides_of(rule, case, oldest_us)
    if rule.per is not None or rule.streak is not None:
        return {group: _before(sides, case.at_us) for group, sides in groups.items()}
    judged, _ = slices(rule, groups, Reach.of(case))
    return {slice_.group: slice_.own for slice_ in judged}


def _before(sides: Sides, at_us: int) -> Sequence[Seen]:
    return sides.own.between(None, at_us)


def _curve(rule: Rule, group: Labels, items: Sequence[Seen], part: Part | None) -> Curve:
    drawn = _drawn(rule)
    estimate = part.estimate if part else None
    at = estimate.at if estimate else None
    return Curve(
        group,
        tuple(thinned(_POINTS[drawn](items, rule.take.share_of))),
        sum(_weight(item) for item in items),
        _number(estimate.value) if estimate else None,
        calendar.to_us(datetime.fromisoformat(at)) if at else None,
    )


def _number(text: str) -> Fraction | None:
    try:
        return exact(text)
    except ValueError:
        return None


def _drawable(value: Fraction) -> float | None:
    """A number as it is drawn; None of one that no page has room for."""
    return float(value) if abs(value) < _LARGEST else None


def _weight(item: Seen) -> int:
    if isinstance(item.value, Hole):
        return item.value.n or 1
    return sum(count for _, count in item.value)


def _values(items: Iterable[Seen], _: Cut | None) -> list[CurvePoint]:
    """Each sample as it was seen; of a slot with several its smallest and largest."""
    points = []
    for item in items:
        if isinstance(item.value, Hole):
            points.append(CurvePoint(item.slot.t_us, None))
            continue
        values = [value for value, _ in item.value]
        ends = {_drawable(min(values)), _drawable(max(values))}
        points += [CurvePoint(item.slot.t_us, value) for value in ends]
    return points


def _shares(items: Iterable[Seen], of: Cut | None) -> list[CurvePoint]:
    """The share by each sample, with Wilson's interval at 95 %; holes are left out of it.

    It is of the samples that ``of`` holds for; without it each sample is 0 or 1 itself.
    """
    points, reached, n = [], 0.0, 0
    for item in items:
        if isinstance(item.value, Hole):
            points.append(CurvePoint(item.slot.t_us, None))
            continue
        reached += sum(
            float(of.holds(value) if of else value) * count for value, count in item.value
        )
        n += sum(count for _, count in item.value)
        low, high = wilson(reached, n)
        points.append(CurvePoint(item.slot.t_us, reached / n, low, high))
    return points


def _totals(items: Sequence[Seen], _: Cut | None) -> list[CurvePoint]:
    known = [item for item in items if not isinstance(item.value, Hole)]
    added = (
        sum((_drawable(value) or 0.0) * count for value, count in item.value)
        for item in known
        if not isinstance(item.value, Hole)
    )
    sums = zip(known, accumulate(added), strict=True)
    points = [CurvePoint(item.slot.t_us, total) for item, total in sums]
    points += [CurvePoint(i.slot.t_us, None) for i in items if isinstance(i.value, Hole)]
    return sorted(points, key=lambda point: point.at_us)


_POINTS = {Drawn.VALUES: _values, Drawn.SHARE: _shares, Drawn.TOTAL: _totals}


def thinned(points: Sequence[CurvePoint], most: int = MOST_POINTS) -> Iterator[CurvePoint]:
    """Yield at most so many points: of each stretch the smallest, the largest, and one hole."""
    if len(points) <= most:
        yield from points
        return
    stretches = most // 3
    for number in range(stretches):
        first = number * len(points) // stretches
        part = points[first : (number + 1) * len(points) // stretches]
        known = [point for point in part if point.value is not None]
        holes = [point for point in part if point.value is None][:1]
        ends = {id(curve_point): curve_point for curve_point in (*_ends(known), *holes)}
        yield from sorted(ends.values(), key=lambda point: point.at_us)


def _ends(points: Sequence[CurvePoint]) -> tuple[CurvePoint, ...]:
    if not points:
        return ()
    return min(points, key=_value), max(points, key=_value)


def _value(point: CurvePoint) -> float:
    return point.value or 0.0
