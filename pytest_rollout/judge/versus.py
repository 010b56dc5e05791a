"""One series against another: the difference, or the ratio, and its bounds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from statistics import NormalDist

from pytest_rollout.judge.bounds import Interval, outward
from pytest_rollout.judge.estimate import Point, Weighted
from pytest_rollout.model.rule import Rule, Take

MOST_PAIRS = 2_000_000
TOO_MANY = "too many values to compare in pairs: take a share or a rate"
_EXACT_PAIRS = 2_500


def difference(rule: Rule, point: Point, other: Point) -> Fraction | str:
    """The value less the other side's, or divided by it."""
    assert rule.versus is not None
    if not rule.versus.ratio:
        return point.value - other.value
    if other.value <= 0 or point.value < 0:
        return "a ratio needs values above zero"
    return point.value / other.value


def shift(rule: Rule, values: Weighted, others: Weighted, a: float) -> Interval | str:
    """The bounds of the difference."""
    assert rule.versus is not None
    if rule.take.take in (Take.RATE, Take.SHARE):
        return _newcombe(rule, values, others, a)
    one, other = spread(values), spread(others)
    m, n = len(one), len(other)
    if m * n > MOST_PAIRS:
        return TOO_MANY
    rank = _lowest_rank(m, n, a)
    if rule.versus.ratio:
        if min(one) <= 0 or min(other) <= 0:
            return "a ratio needs values above zero"
        ratios = sorted(x / y for x in one for y in other)
        return _ranked(ratios[rank - 1] if rank else None, ratios[-rank] if rank else None)
    ordered, scale = pairs(one, other)
    low = Fraction(ordered[rank - 1], scale) if rank else None
    return _ranked(low, Fraction(ordered[-rank], scale) if rank else None)


def _ranked(low: Fraction | None, high: Fraction | None) -> Interval:
    return Interval(low, high, "Hodges-Lehmann")


def spread(values: Weighted) -> list[Fraction]:
    """Every value as often as it counts."""
    return [value for value, count, _ in values for _ in range(count)]


def pairs(one: Sequence[Fraction], other: Sequence[Fraction]) -> tuple[list[int], int]:
    """Every difference of a value and another, in order (Hodges and Lehmann 1963), and its unit.

    The differences are whole multiples of one over the unit: whole numbers are sorted in a
    tenth of the time that fractions take.
    """
    scale = math.lcm(*(value.denominator for value in (*one, *other)))
    left = [value.numerator * (scale // value.denominator) for value in one]
    right = [value.numerator * (scale // value.denominator) for value in other]
    return sorted(x - y for x in left for y in right), scale


def _lowest_rank(m: int, n: int, a: float) -> int:
    """The largest k such that the k-th smallest difference is above the shift at most with ``a``.

    From the distribution of Mann and Whitney's U; 0 where even the smallest is not surely
    below. For many pairs by its normal approximation, a rank lower to be safe.
    """
    if m * n > _EXACT_PAIRS:
        z = NormalDist().inv_cdf(a)
        return max(0, math.floor(m * n / 2 + z * math.sqrt(m * n * (m + n + 1) / 12)) - 1)
    total, passed = math.comb(m + n, m), 0
    for u, orders in enumerate(ways(m, n)):
        passed += orders
        if passed > a * total:
            return u
    return m * n


def ways(m: int, n: int) -> list[int]:
    """How many orders of m and n values have each U: the Gaussian binomial coefficients."""
    found = [1] + [0] * (m * n)
    for k in range(1, m + 1):
        for u in range(m * n, n + k - 1, -1):
            found[u] -= found[u - n - k]
        for u in range(k, m * n + 1):
            found[u] += found[u - k]
    return found


def _newcombe(rule: Rule, values: Weighted, others: Weighted, a: float) -> Interval | str:
    """The bounds of a difference of two shares (Newcombe 1998, method 10)."""
    assert rule.versus is not None
    if rule.versus.ratio:
        return "the ratio of two rates has no bound here: compare their difference"
    one, other = _successes(rule, values), _successes(rule, others)
    if isinstance(one, str) or isinstance(other, str):
        return "a rate has a bound where every outcome is 0 or 1"
    p, (p_low, p_high) = one[0] / one[1], _wilson(*one, a)
    q, (q_low, q_high) = other[0] / other[1], _wilson(*other, a)
    low = p - q - math.hypot(p - p_low, q_high - q)
    high = p - q + math.hypot(p_high - p, q - q_low)
    return Interval(outward(low, up=False), outward(high, up=True), "Newcombe")


def _successes(rule: Rule, values: Weighted) -> tuple[int, int] | str:
    cut = rule.take.share_of
    if cut is None and any(value not in (0, 1) for value, _, _ in values):
        return "not 0 or 1"
    good = sum(c for value, c, _ in values if (cut.holds(value) if cut else value))
    return good, sum(count for _, count, _ in values)


def _wilson(s: int, n: int, a: float) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927)."""
    z = NormalDist().inv_cdf(1 - a)
    p = s / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)
