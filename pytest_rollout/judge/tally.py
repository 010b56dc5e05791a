"""What every take keeps of the samples of one slice, and what a judgement is made under.

A tally takes samples one by one, in order of event time. It gives the point and the interval,
says whether it fails, and knows which value to fill a hole with. Holes are filled before they
reach it: with what harms most, or with what helps most.
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm

from pytest_rollout.judge.intervals import Interval, band, banded
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import Slot
from pytest_rollout.model.rule import Rule, Scope, Take
from pytest_rollout.model.verdict import Verdict

BEYOND = Fraction(10**6000)  # more than anything that can be stored adds up to


@dataclass(frozen=True, slots=True)
class Terms:
    """What a rule is judged under, besides its slots."""

    zone: str
    level: float = 0.0  # of this look, where the rule states a confidence
    watched: bool = False  # a guardrail: looked at again and again
    looks: int = 1  # of the release, this one included
    again: bool = False  # whether the next run will be another look


@dataclass(frozen=True, slots=True)
class Point:
    """A value, the number of opportunities behind it, and the slot that decided, if one did."""

    value: Fraction
    n: int
    slot: Slot | None = None


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


class ExactSum:
    """The sum of values, exactly: whole numbers, a denominator at a time, not fractions."""

    def __init__(self) -> None:
        self._sums: dict[int, int] = {}
        self.first: Slot | None = None  # that contributed something

    def add(self, value: Fraction, count: int, slot: Slot) -> None:
        """Add a value some times."""
        above, below = value.numerator, value.denominator
        if above:
            self._sums[below] = self._sums.get(below, 0) + above * count
            self.first = self.first or slot

    @property
    def value(self) -> Fraction:
        """The sum so far."""
        scale = lcm(*self._sums)
        return Fraction(sum(a * (scale // below) for below, a in self._sums.items()), scale)


class Tally:
    """What is known of the samples so far. A take says how it takes one, and what its value is."""

    def __init__(self, rule: Rule, scope: Scope, terms: Terms) -> None:
        self.rule, self.scope, self.terms = rule, scope, terms
        self.n = 0

    def add(self, value: Fraction, count: int, slot: Slot) -> None:
        """Take in a value that was seen some times."""
        self.n += count
        self.take(value, count, slot)

    def fill(self, count: int, slot: Slot, *, harmful: bool) -> None:
        """Take in lost samples as what harms, or helps, most."""
        self.add(extreme(self.rule, harmful=harmful), count, slot)

    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        """Keep of a value what the take needs."""
        raise NotImplementedError

    def value(self) -> Fraction | None:
        """Return what is taken of at least one sample; None where nothing can be."""
        raise NotImplementedError

    def slot(self) -> Slot | None:
        """Return the slot that decided, if one did."""
        return None

    def point(self) -> Point | None:
        """Return what was taken; None where nothing can be."""
        value = self.value() if self.n else None
        return None if value is None else Point(value, self.n, self.slot())

    def interval(self) -> Interval | None:
        """Return the bounds at the level of this look; None where the take has none."""
        return None

    def fails(self) -> bool:
        """Return whether it fails: its value, its interval or, watched, its alarm."""
        if self.rule.confidence is not None:
            bound = self.interval()
            return bound is not None and banded(self.rule.bands, bound) is Verdict.FAIL
        value = self.value() if self.n else None
        return value is not None and band(self.rule.bands, value) is Verdict.FAIL

    @staticmethod
    def allowed(rule: Rule, n: int, level: float) -> int | None:
        """Return the most bad samples of ``n`` with which it passes; None where no number says."""
        return None


def extreme(rule: Rule, *, harmful: bool) -> Fraction:
    """Return the value that harms, or helps, a rule most."""
    upward = rule.bands.passes.upward is not harmful
    if rule.take.share_of is not None and not rule.take.share_of.upward:
        upward = not upward
    if rule.take.take is Take.RATE:
        return Fraction(upward)
    if rule.range is not None:
        return rule.range.high if upward else rule.range.low
    return BEYOND if upward else -BEYOND
