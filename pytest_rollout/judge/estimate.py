"""One value from a slice: exact arithmetic on rationals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil, lcm

from pytest_rollout.judge.numbers import decimal
from pytest_rollout.model.evidence import Hole, Seen, Slot
from pytest_rollout.model.rule import Take, Taking

Weighted = list[tuple[Fraction, int, Slot]]


@dataclass(frozen=True, slots=True)
class Point:
    """A value, the number of opportunities behind it, and the slot that decided, if one did."""

    value: Fraction
    n: int
    slot: Slot | None = None


def weighted(seen: Iterable[Seen]) -> Weighted:
    """The values of the slots that hold one, with their counts, in the order of the slots."""
    return [
        (value, count, one.slot)
        for one in seen
        if not isinstance(one.value, Hole)
        for value, count in one.value
    ]


def estimate(values: Weighted, taking: Taking) -> Point | str:
    """The taken value, or why it cannot be taken; values stand in order of event time."""
    n = sum(count for _, count, _ in values)
    if n == 0:
        return "nothing was seen"
    match taking.take:
        case Take.COUNT:
            return Point(Fraction(n), n)
        case Take.SUM:
            return Point(_total(values), n, _worst_term(values))
        case Take.MEAN:
            return Point(_total(values) / n, n)
        case Take.RATE:
            return _rate(values, n)
        case Take.MIN:
            value, _, slot = min(values, key=lambda item: item[0])
            return Point(value, n, slot)
        case Take.MAX:
            value, _, slot = max(values, key=lambda item: item[0])
            return Point(value, n, slot)
        case Take.LAST:
            return _last(values, n)
        case Take.SHARE:
            return _share(values, n, taking)
        case Take.QUANTILE:
            return _quantile(values, n, taking)
        case Take.INCREASE:
            return Point(_increase(values), n)


def _increase(values: Weighted) -> Fraction:
    """The growth of a counter that starts again at zero where it falls."""
    steps = pairwise(value for value, _, _ in values)
    return sum((new - old if new >= old else new for old, new in steps), Fraction(0))


def _total(values: Weighted) -> Fraction:
    """Whole numbers are added, a denominator at a time: many times faster than fractions."""
    sums: dict[int, int] = {}
    for value, count, _ in values:
        below = value.denominator
        sums[below] = sums.get(below, 0) + value.numerator * count
    return sum((Fraction(above, below) for below, above in sums.items()), Fraction(0))


def ordered(values: Weighted) -> Weighted:
    """The values by size; equal ones in the order in which they came."""
    scale = lcm(*{value.denominator for value, _, _ in values})
    return sorted(values, key=lambda item: item[0].numerator * (scale // item[0].denominator))


def _worst_term(values: Weighted) -> Slot | None:
    """The first slot that contributes something, to be named in a reason."""
    return next((slot for value, _, slot in values if value.numerator), None)


def _rate(values: Weighted, n: int) -> Point | str:
    outside = next((v for v, _, _ in values if not 0 <= v.numerator <= v.denominator), None)
    if outside is not None:
        return f"a rate is of outcomes between 0 and 1, and {decimal(outside)} was observed"
    return Point(_total(values) / n, n, _worst_term(values))


def _last(values: Weighted, n: int) -> Point:
    slot = values[-1][2]
    newest = [(value, count, other) for value, count, other in values if other == slot]
    weight = sum(count for _, count, _ in newest)
    return Point(_total(newest) / weight, n, slot)


def _share(values: Weighted, n: int, taking: Taking) -> Point:
    assert taking.share_of is not None
    inside = sum(count for value, count, _ in values if taking.share_of.holds(value))
    return Point(Fraction(inside, n), n)


def _quantile(values: Weighted, n: int, taking: Taking) -> Point:
    """Nearest rank: of ten, the median is the fifth."""
    assert taking.quantile is not None
    rank = max(1, ceil(taking.quantile * n))
    passed = 0
    for value, count, slot in ordered(values):
        passed += count
        if passed >= rank:
            return Point(value, n, slot)
    raise AssertionError("a rank lies within n")
