"""Student's t distribution (Student 1908), by the incomplete beta function."""

from __future__ import annotations

import math
from functools import lru_cache

from pytest_rollout.judge.kernels import beta_cdf, beta_inv


def t_tail(value: float, freedom: int) -> float:
    """Return the chance that t exceeds a value (DLMF 8.17.8 and Abramowitz and Stegun 26.7.1)."""
    half = beta_cdf(freedom / (freedom + value * value), freedom / 2, 0.5) / 2
    return half if value >= 0 else 1 - half


@lru_cache(maxsize=1024)
def t_above(chance: float, freedom: int) -> float:
    """Return what t exceeds with a chance of at most one half."""
    share = beta_inv(2 * chance, freedom / 2, 0.5)
    return math.sqrt(freedom * (1 - share) / share) if share else math.inf
