"""Nightly rules on many series at once: each holds tonight against pinned nights.

A night gives the logarithm of a figure, in standard deviations of the pinned nights above their
mean. A rule says of each series whether it raises an alarm, and may ask for more runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pytest_rollout.judge.nightly import SUSPICIOUS, Baseline, Limits
from pytest_rollout.model.rule import Nightly

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]
FLOOR = -3.0


@dataclass(frozen=True)
class Pinned:
    """What the pinned nights of every series say."""

    n: int
    mean: Values
    noise: Values
    shared: Values  # the part of the noise that the runs of one night have in common, if known


class Watch(Protocol):
    """One rule, from night to night."""

    def night(self, first: Values, more: Callable[[], Values], pinned: Pinned) -> Flags:
        """Return which series raise an alarm; ``more`` gives another run of the same night."""


@dataclass
class OneValue:
    """One value outside of a one-sided t interval, so many nights in a row.

    ``plain``: without the error of the pinned mean.
    """

    level: float
    in_a_row: int = 1
    plain: bool = False
    row: Values | None = None

    def night(self, first: Values, more: Callable[[], Values], pinned: Pinned) -> Flags:
        error = 0 if self.plain else 1 / pinned.n
        limit = stats.t.isf(self.level, pinned.n - 1) * np.sqrt(1 + error)
        outside = first > limit
        row = np.where(outside, (0 if self.row is None else self.row) + 1, 0)
        self.row = row
        return row >= self.in_a_row


@dataclass
class Cusum:
    """Page's sum of what lies above k, with an alarm and a new start above h."""

    k: float
    h: float
    total: Values | None = None

    def night(self, first: Values, more: Callable[[], Values], pinned: Pinned) -> Flags:
        before = np.zeros_like(first) if self.total is None else self.total
        total = np.maximum(0, before + first - self.k)
        alarm = total > self.h
        self.total = np.where(alarm, 0, total)
        return alarm


@dataclass
class Ours:
    """The rule of :mod:`pytest_rollout.judge.nightly`, with every series at once."""

    rule: Nightly
    margin: float = np.log(1.15)
    level: float = 0.05
    asked: float = 0.0  # runs beyond the first, of all series and nights
    _sums: list[tuple[Values, Values]] = field(default_factory=list)  # of nights: weights, totals

    def night(self, first: Values, more: Callable[[], Values], pinned: Pinned) -> Flags:
        limits = Limits(self.rule, pinned.n)
        top, confirm = limits.highest, self.rule.confirm
        runs, raw = np.ones_like(first), np.maximum(FLOOR, first)
        mean = np.clip(first, FLOOR, top)
        asks = np.zeros_like(first, dtype=bool)
        asking = np.ones_like(first, dtype=bool)
        for left in range(confirm, -1, -1):
            sums = self._standing(mean, runs, pinned)
            suspicious = np.any([one > limits.suspicious for one in sums], axis=0)
            asking = asking & (suspicious | ~self._inside(raw, runs, pinned))
            if not left:
                break
            again = more()
            runs = np.where(asking, runs + 1, runs)
            mean = np.where(asking, mean + (np.clip(again, FLOOR, top) - mean) / runs, mean)
            raw = np.where(asking, raw + (np.maximum(FLOOR, again) - raw) / runs, raw)
            self.asked += float(asking.mean())
        whole = runs > confirm
        asks = np.any([one >= most for one, most in zip(sums, limits.alarms, strict=False)], axis=0)
        weight = _weight(runs, pinned)
        self._sums = [(weight, weight * mean), *self._sums][: self.rule.latest - 1]
        return np.asarray(whole & asks)

    def _standing(self, mean: Values, runs: Values, pinned: Pinned) -> list[Values]:
        """The sums of tonight, of two nights, and so on, in standard errors."""
        weights = _weight(runs, pinned)
        total, sums = weights * mean, []
        for before in [None, *self._sums]:
            if before is not None:
                weights, total = weights + before[0], total + before[1]
            sums.append(total / weights / np.sqrt(1 / weights + 1 / pinned.n))
        return sums

    def _inside(self, raw: Values, runs: Values, pinned: Pinned) -> Flags:
        level = self.level / (1 + self.rule.confirm)
        reach = stats.t.isf(level, pinned.n - 1)
        error = np.sqrt(1 / _weight(runs, pinned) + 1 / pinned.n)
        return np.asarray((raw + reach * error) * pinned.noise <= self.margin)


def _weight(runs: Values, pinned: Pinned) -> Values:
    return np.asarray(1 / (pinned.shared + (1 - pinned.shared) / runs))


def known(pinned: Pinned, series: int) -> Baseline:
    """Return what the judge knows of one series."""
    return Baseline(
        pinned.n,
        float(pinned.mean[series]),
        float(pinned.noise[series]),
        float(pinned.shared[series]),
    )


__all__ = ["SUSPICIOUS", "Cusum", "OneValue", "Ours", "Pinned", "Watch", "known"]
