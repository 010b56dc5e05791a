"""Kayenta's rule, for those who come from it: a test of ranks, a tolerance, an effect size.

NetflixACAJudge-v1.0 at its fixed confidence of 0.98 and tolerance of 0.25, without its search
for roots and its noise: the estimate is the median of all differences, and the test is made at
the tolerance. Not covered by the theorem: the tolerance grows with the estimate, so a worse
value can turn a failure into a pass. No criterion that is hard may rest on it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from fractions import Fraction
from math import lcm

from pytest_rollout.judge.outcomes import Weighted
from pytest_rollout.judge.ranks import Pairs
from pytest_rollout.late_dataclass import dataclass

METHOD = "Kayenta, outside the theorem"

_Z = Fraction("2.326347874")  # the normal quantile of (1 + 0.98) / 2


@dataclass(frozen=True, slots=True)
class Classified:
    """What the test says of a canary: high, low or neither, and the ratio of means if any."""

    high: bool
    low: bool
    effect: Fraction | None


def classify(values: Weighted, others: Weighted) -> Classified:
    """Return whether values are shifted from others by more than a quarter of the median shift.

    Mann and Whitney's statistic with correction for ties and continuity, as Kayenta has it.
    """
    own, other = _spread(values), _spread(others)
    base, mean = _mean(other), _mean(own)
    differences = Pairs(values, others, ratio=False)
    scale = lcm(*{value.denominator for value in (*own, *other)})
    # In eighths of the unit the values and the tolerance, a quarter of the median, are whole.
    low, high = map(differences.at, _middle(differences.n))
    by = int(abs(low + high) * scale)
    left = [int(x * scale * 8) for x in own]
    right = [int(y * scale * 8) for y in other]
    return Classified(
        high=_beyond(left, right, by),
        low=_beyond([-x for x in left], [-y for y in right], by),
        effect=mean / base if base and mean else None,
    )


def _spread(values: Weighted) -> list[Fraction]:
    """Return every value as often as it counts."""
    return [value for value, count, _ in values for _ in range(count)]


def _middle(n: int) -> tuple[int, int]:
    """The ranks of the two in the middle; of an odd number both are the same."""
    return (n + 1) // 2, n // 2 + 1


def _mean(values: list[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def _beyond(own: list[int], other: list[int], by: int) -> bool:
    """Whether the values, less the tolerance, still rank significantly above the others."""
    moved = [x - by for x in own]
    ranked = sorted(other)
    m, n = len(moved), len(ranked)
    # Twice the number of pairs that a value wins, a tie being half, beyond what chance gives.
    won = sum(bisect_left(ranked, x) + bisect_right(ranked, x) for x in moved)
    twice = won - m * n
    tied = sum(t**3 - t for t in Counter([*moved, *ranked]).values())
    variance = Fraction(m * n, 12) * (m + n + 1 - Fraction(tied, (m + n) * (m + n - 1)))
    return twice > 1 and Fraction(twice - 1, 2) ** 2 > _Z**2 * variance
