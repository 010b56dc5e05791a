"""Bounds of one side: shares, quantiles, means within a range."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from statistics import NormalDist

from benchmarks.coverage.line import Claim, Line, Trial
from benchmarks.coverage.services import SLOT, interval, rule, successes, values
from pytest_rollout.judge.intervals import share_interval

_SHARES = (
    # samples, share of good ones, level, what should be shown
    (20, 0.9, 0.05, 0.7),
    (59, 0.95, 0.05, 0.85),
    (300, 0.99, 0.05, 0.97),
    (200, 0.5, 0.05, 0.4),
    (1000, 0.98, 0.01, 0.96),
)
_TIMES = (
    # take, samples, whether the upper bound, what should be shown as a multiple of the truth
    ("p50", 15, True, 2.5),
    ("p95", 60, True, 3.0),
    ("p95", 200, False, 0.7),
)
_SCORES = (
    # name, values, weights, what should be shown
    ("scores of 0, 25, 50, 75 and 100", (0, 25, 50, 75, 100), (1, 2, 3, 6, 8), 55),
    ("nearly always 100, else 0", (0, 100), (1, 49), 75),
    ("nearly always 0, else 100", (0, 100), (19, 1), 1),
)
_EXACT = "share, Clopper-Pearson"


def shares() -> Iterator[Line]:
    """The exact bound of a share; the lower one, as the upper is the lower of the others."""
    for n, p, a, limit in _SHARES:
        trial = _share(n, n, p, a, limit)
        yield Line(_EXACT, f"{n} samples, {p:g} good", a, f"at least {limit:g}", trial)
    service = "100 samples that fail in fives, 0.9 good"
    trial = _share(20, 100, 0.9, 0.05, 0.8)
    yield Line(_EXACT, service, 0.05, "at least 0.8", trial, Claim.BROKEN)


def _share(
    draws: int, n: int, p: float, a: float, limit: float
) -> Callable[[random.Random], Trial]:
    """Return a trial of ``n`` samples, of which n / draws at a time come out alike."""

    @cache
    def judged(drawn: int) -> Trial:
        low = share_interval(drawn * n // draws, n, a).low
        assert low is not None
        return Trial(low > p, low >= limit)

    return lambda chance: judged(successes(chance, draws, p))


def quantiles() -> Iterator[Line]:
    """Bounds from order statistics, on times that are log-normal."""
    for take, n, upper, times in _TIMES:
        side, words = ("upper", "at most") if upper else ("lower", "at least")
        finds = f"{words} {times:g} times the truth"
        trial = _quantile(take, n, times, upper=upper)
        service = f"{side} bound of {take}, {n} times"
        yield Line("quantile, order statistics", service, 0.05, finds, trial)


def _quantile(take: str, n: int, times: float, *, upper: bool) -> Callable[[random.Random], Trial]:
    cut = "<= 1" if upper else ">= 1"
    stated = rule(f'take: {take}, pass: "{cut}", confidence: 95%')
    assert stated.take.quantile is not None
    truth = math.exp(NormalDist().inv_cdf(float(stated.take.quantile)))

    def trial(chance: random.Random) -> Trial:
        seen = values([chance.lognormvariate(0, 1) for _ in range(n)])
        bounds = interval(stated, seen, 0.05)
        end = bounds.high if upper else bounds.low
        if end is None:
            return Trial(wrong=False, right=False)
        if upper:
            return Trial(end < truth, end <= times * truth)
        return Trial(end > truth, end >= times * truth)

    return trial


def means() -> Iterator[Line]:
    """The betting bound of a mean within a range; values on a grid, so that counts suffice."""
    for name, grid, weights, limit in _SCORES:
        finds = f"at least {limit}"
        trial = _mean(40, grid, weights, limit)
        yield Line("mean in a range, betting", f"40 {name}", 0.05, finds, trial)


def _mean(
    n: int, grid: tuple[int, ...], weights: tuple[int, ...], limit: float
) -> Callable[[random.Random], Trial]:
    stated = rule('take: mean, pass: ">= 1", confidence: 95%, range: [0, 100]')
    pairs = zip(grid, weights, strict=True)
    truth = Fraction(sum(value * weight for value, weight in pairs), sum(weights))

    @cache
    def judged(counts: tuple[int, ...]) -> Trial:
        seen = [(Fraction(v), count, SLOT) for v, count in zip(grid, counts, strict=True) if count]
        bounds = interval(stated, seen, 0.05)
        assert bounds.low is not None
        return Trial(bounds.low > truth, bounds.low >= limit)

    def trial(chance: random.Random) -> Trial:
        drawn = chance.choices(grid, weights, k=n)
        return judged(tuple(drawn.count(value) for value in grid))

    return trial
