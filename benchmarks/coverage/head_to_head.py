"""The published comparison of tests that are looked at again and again, and the judge in it.

500 pairs, the old side normal with mean 1, the new one with mean 1 + d, both with the standard
deviation 1, which is known to all but the judge; one-sided at 0.05.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.coverage import peers
from benchmarks.coverage.published import EFFECTS, PUBLISHED
from benchmarks.coverage.services import rule
from benchmarks.coverage.watched import fewest_bad, tripping

PAIRS = 500
LEVEL = 0.05
SEED = 8163  # the number that they gave to R; the random numbers are others
RUNS = 100_000
OURS = "pytest-rollout"
APART = 0.01  # from what is published
_AT_ONCE = 5_000
_SAVED_AT = 0.2

Looks = NDArray[np.int64]


@dataclass(frozen=True)
class Test:
    """The looks of a test, from 1, and what the sum must exceed there."""

    name: str
    looks: Looks
    bounds: peers.Numbers
    counts: bool = False  # the sum is of pairs in which the new side is higher


@dataclass(frozen=True)
class Outcome:
    """What a test found at each effect, as shares of runs, and the samples that it saved."""

    name: str
    rates: tuple[float, ...]
    saved: float

    @property
    def figures(self) -> tuple[float, ...]:
        """All of it, in the order of what is published."""
        return (*self.rates, self.saved)

    @property
    def apart(self) -> float | None:
        """How far the worst figure is from what is published, None where nothing is."""
        there = PUBLISHED.get(self.name)
        if there is None:
            return None
        return max(abs(x - y) for x, y in zip(self.figures, there, strict=True))


def tests() -> list[Test]:
    """Return every test, in the order of the table."""
    return [_ours(), *_continuous(), *_grouped()]


def _ours() -> Test:
    """The guardrail on the share of pairs in which the new side is higher: 0.5 at most."""
    trips = tripping(rule('take: {share: "> 0"}, fail: "> 0.5", confidence: 95%', guardrail=True))
    bad = np.asarray(fewest_bad(lambda good, bad: trips(bad, good), PAIRS)[1:])  # higher ones
    return Test(OURS, _every(), bad - 0.5, counts=True)


def _every() -> Looks:
    return np.arange(1, PAIRS + 1)


def _continuous() -> Iterator[Test]:
    n = _every().astype(float)
    planned = {"YEAST": PAIRS, "YEAST, planned for 400": 400}
    for name, pairs in planned.items():
        yield Test(name, _every(), peers.yeast(n, LEVEL, pairs))
    for tuned in (250, 500, 750):
        yield Test(f"GAVI {tuned}", _every(), peers.gavi(n, LEVEL, tuned))
    for phi in (100, 25, 1 / 0.3**2):
        yield Test(f"mSPRT {phi:.0f}", _every(), peers.msprt(n, LEVEL, phi))
    yield Test("Bonferroni", _every(), peers.bonferroni(n, LEVEL))


def _grouped() -> Iterator[Test]:
    powers = {"linear": 1, "cubic": 3}
    for name, power in powers.items():
        for looks in (14, 28, 42, 56):
            bounds = peers.planned(looks, LEVEL, power)
            yield _standardised(f"group sequential, {name}, {looks} looks", bounds)
    for name, power in powers.items():
        for looks in (14, 56):
            bounds = peers.overrun(looks // 2, looks, LEVEL, power)
            yield _standardised(f"{name}, {looks} looks of {looks // 2} planned", bounds)


def _standardised(name: str, bounds: tuple[float, ...]) -> Test:
    """Looks at equal distances, each at a whole pair as R cuts it."""
    looks = np.asarray([PAIRS * look // len(bounds) for look in range(1, len(bounds) + 1)])
    return Test(name, looks, np.asarray(bounds) * np.sqrt(looks))


@cache
def outcomes(runs: int, seed: int = SEED) -> tuple[Outcome, ...]:
    """Return what each test found in so many runs of each effect."""
    every = tests()
    rates: dict[str, list[float]] = {test.name: [] for test in every}
    saved: dict[str, float] = {}
    for number, effect in enumerate(EFFECTS):
        chance = np.random.default_rng([seed, number])
        crossed = dict.fromkeys(rates, 0)
        kept = dict.fromkeys(rates, 0.0)
        for start in range(0, runs, _AT_ONCE):
            pairs = chance.standard_normal((min(_AT_ONCE, runs - start), PAIRS))
            pairs += effect / np.sqrt(2)  # in standard deviations of a difference
            sums = np.cumsum(pairs, axis=1)
            higher = np.cumsum(pairs > 0, axis=1, dtype=np.float64)
            for test in every:
                first = _first(test, higher if test.counts else sums)
                crossed[test.name] += len(first)
                kept[test.name] += float(np.sum(1 - first / PAIRS))
        for name, many in crossed.items():
            rates[name].append(many / runs)
        if effect == _SAVED_AT:
            saved = {name: share / runs for name, share in kept.items()}
    return tuple(Outcome(name, tuple(rates[name]), saved[name]) for name in rates)


def _first(test: Test, sums: peers.Numbers) -> NDArray[np.int64]:
    """Return at which pair each run that crosses first does so."""
    over = sums[:, test.looks - 1] > test.bounds
    return np.asarray(test.looks[np.argmax(over, axis=1)][over.any(axis=1)])


def allowed(runs: int) -> float:
    """Return how far from the published figures so many runs may be.

    At 100,000 the standard error of the difference of two such shares is 0.0022 at most. With
    fewer runs, five standard errors more.
    """
    if runs >= RUNS:
        return APART
    return APART + 5 * math.sqrt(0.25 / runs + 0.25 / RUNS)
