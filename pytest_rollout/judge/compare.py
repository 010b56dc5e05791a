"""One series against another: the difference, or the ratio, and its bounds."""

from __future__ import annotations

import math
from fractions import Fraction
from statistics import NormalDist

from pytest_rollout.judge.intervals import Interval, outward
from pytest_rollout.judge.outcomes import Weighted
from pytest_rollout.judge.ranks import Pairs
from pytest_rollout.judge.slices import Slice
from pytest_rollout.judge.takes import filled, tallied, weighted
from pytest_rollout.judge.tally import BEYOND, Point, Terms
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.rule import Rule, Take

NO_RATIO = Reason("ratio-of-nothing")
_EXACT_PAIRS = 2_500


@dataclass(frozen=True, slots=True)
class Compared:
    """The own side's point, the difference or ratio, and its bounds if a confidence is asked."""

    point: Point
    difference: Fraction
    bound: Interval | None = None


def compare(
    rule: Rule, slice_: Slice, terms: Terms, *, harmful: bool | None = None
) -> Compared | Reason:
    """Return how the two sides of a slice differ, or why they cannot be compared.

    Holes of the own side are left out, or filled with what harms or helps most. A reason
    depends on values only where the other side is not above zero and a ratio is asked.
    """
    assert rule.versus is not None
    own = tallied(rule, slice_.own, slice_.scope, terms, harmful=harmful).point()
    other = tallied(rule, slice_.other, slice_.scope, terms).point()
    if own is None or other is None:
        return Reason("nothing", {"other": own is not None})
    if not rule.versus.ratio:
        difference = own.value - other.value
    elif other.value <= 0:
        return NO_RATIO
    else:
        difference = own.value / other.value
    if rule.confidence is None:
        return Compared(own, difference)
    bound = _bound(rule, slice_, terms, harmful=harmful)
    return bound if isinstance(bound, Reason) else Compared(own, difference, bound)


def _bound(rule: Rule, slice_: Slice, terms: Terms, *, harmful: bool | None) -> Interval | Reason:
    others = weighted(slice_.other)
    values = _near(rule, weighted(filled(rule, slice_.own, harmful=harmful)), others)
    return shift(rule, values, others, terms.level)


def _near(rule: Rule, values: Weighted, others: Weighted) -> Weighted:
    """The values with what stands for lost ones drawn near, but still beyond every other pair.

    Each pair is a number of its own, and a million numbers of 6000 digits take gigabytes.
    """
    if all(abs(value) < BEYOND for value, _, _ in values):
        return values
    bands = rule.bands
    limits = [abs(cut.limit) for cut in (bands.passes, bands.warn, bands.fail) if cut]
    sizes = [abs(value) for value, _, _ in (*values, *others) if abs(value) < BEYOND]
    most = 1 + max([*limits, *sizes])
    least = min((value for value, _, _ in others if value > 0), default=Fraction(1))
    far = 4 * most * most / min(least, Fraction(1))  # also where a ratio is asked
    return [
        (value if abs(value) < BEYOND else far if value > 0 else -far, count, slot)
        for value, count, slot in values
    ]


def shift(rule: Rule, values: Weighted, others: Weighted, a: float) -> Interval | Reason:
    """Return the bounds of the difference, or of the ratio."""
    assert rule.versus is not None
    if rule.take.take in (Take.RATE, Take.SHARE):
        return _newcombe(rule, values, others, a)
    m, n = (sum(count for _, count, _ in side) for side in (values, others))
    rank = _lowest_rank(m, n, a)
    if rule.versus.ratio and min(value for value, _, _ in (*values, *others)) <= 0:
        return NO_RATIO
    if not rank:
        return _ranked(None, None)
    pairs = Pairs(values, others, ratio=rule.versus.ratio)
    return _ranked(pairs.at(rank), pairs.at(m * n + 1 - rank))


def _ranked(low: Fraction | None, high: Fraction | None) -> Interval:
    return Interval(low, high, "Hodges-Lehmann")


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
    """Return how many orders of m and n values have each U: the Gaussian binomials."""
    counts = [1] + [0] * (m * n)
    for k in range(1, m + 1):
        for u in range(m * n, n + k - 1, -1):
            counts[u] -= counts[u - n - k]
        for u in range(k, m * n + 1):
            counts[u] += counts[u - k]
    return counts


def _newcombe(rule: Rule, values: Weighted, others: Weighted, a: float) -> Interval | Reason:
    """The bounds of a difference of two shares (Newcombe 1998, method 10)."""
    assert rule.versus is not None
    if rule.versus.ratio:
        return Reason("no-bound-of-ratio")
    own, other = _successes(rule, values), _successes(rule, others)
    p, (p_low, p_high) = own[0] / own[1], _wilson(*own, a)
    q, (q_low, q_high) = other[0] / other[1], _wilson(*other, a)
    low = p - q - math.hypot(p - p_low, q_high - q)
    high = p - q + math.hypot(p_high - p, q - q_low)
    return Interval(outward(low, up=False), outward(high, up=True), "Newcombe")


def _successes(rule: Rule, values: Weighted) -> tuple[int, int]:
    cut = rule.take.share_of
    good = sum(count for value, count, _ in values if (cut.holds(value) if cut else value))
    return good, sum(count for _, count, _ in values)


def _wilson(s: int, n: int, a: float) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927)."""
    z = NormalDist().inv_cdf(1 - a)
    p = s / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)
