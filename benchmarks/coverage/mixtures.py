"""Anytime-valid bounds of the library confseq, written anew from their paper.

Howard, Ramdas, McAuliffe and Sekhon 2021, "Time-uniform, nonparametric, nonasymptotic confidence
sequences"; Howard and Ramdas 2022, "Sequential estimation of quantiles". Not used by
pytest-rollout. Its own e-value, ``kernels.watched_log_e``, is the one-sided mixture here with
g = 1 - p, h = p and r = p; there, r is tuned to one time, v.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, exp, floor, log

from scipy import optimize, special


@dataclass(frozen=True)
class BetaBinomial:
    """A mixture of likelihood ratios of a sum whose steps lie between -g and h, of mean 0."""

    g: float
    h: float
    r: float
    one_sided: bool = True

    @classmethod
    def tuned(cls, v: float, a: float, g: float, h: float, *, one_sided: bool) -> BetaBinomial:
        """Return the mixture that is narrowest about the time v."""
        tail = -2 * log(2 * a if one_sided else a)
        rho = v / (tail + log(1 + tail))
        return cls(g, h, max(rho - g * h, 1e-3 * g * h), one_sided)

    def log_e(self, s: float, v: float) -> float:
        """Return the logarithm of the mixture at a sum s, at the time v."""
        g, h, both = self.g, self.h, self.g + self.h
        down, up = (v - g * s) / (g * both), (v + h * s) / (h * both)
        start = self._log_beta(self.r / (g * both), self.r / (h * both))
        now = self._log_beta(self.r / (g * both) + down, self.r / (h * both) + up)
        return v / (g * h) * log(both) - up * log(g) - down * log(h) + now - start

    def _log_beta(self, a: float, b: float) -> float:
        whole = float(special.betaln(a, b))
        if not self.one_sided:
            return whole
        return whole + log(float(special.betainc(a, b, self.h / (self.g + self.h))))

    def bound(self, v: float, a: float) -> float:
        """Return the sum that is ever reached at a time v with a chance of at most a."""
        most = v / self.g
        if self.log_e(most, v) < -log(a):
            return most
        return _root(lambda s: self.log_e(s, v) + log(a), 0, most)


def _root(value: Callable[[float], float], low: float, high: float) -> float:
    return float(optimize.brentq(value, low, high, xtol=1e-13, rtol=1e-12))


def bernoulli_interval(
    good: int, n: int, a: float, n_tuned: float, a_tuned: float = 0.05
) -> tuple[float, float]:
    """Return between which shares the truth lies, at all times at once but for a chance of a."""

    def beyond(p: float) -> float:
        tuned = BetaBinomial.tuned(p * (1 - p) * n_tuned, a_tuned, p, 1 - p, one_sided=False)
        return tuned.log_e(good - p * n, p * (1 - p) * n) + log(a)

    seen, tiny = good / n, 1e-12
    low = _root(beyond, tiny, seen) if good and beyond(tiny) > 0 else 0.0
    high = _root(beyond, seen, 1 - tiny) if good < n and beyond(1 - tiny) > 0 else 1.0
    return low, high


def quantile_p_value(q: float, one: Sequence[float], other: Sequence[float], n: int) -> float:
    """Return the p-value, at all times at once, of two sides having the same q-quantile.

    ``n`` is the number of samples for which it is tuned. The least that the product of both
    mixtures comes to, whatever value the common quantile has.
    """
    mixture = BetaBinomial.tuned(n * q * (1 - q), 0.05, q, 1 - q, one_sided=False)
    arms = [_Arm(sorted(values), q, mixture) for values in (one, other)]
    places = sorted({*one, *other})
    return min(1.0, exp(-min(sum(arm.log_e(place) for arm in arms) for place in places)))


class _Arm:
    """One side of a comparison of quantiles."""

    def __init__(self, by_size: Sequence[float], q: float, mixture: BetaBinomial) -> None:
        self._by_size = by_size
        self._q, self._mixture = q, mixture
        n = len(by_size)
        least = optimize.minimize_scalar(self._at, bounds=(0, 1), method="bounded")
        self._least = float(least.x)
        self._from, self._to = by_size[ceil(self._least * n) - 1], by_size[floor(self._least * n)]

    def log_e(self, place: float) -> float:
        """Return the mixture's logarithm where the quantile is at a place."""
        if self._from <= place <= self._to:
            return self._at(self._least)
        below = bisect_right if place < self._from else bisect_left
        return self._at(below(self._by_size, place) / len(self._by_size))

    def _at(self, below: float) -> float:
        n, q = len(self._by_size), self._q
        return self._mixture.log_e((below - q) * n, q * (1 - q) * n)
