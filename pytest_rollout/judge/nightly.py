"""The arithmetic of the nightly rule: a few nights against the nights of a pinned release.

Pure. Numbers are logarithms, signed so that more is worse: a difference of them is a ratio. The
pinned nights give the mean and the noise; a mean of new runs is held against them by Student's t
prediction bound, which counts the error of both. Added up are the runs of tonight, of the latest
two nights, and so on; the alarm level is shared between these sums. Each step grows with every
value, and what is lost is taken as the least: worse evidence never lowers a sum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from statistics import NormalDist, fmean, stdev, variance

from pytest_rollout.judge.student import t_above
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.rule import Nightly

NIGHTS_A_YEAR = 365
SUSPICIOUS = 0.1  # of healthy nights by tonight's runs alone: the level that asks to confirm
_LEAST_NOISE = 0.001  # figures are no finer than this share
_LEAST_PAIRS = 10  # nights with two runs, to tell the noise of a night from that of a run
_LEAST_TO_LEAVE_OUT = 5  # nights, to say of one that it is unlike the others
_FLOOR = 3.0  # a run counts as no better than so many standard deviations below the mean
_MOST_OF_IT = 0.6  # of the alarm level, for the sum of all nights
_JUST = 1 + 1e-9


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the pinned nights say: how many, their mean, and the noise of one run."""

    n: int
    mean: float
    noise: float  # the standard deviation of one run
    shared: float | None = None  # the part of its variance that runs of one night have in common

    @property
    def percent(self) -> float:
        """The noise from night to night in percent."""
        return 100 * math.expm1(self.noise)

    def weight(self, runs: int) -> float:
        """Return how many independent runs the mean of a night's runs is worth."""
        shared = self.shared or 0.0
        return 1 / (shared + (1 - shared) / runs)

    def error(self, weight: float) -> float:
        """Return the standard error of a mean of new runs less that of the pinned nights."""
        return self.noise * math.sqrt(1 / weight + 1 / self.n)


def baseline_of(nights: Sequence[Sequence[float]], least: float = 0.0) -> Baseline:
    """Return what at least two pinned nights say, the runs of each in their order.

    Of each night its first run counts, because nothing chose it. Where ten nights or more have
    a second one, such A/A pairs tell what is common to the runs of a night. The noise is at
    ``least`` so much, where the figure is no finer.
    """
    first = [night[0] for night in nights]
    noise = max(_LEAST_NOISE, least, stdev(first))
    return Baseline(len(first), fmean(first), noise, _common(nights))


def lone_of(first: Sequence[float]) -> int | None:
    """Return which one night makes more than half of the noise of all; None where none does.

    It is for people to know. The noise is that of all nights, because a rule that leaves one out
    finds more than it may in healthy nights.
    """
    if len(first) < _LEAST_TO_LEAVE_OUT:
        return None
    without = [stdev([*first[:n], *first[n + 1 :]]) for n in range(len(first))]
    least = min(without)
    return without.index(least) if max(least, _LEAST_NOISE) < stdev(first) / 2 else None


def _common(nights: Sequence[Sequence[float]]) -> float | None:
    pairs = [(night[0], night[1]) for night in nights if len(night) > 1]
    if len(pairs) < _LEAST_PAIRS:
        return None
    within = fmean((first - other) ** 2 for first, other in pairs) / 2
    whole = fmean((variance(first for first, _ in pairs), variance(other for _, other in pairs)))
    return min(1.0, max(0.0, 1 - within / whole)) if whole > 0 else 0.0


@dataclass(frozen=True)
class Limits:
    """What a sum of nights must not exceed, in standard errors."""

    rule: Nightly
    n: int  # pinned nights

    @cached_property
    def alarms(self) -> tuple[float, ...]:
        """For the sum of so many nights: the alarm level, most of it for that of all."""
        level = float(self.rule.alarms) / NIGHTS_A_YEAR
        sums = self.rule.latest
        parts = [(1 - _MOST_OF_IT) / (sums - 1)] * (sums - 1) + [_MOST_OF_IT] if sums > 1 else [1.0]
        return tuple(t_above(level * part, self.n - 1) for part in parts)

    @property
    def suspicious(self) -> float:
        """Where one asks to confirm."""
        return t_above(SUSPICIOUS, self.n - 1)

    @property
    def highest(self) -> float:
        """What one run counts at most, in standard deviations: as much as would do alone."""
        return self.alarms[0] * math.sqrt(1 + 1 / self.n) * _JUST


@dataclass(frozen=True, slots=True)
class Tonight:
    """What the runs of tonight and of the nights before say."""

    shift: float  # of tonight's mean from that of the pinned nights
    high: float  # what that is surely not above
    low: float
    sums: tuple[float, ...]  # in standard errors: of tonight, of two nights, ...
    alarm: bool
    suspicious: bool


def weigh(
    rule: Nightly, base: Baseline, nights: Sequence[Sequence[float]], level: float
) -> Tonight:
    """Return what nights say, tonight first; the runs of each night in their order.

    A night without a run adds nothing. ``level`` is the chance at most that a bound fails.
    """
    limits = Limits(rule, base.n)
    floor = base.mean - _FLOOR * base.noise
    top = base.mean + limits.highest * base.noise
    sums, total, weights = [], 0.0, 0.0
    for night in nights[: rule.latest]:
        if night:
            weight = base.weight(len(night))
            total += weight * (fmean(min(top, max(floor, run)) for run in night) - base.mean)
            weights += weight
        sums.append(total / weights / base.error(weights))
    shift = fmean(max(floor, run) for run in nights[0]) - base.mean
    reach = t_above(level, base.n - 1) * base.error(base.weight(len(nights[0])))
    return Tonight(
        shift,
        shift + reach,
        shift - reach,
        tuple(sums),
        alarm=any(added >= most for added, most in zip(sums, limits.alarms, strict=False)),
        suspicious=any(added > limits.suspicious for added in sums),
    )


def found(rule: Nightly, base: Baseline, shift: float, nights: int) -> float:
    """Return about how often a lasting shift is found within some nights.

    By the sum of all of them, each with every run that the rule allows; of more nights than are
    added up by each such sum alone, as if they were independent tries. Johnson and Kotz's
    approximation of the noncentral t.
    """
    limits = Limits(rule, base.n)
    added = min(nights, rule.latest)
    error = base.error(added * base.weight(1 + rule.confirm))
    limit = limits.alarms[added - 1]
    spread = math.sqrt(1 + limit * limit / (2 * (base.n - 1)))
    once = NormalDist().cdf((shift / error - limit) / spread)
    return float(1 - (1 - once) ** (nights // added))


def nights_to_find(
    rule: Nightly, base: Baseline, shift: float, share: float = 0.9, most: int = 60
) -> int | None:
    """Return within how many nights a lasting shift is mostly found; None where it takes longer."""
    tries = range(1, most + 1)
    return next((n for n in tries if found(rule, base, shift, n) >= share), None)


def findable(rule: Nightly, base: Baseline, share: float = 0.9) -> float:
    """Return the smallest shift that is found within the nights that are added up, so often."""
    limits = Limits(rule, base.n)
    limit = limits.alarms[-1]
    spread = math.sqrt(1 + limit * limit / (2 * (base.n - 1)))
    error = base.error(rule.latest * base.weight(1 + rule.confirm))
    return error * (limit + NormalDist().inv_cdf(share) * spread)


def narrowest(rule: Nightly, base: Baseline, level: float, share: float = 0.99) -> float:
    """Return the margin that so many healthy nights satisfy with every run that is allowed."""
    error = base.error(base.weight(1 + rule.confirm))
    return error * (t_above(level, base.n - 1) + NormalDist().inv_cdf(share))
