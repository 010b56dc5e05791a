"""The tests that others watch a mean difference with: boundaries of a sum of differences.

Of pairs with a known standard deviation, one-sided at a level ``a``. None of these is used by
pytest-rollout; they stand here to be compared with.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

Numbers = NDArray[np.float64]
_NODES = 160  # of a quadrature, over at most 14 standard deviations
_FAR = 8.0  # standard deviations beyond which nothing is


def gavi(n: Numbers, a: float, tuned: float) -> Numbers:
    """Return Eppo's generalised always valid bound of a sum of n, in standard deviations.

    A two-sided normal mixture at 2a (Howard et al. 2021, "Time-uniform, nonparametric,
    nonasymptotic confidence sequences", proposition 5).
    """
    log = -2 * np.log(2 * a)
    rho = tuned / (np.log(1 + log) + log)
    return _mixture(n, a, float(rho))


def msprt(n: Numbers, a: float, phi: float) -> Numbers:
    """Return the bound of Netflix's mixture of sequential probability ratio tests."""
    return _mixture(n, a, phi)


def _mixture(n: Numbers, a: float, rho: float) -> Numbers:
    both = 2 * a
    return np.asarray(np.sqrt((n + rho) * np.log((n + rho) / (rho * both**2))))


def yeast(n: Numbers, a: float, planned: int) -> Numbers:
    """Return Levy's bound of the largest of ``planned`` sums, the same at every look."""
    return np.full_like(n, special.ndtri(1 - a / 2) * np.sqrt(planned))


def bonferroni(n: Numbers, a: float) -> Numbers:
    """Return the bound that gives each look an equal part of the level."""
    return np.asarray(special.ndtri(1 - a / len(n)) * np.sqrt(n))


def power_spending(a: float, power: float) -> Callable[[float], float]:
    """Return how much of a level is spent at a time between 0 and 1: a * t**power."""
    return lambda t: float(a * t**power)


def obrien_fleming(a: float) -> Callable[[float], float]:
    """Return the spending of Lan and DeMets that is like O'Brien and Fleming's bounds."""
    z = float(special.ndtri(1 - a / 2))
    return lambda t: float(2 * special.ndtr(-z / np.sqrt(t)))


def group_sequential(spent: Callable[[float], float], times: list[float]) -> list[float]:
    """Return the bounds of a standardised sum at so many looks (Lan and DeMets 1983).

    By quadrature of the density of what has not crossed (Armitage, McPherson and Rowe 1969).
    """
    before = 0.0
    places, weights = np.zeros(1), np.ones(1)
    nodes, shares = np.polynomial.legendre.leggauss(_NODES)
    bounds = []
    for time in times:
        step = np.sqrt(time - before)
        wanted = spent(time) - spent(before) if before else spent(time)
        cut = _cut(places, weights, float(step), wanted, float(np.sqrt(time)))
        bounds.append(cut / float(np.sqrt(time)))
        low = -_FAR * np.sqrt(time)
        later = low + (cut - low) * (nodes + 1) / 2
        apart = (later[:, None] - places[None, :]) / step
        density = np.exp(-(apart**2) / 2) @ weights / (step * np.sqrt(2 * np.pi))
        places, weights, before = later, density * shares * (cut - low) / 2, time
    return bounds


def _cut(places: Numbers, weights: Numbers, step: float, wanted: float, sd: float) -> float:
    """Return the bound that so much of the density crosses with a step."""

    def beyond(cut: float) -> float:
        return float(weights @ special.ndtr((places - cut) / step)) - wanted

    return float(optimize.brentq(beyond, -_FAR * sd, _FAR * sd, xtol=1e-10))


@cache
def planned(looks: int, a: float, power: float) -> tuple[float, ...]:
    """Return the bounds of looks at equal distances that spend a level by a power of time."""
    times = [look / looks for look in range(1, looks + 1)]
    return tuple(group_sequential(power_spending(a, power), times))


def overrun(expected: int, looks: int, a: float, power: float) -> tuple[float, ...]:
    """Return the bounds of more looks than planned: each further one as if it were the last."""
    further = (planned(look, a, power)[-1] for look in range(looks - expected + 1, looks + 1))
    return (*planned(expected, a, power), *further)[:looks]
