"""The pairs of two sides by size: the one at a rank, found without making all of them.

What a value of the own side comes to with each of the other is in order already. So how many
pairs are below a bound is counted by one search for each value, and a sample of the pairs
gives bounds close around a rank, again and again, until few enough are left to be sorted
(Johnson and Mizoguchi 1978; bounds from a sample as Floyd and Rivest 1975).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import accumulate
from math import lcm, sqrt

from pytest_rollout.judge.outcomes import Weighted

_SAMPLE = 4096
_GOLDEN = (sqrt(5) - 1) / 2  # whose multiples spread evenly, and the judge draws no lots
_MARGIN = 4  # standard deviations of the sample's quantile


class Pairs:
    """Each value of one side with each of another: their difference, or their ratio.

    Of a ratio all values must be above zero.
    """

    def __init__(self, own: Weighted, other: Weighted, *, ratio: bool) -> None:
        values = (*own, *other)
        self._scale = lcm(*{value.denominator for value, _, _ in values})
        self._ratio = ratio
        self._own = _counted(own, self._scale)
        counted = _counted(other, self._scale)
        self._other = [value for value, _ in counted]  # in order, each once
        self._counts = [count for _, count in counted]
        self._above = [*reversed([0, *accumulate(reversed(self._counts))])]  # from each on
        self.n = sum(count for _, count in self._own) * self._above[0]

    def at(self, rank: int) -> Fraction:
        """Return the pair of a rank; the smallest has the first."""
        low: Fraction | None = None  # all that are wanted lie between
        high: Fraction | None = None
        below = 0  # pairs up to the lower bound
        few = (len(self._own) + len(self._other)) // 2 + _SAMPLE
        while True:
            ranges = [self._between(value, low, high) for value, _ in self._own]
            ends = [*accumulate(end - first for first, end in ranges)]
            if ends[-1] <= few:
                return self._sorted(ranges, rank - below)
            inside = (self._up_to(high, whole=False) if high is not None else self.n) - below
            for pivot in self._pivots(ranges, ends, (rank - below) / inside):
                less, most = self._up_to(pivot, whole=False), self._up_to(pivot, whole=True)
                if less < rank <= most:
                    return pivot
                if rank > most and (low is None or pivot > low):
                    low, below = pivot, most
                elif rank <= less and (high is None or pivot < high):
                    high = pivot

    def _pair(self, own: int, other: int) -> Fraction:
        return Fraction(own, other) if self._ratio else Fraction(own - other, self._scale)

    def _first(self, own: int, bound: Fraction, *, whole: bool) -> int:
        """The first value of the other side with which one is below a bound, or is it."""
        if self._ratio:
            above, below = own * bound.denominator, bound.numerator
            return (
                bisect_left(self._other, -(-above // below))
                if whole
                else bisect_right(self._other, above // below)
            )
        limit = own - bound.numerator * (self._scale // bound.denominator)
        return bisect_left(self._other, limit) if whole else bisect_right(self._other, limit)

    def _between(self, own: int, low: Fraction | None, high: Fraction | None) -> tuple[int, int]:
        """The places of the values with which one lies between two bounds."""
        first = 0 if high is None else self._first(own, high, whole=False)
        end = len(self._other) if low is None else self._first(own, low, whole=True)
        return first, max(first, end)

    def _up_to(self, bound: Fraction, *, whole: bool) -> int:
        """How many pairs are below a bound, or up to it."""
        above = self._above
        return sum(
            count * above[self._first(value, bound, whole=whole)] for value, count in self._own
        )

    def _pivots(
        self, ranges: list[tuple[int, int]], ends: list[int], share: float
    ) -> Iterator[Fraction]:
        """Bounds around the pair that has a share of those in some ranges below it."""
        sample: list[tuple[Fraction, int]] = []
        step = int(ends[-1] * _GOLDEN) | 1
        for place in (number * step % ends[-1] for number in range(_SAMPLE)):
            row = bisect_right(ends, place)
            value, count = self._own[row]
            other = ranges[row][1] - (ends[row] - place)
            sample.append((self._pair(value, self._other[other]), count * self._counts[other]))
        sample.sort()
        weights = [*accumulate(weight for _, weight in sample)]
        margin = _MARGIN * sqrt(share * (1 - share) / _SAMPLE) + 1 / _SAMPLE
        for near in (share - margin, share + margin):
            yield sample[min(bisect_left(weights, near * weights[-1]), _SAMPLE - 1)][0]

    def _sorted(self, ranges: list[tuple[int, int]], rank: int) -> Fraction:
        """The pair of a rank among those in some ranges."""
        left = sorted(
            (self._pair(value, self._other[place]), count * self._counts[place])
            for (value, count), (first, end) in zip(self._own, ranges, strict=True)
            for place in range(first, end)
        )
        return left[bisect_left([*accumulate(weight for _, weight in left)], rank)][0]


def _counted(values: Weighted, scale: int) -> list[tuple[int, int]]:
    """The values in order, each once, as whole multiples of one over a scale, with its count."""
    counts: Counter[int] = Counter()
    for value, count, _ in values:
        counts[value.numerator * (scale // value.denominator)] += count
    return sorted(counts.items())
