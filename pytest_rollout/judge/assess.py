"""What the values of one slice are worth: the taken value, its bounds, and where they lie."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from pytest_rollout.judge import bounds, kayenta, versus
from pytest_rollout.judge.bounds import Interval
from pytest_rollout.judge.estimate import Point, Weighted, estimate, weighted
from pytest_rollout.model.evidence import Hole, Labels, Seen
from pytest_rollout.model.rule import Bands, Rule, ScopeKind
from pytest_rollout.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Terms:
    """What a rule is judged under, besides its slots."""

    zone: str
    level: float = 0.0  # of this look, where the rule states a confidence
    watched: bool = False  # a guardrail: looked at again and again
    other: Mapping[Labels, Sequence[Seen]] = field(default_factory=dict)  # the other side


@dataclass(frozen=True, slots=True)
class Assessed:
    """A verdict on values that are all there, and what it rests on."""

    verdict: Verdict
    point: Point
    bound: Interval | None = None
    difference: Fraction | None = None

    @property
    def value(self) -> Fraction:
        """What the cuts are applied to."""
        return self.point.value if self.difference is None else self.difference


def band(bands: Bands, value: Fraction) -> Verdict:
    """Where a value lies: pass, warn, fail, or hold between pass and fail."""
    if bands.passes.holds(value):
        return Verdict.WARN if bands.warn and bands.warn.holds(value) else Verdict.PASS
    if bands.fail is None or bands.fail.holds(value):
        return Verdict.FAIL
    return Verdict.HOLD


def banded(bands: Bands, seen: Interval) -> Verdict:
    """Where an interval lies; inconclusive where it lies on both sides of a cut."""
    if bounds.inside(bands.passes, seen):
        touched = bands.warn is not None and bounds.touches(bands.warn, seen)
        return Verdict.WARN if touched else Verdict.PASS
    if bands.fail is None:
        return Verdict.INCONCLUSIVE if bounds.touches(bands.passes, seen) else Verdict.FAIL
    if bounds.inside(bands.fail, seen):
        return Verdict.FAIL
    between = not bounds.touches(bands.passes, seen) and not bounds.touches(bands.fail, seen)
    return Verdict.HOLD if between else Verdict.INCONCLUSIVE


def assess(
    rule: Rule, group: Labels, seen: Iterable[Seen], terms: Terms, kind: ScopeKind
) -> Assessed | str:
    """The verdict on the values of a group, or why they have none; holes are left out."""
    values = weighted(seen)
    if rule.tolerate is not None:
        return _tolerated(rule, values)
    point = estimate(values, rule.take)
    if isinstance(point, str):
        return point
    difference: Fraction | None = None
    others: Weighted = []
    if rule.versus is not None:
        others = weighted(terms.other.get(group, ()))
        if rule.versus.kayenta:
            return _by_kayenta(rule, values, others, point)
        other = estimate(others, rule.take)
        found = other if isinstance(other, str) else versus.difference(rule, point, other)
        if isinstance(found, str):
            return f"of the other side {found}" if isinstance(other, str) else found
        difference = found
    if rule.confidence is None:
        value = point.value if difference is None else difference
        return Assessed(band(rule.bands, value), point, None, difference)
    if terms.watched:
        alarm = bounds.alarms(rule, values, kind, terms.level)
        if isinstance(alarm, str):
            return alarm
        return Assessed(Verdict.FAIL if alarm else Verdict.PASS, point)
    seen_in = (
        bounds.interval(values, rule.take, terms.level, rule.range)
        if difference is None
        else versus.shift(rule, values, others, terms.level)
    )
    if isinstance(seen_in, str):
        return seen_in
    return Assessed(banded(rule.bands, seen_in), point, seen_in, difference)


def _by_kayenta(rule: Rule, values: Weighted, others: Weighted, point: Point) -> Assessed | str:
    """Failed where the test finds a harmful shift, unless the ratio of means is allowed."""
    if not others:
        return "of the other side nothing was seen"
    found = kayenta.classify(values, others)
    if isinstance(found, str):
        return found
    shifted = found.low if rule.bands.passes.upward else found.high
    allowed = found.effect is not None and rule.bands.passes.holds(found.effect)
    verdict = Verdict.FAIL if shifted and not allowed else Verdict.PASS
    return Assessed(verdict, point, Interval(None, None, kayenta.METHOD), found.effect)


def _tolerated(rule: Rule, values: Weighted) -> Assessed | str:
    """Each value by itself; bad ones are counted, in all and one after the other."""
    assert rule.tolerate is not None
    if not values:
        return "nothing was seen"
    bad = most = row = 0
    first = None
    for value, count, slot in values:
        if band(rule.bands, value) in (Verdict.PASS, Verdict.WARN):
            row = 0
            continue
        bad, row = bad + count, row + count
        most, first = max(most, row), first or slot
    limit = rule.tolerate.in_a_row
    over = bad > rule.tolerate.failures or (limit is not None and most > limit)
    n = sum(count for _, count, _ in values)
    return Assessed(Verdict.FAIL if over else Verdict.PASS, Point(Fraction(bad), n, first))


def is_hole(seen: Seen) -> bool:
    """Whether a slot should hold a value and does not."""
    return isinstance(seen.value, Hole)
