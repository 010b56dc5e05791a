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

from pytest_rollout.judge.estimate import Weighted
from pytest_rollout.judge.versus import MOST_PAIRS, TOO_MANY, pairs, spread

METHOD = "Kayenta, outside the theorem"

_TOLERANCE = Fraction(1, 4)
_Z = Fraction("2.326347874")  # the normal quantile of (1 + 0.98) / 2


@dataclass(frozen=True, slots=True)
class Classified:
    """What the test says of a canary: High, Low, or neither, and the ratio of means if any."""

    high: bool
    low: bool
    effect: Fraction | None


def classify(values: Weighted, others: Weighted) -> Classified | str:
    """Whether values are shifted from others by more than a quarter of the median shift.

    Mann and Whitney's statistic with correction for ties and continuity, as Kayenta has it.
    """
    one, other = spread(values), spread(others)
    if len(one) * len(other) > MOST_PAIRS:
        return TOO_MANY
    tolerance = _TOLERANCE * abs(_middle(one, other))
    base = _mean(other)
    effect = _mean(one) / base if base and _mean(one) else None
    return Classified(
        high=_beyond(one, other, tolerance),
        low=_beyond([-x for x in one], [-y for y in other], tolerance),
        effect=effect,
    )


def _mean(values: list[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def _middle(one: list[Fraction], other: list[Fraction]) -> Fraction:
    """The median of all differences, between the middle two of an even number."""
    ordered, scale = pairs(one, other)
    n = len(ordered)
    return Fraction(ordered[(n - 1) // 2] + ordered[n // 2], 2 * scale)


def _beyond(one: list[Fraction], other: list[Fraction], by: Fraction) -> bool:
    """Whether the values, less the tolerance, still rank significantly above the others."""
    moved = [x - by for x in one]
    ordered = sorted(other)
    m, n = len(moved), len(ordered)
    # Twice the number of pairs that a value wins, a tie being half, beyond what chance gives.
    won = sum(bisect_left(ordered, x) + bisect_right(ordered, x) for x in moved)
    twice = won - m * n
    tied = sum(t**3 - t for t in Counter([*moved, *ordered]).values())
    variance = Fraction(m * n, 12) * (m + n + 1 - Fraction(tied, (m + n) * (m + n - 1)))
    return twice > 1 and Fraction(twice - 1, 2) ** 2 > _Z**2 * variance
