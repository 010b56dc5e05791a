"""Bounds that hold at a stated confidence: for shares, for bounded means, under watching.

Pure functions of counts and numbers between 0 and 1. Each bound is one-sided at a level ``a``,
the chance at most that it does not hold. Sources are named at each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

_TINY = 1e-300
_CLOSE = 1e-15


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, by Lentz's continued fraction (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_cdf(1 - x, b, a)
    return math.exp(_log_front(x, a, b)) * _fraction(x, a, b) / a


def log_beta_cdf(x: float, a: float, b: float) -> float:
    """Its logarithm, which does not vanish where the value does."""
    if x > (a + 1) / (a + b + 2):
        return math.log(max(beta_cdf(x, a, b), _TINY))
    return _log_front(x, a, b) + math.log(_fraction(x, a, b) / a)


def _log_front(x: float, a: float, b: float) -> float:
    return a * math.log(x) + b * math.log1p(-x) - log_beta(a, b)


def log_beta(a: float, b: float) -> float:
    """The logarithm of the beta function."""
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


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


def binomial_cdf(s: int, n: int, p: float) -> float:
    """The chance of at most ``s`` successes of ``n``."""
    if s >= n:
        return 1.0
    return beta_cdf(1 - p, n - s, s + 1) if s >= 0 else 0.0


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
    """The logarithm of an e-value against "the share of good ones is at least p".

    A mixture of likelihood ratios, uniform over the shares below p: under that hypothesis it
    ever reaches 1/a with a chance of at most a, however often one looks (Ville 1939).
    """
    a, b = 1 + good, 1 + bad
    log_good = good * math.log(p)
    log_bad = bad * math.log1p(-p)
    return log_beta(a, b) + log_beta_cdf(p, a, b) - math.log(p) - log_good - log_bad


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


def missed_share(bad_allowed: int, n: int) -> float:
    """The share of bad ones that 19 times in 20 would have shown more than were allowed."""
    if bad_allowed >= n:
        return 1.0
    return beta_inv(0.95, bad_allowed + 1, n - bad_allowed)
