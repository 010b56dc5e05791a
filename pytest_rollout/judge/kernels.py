"""Bounds that hold at a stated confidence: for shares, for bounded means, under watching.

Pure functions of counts and numbers between 0 and 1. Each bound is one-sided at a level ``a``,
the chance at most that it does not hold. Sources are named at each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

_TINY = 1e-300
_CLOSE = 1e-15
_KEPT = 0.1  # of a level, for windows that hold another number of samples than most


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, by Lentz's continued fraction (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_cdf(1 - x, b, a)
    return math.exp(_log_front(x, a, b)) * _fraction(x, a, b) / a


def _log_front(x: float, a: float, b: float) -> float:
    """Return the logarithm of x**a * (1 - x)**b / B(a, b), without large terms that cancel.

    Saddle point and Stirling's errors (Loader 2000, "Fast and accurate computation of binomial
    probabilities").
    """
    n = a + b
    errors = _stirling_error(n) - _stirling_error(a) - _stirling_error(b)
    apart = _deviance(a, n * x) + _deviance(b, n * (1 - x))
    return errors - apart + 0.5 * math.log(a / math.tau * (b / n))


@lru_cache(maxsize=4096)
def _stirling_error(z: float) -> float:
    """Return what Stirling's formula lacks of log(z!)."""
    if z < 16:
        return math.lgamma(z + 1) - (z + 0.5) * math.log(z) + z - 0.5 * math.log(math.tau)
    u = 1 / (z * z)
    return (1 / 12 - u * (1 / 360 - u * (1 / 1260 - u * (1 / 1680 - u / 1188)))) / z


def _deviance(x: float, mean: float) -> float:
    """Return x * log(x / mean) + mean - x; it is 0 where both are equal, else positive."""
    apart = x - mean
    if abs(apart) > 0.1 * (x + mean):
        return x * math.log(x / mean) - apart
    v = apart / (x + mean)
    total, term, k = apart * v, 2 * x * v, 1
    while True:
        term *= v * v
        k += 2
        more = total + term / k
        if more == total:
            return total
        total = more


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _far(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 100_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _far(1 + term * d)
            c = _far(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < _CLOSE:
            break
    return value


def _far(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def beta_inv(p: float, a: float, b: float) -> float:
    """The quantile of a beta distribution, by bisection to the last bit."""
    low, high = 0.0, 1.0
    for _ in range(80):
        middle = (low + high) / 2
        if beta_cdf(middle, a, b) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


@lru_cache(maxsize=4096)  # of windows that move on by a sample many are alike
def binomial_cdf(s: int, n: int, p: float) -> float:
    """The chance of at most ``s`` successes of ``n``."""
    if s >= n:
        return 1.0
    return beta_cdf(1 - p, n - s, s + 1) if s >= 0 else 0.0


@lru_cache(maxsize=4096)
def share_low(s: int, n: int, a: float) -> float:
    """The share is above this, but for a chance of ``a`` (Clopper and Pearson 1934)."""
    return beta_inv(a, s, n - s + 1) if s else 0.0


def share_high(s: int, n: int, a: float) -> float:
    """The share is below this, but for a chance of ``a``."""
    return 1 - share_low(n - s, n, a)


def rank_low(n: int, q: float, a: float) -> int:
    """The rank from 1 whose value the q-quantile is not below, but for ``a``; 0 where none is."""
    return _rank(n, q, a)


def rank_high(n: int, q: float, a: float) -> int:
    """The rank whose value the q-quantile is not above, but for ``a``; n + 1 where none is."""
    return n + 1 - _rank(n, 1 - q, a)


def _rank(n: int, q: float, a: float) -> int:
    """The largest k with P(Bin(n, q) < k) at most ``a`` (order statistics; David 1981, 2.5)."""
    low, high = 0, n
    while low < high:
        middle = (low + high + 1) // 2
        if binomial_cdf(middle - 1, n, q) <= a:
            low = middle
        else:
            high = middle - 1
    return low


def watched_log_e(good: int, bad: int, p: float) -> float:
    """Return the logarithm of an e-value against "the share of good ones is at least p".

    A mixture of likelihood ratios over the shares x below p, with a density that grows as
    x**(p/q - 1), where q = 1 - p: under that hypothesis it ever reaches 1/a with a chance of at
    most a, however often one looks (Ville 1939). Each ratio grows with a bad one, and where a
    good one turns bad, so the mixture does.
    """
    q = 1 - p
    a, b = p / q + good, 1.0 + bad
    if p <= (a + 1) / (a + b + 2):
        return math.log(p * _fraction(p, a, b) / a)
    whole = -_log_front(p, a, b)
    below = _fraction(q, b, a) / b
    return math.log(p) + whole + math.log1p(-below * math.exp(-whole))


def watched_most(good: int, bad: int, p: float) -> float:
    """Return what :func:`watched_log_e` cannot exceed: the largest ratio of its mixture."""
    share = good / max(1, good + bad)
    if share >= p:
        return 0.0
    most = bad * math.log((1 - share) / (1 - p))
    return most + good * math.log(share / p) if good else most


def moving_chance(k: int, w: int, windows: int, p: float) -> float:
    """Return a bound of the chance that one of so many windows of ``w`` holds ``k`` bad or more.

    Each window begins one sample after the one before, and samples are bad with a chance of at
    most ``p``, independently. The smaller of two bounds: over all windows, and over all blocks
    of two windows' length, of which each begins where the one before is half over. The chance
    that a block holds no such window is exact: Q2 of Naus 1982, "Approximations for
    distributions of scan statistics", JASA 77.
    """
    if k < 1 or k > w:
        return float(k < 1)
    single = beta_cdf(p, k, w - k + 1)
    exactly = math.exp(_log_front(p, k, w - k + 1)) / (k * (1 - p))
    some = (k - 1) * binomial_cdf(k - 2, w, p) - w * p * binomial_cdf(k - 3, w - 1, p)
    block = single * (2 - single) + exactly * some
    blocks = max(1, -(-(windows - 1) // w))
    return min(1.0, windows * single, blocks * block)


def fewest_bad(w: int, windows: int, p: float, a: float) -> int:
    """Return the fewest bad in a window of ``w`` whose :func:`moving_chance` is at most ``a``.

    w + 1 where not even a window of nothing but bad ones is so rare.
    """
    return _fewest(w, lambda bad: moving_chance(bad, w, windows, p) <= a)


def _fewest(most: int, holds: Callable[[int], bool]) -> int:
    """Return the smallest number from 1 that holds, where larger ones do too; else most + 1."""
    low, high = 1, most + 1
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


@lru_cache(maxsize=1024)
def _moving(w: int, windows: int, share: float, a: float) -> tuple[int, float]:
    """Return how many bad ones of ``w`` trip, and the level of a window of another size."""
    p, each = 1 - share, a / windows
    fewest = fewest_bad(w, windows, p, (1 - _KEPT) * a)
    alone = _fewest(w, lambda bad: binomial_cdf(w - bad, w, share) <= each)
    if alone <= fewest:
        return alone, each
    return fewest, (a - moving_chance(fewest, w, windows, p)) / windows


def moving_trips(good: int, bad: int, w: int, windows: int, share: float, a: float) -> bool:
    """Return whether one of the ``windows`` of a phase trips, each of the last ``w`` slots.

    Where a ``share`` of the samples is good or more, any of them does with a chance of at most
    ``a``. A slot is mostly one sample. A window of w samples trips at so many bad ones that
    :func:`moving_chance` is within the level, and one of fewer samples at as many: it is part
    of a window of w. Any window that is not of w samples trips also by the binomial
    distribution, at an equal part of what is left of the level. Where w samples trip as early
    by the binomial distribution at an equal part of the whole level, it judges all windows.
    """
    n = good + bad
    fewest, level = _moving(w, max(1, windows), share, a)
    if n <= w and bad >= fewest:
        return True
    return n != w and binomial_cdf(good, n, share) <= level


_BETS = tuple(2.0**-power for power in range(1, 9))


def mean_low(values: Sequence[tuple[float, int]], a: float) -> float:
    """The mean is above this, but for a chance of ``a``.

    ``values`` are between 0 and 1, each with its count. Betting against a mean with a fixed
    grid of stakes, in no order (Waudby-Smith and Ramdas 2024, section 4).
    """
    low, high = 0.0, 1.0
    wanted = math.log(len(_BETS) / a)
    for _ in range(60):
        middle = (low + high) / 2
        if middle and _log_wealth(values, middle) >= wanted:
            low = middle
        else:
            high = middle
    return low


def _log_wealth(values: Sequence[tuple[float, int]], mean: float) -> float:
    """Of all stakes together, up to the factor of how many there are."""
    wealths = [
        sum(count * math.log1p(bet * (value / mean - 1)) for value, count in values)
        for bet in _BETS
    ]
    top = max(wealths)
    return top + math.log(sum(math.exp(wealth - top) for wealth in wealths))


@lru_cache(maxsize=1024)
def missed_share(bad_allowed: int, n: int) -> float:
    """The share of bad ones that 19 times in 20 would have shown more than were allowed."""
    if bad_allowed >= n:
        return 1.0
    return beta_inv(0.95, bad_allowed + 1, n - bad_allowed)
