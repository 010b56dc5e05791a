"""Kayenta's rule, for those who come from it: a test of ranks, a tolerance, an effect size.

NetflixACAJudge-v1.0 at its fixed confidence of 0.98 and tolerance of 0.25, without its search
for roots and its noise: the estimate is the median of all differences, and the test is made at
the tolerance. Not covered by the theorem: the tolerance grows with the estimate, so a worse
value can turn a failure into a pass. No criterion that is hard may rest on it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from pytest_rollout.judge.compare import MOST_PAIRS, TOO_MANY, pairs, spread
from pytest_rollout.judge.outcomes import Weighted
from pytest_rollout.model.finding import Reason

METHOD = "Kayenta, outside the theorem"

_Z = Fraction("2.326347874")  # the normal quantile of (1 + 0.98) / 2


@dataclass(frozen=True, slots=True)
class Classified:
    """What the test says of a canary: high, low or neither, and the ratio of means if any."""

    high: bool
    low: bool
    effect: Fraction | None


def classify(values: Weighted, others: Weighted) -> Classified | Reason:
    """Return whether values are shifted from others by more than a quarter of the median shift.

    Mann and Whitney's statistic with correction for ties and continuity, as Kayenta has it.
    """
    one, other = spread(values), spread(others)
    if len(one) * len(other) > MOST_PAIRS:
        return TOO_MANY
    base, mean = _mean(other), _mean(one)
    differences, scale = pairs(one, other)
    n = len(differences)
    # In eighths of the unit the values and the tolerance, a quarter of the median, are whole.
    by = abs(differences[(n - 1) // 2] + differences[n // 2])
    left = [int(x * scale * 8) for x in one]
    right = [int(y * scale * 8) for y in other]
    return Classified(
        high=_beyond(left, right, by),
        low=_beyond([-x for x in left], [-y for y in right], by),
        effect=mean / base if base and mean else None,
    )


def _mean(values: list[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def _beyond(one: list[int], other: list[int], by: int) -> bool:
    """Whether the values, less the tolerance, still rank significantly above the others."""
    moved = [x - by for x in one]
    ranked = sorted(other)
    m, n = len(moved), len(ranked)
    # Twice the number of pairs that a value wins, a tie being half, beyond what chance gives.
    won = sum(bisect_left(ranked, x) + bisect_right(ranked, x) for x in moved)
    twice = won - m * n
    tied = sum(t**3 - t for t in Counter([*moved, *ranked]).values())
    variance = Fraction(m * n, 12) * (m + n + 1 - Fraction(tied, (m + n) * (m + n - 1)))
    return twice > 1 and Fraction(twice - 1, 2) ** 2 > _Z**2 * variance
