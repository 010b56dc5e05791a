"""One trial of a nightly rule: years without a change, and nights after one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.nightly.rules import Ours, Pinned, Values, Watch

NIGHTS = 365
_BEFORE = 6  # healthy nights before a change
_AFTER = 10


@dataclass(frozen=True)
class Noise:
    """How figures of a healthy service vary from night to night, around 1.

    A slowdown adds to the figure; where ``grows`` is set it multiplies it, noise and all.
    """

    deviation: float = 0.03
    grows: bool = False
    common: float = 0.0  # the part of the variance that the runs of one night share
    law: str = "normal"  # or t5, or spikes: one run in 50 is far worse


@dataclass(frozen=True)
class Result:
    """What came of a rule."""

    alarms: float  # false ones a year
    wrong: float  # the standard error of that
    found: dict[int, float]  # by percent worse: within 3 nights
    asked: float  # more runs a night, of a healthy service


@dataclass
class Machine:
    """Many series of nights on machines of one noise."""

    noise: Noise
    series: int
    pinned: int
    seed: int
    pairs: bool = False  # whether the pinned nights had two runs each
    logs: bool = False  # whether the rule judges logarithms

    def __post_init__(self) -> None:
        self._draw = np.random.default_rng(self.seed)
        nights = [self.night() for _ in range(self.pinned)]
        first = np.array([night() for night in nights])
        self.known = Pinned(
            self.pinned,
            first.mean(axis=0),
            np.maximum(0.001, first.std(axis=0, ddof=1)),
            self._shared(first, np.array([night() for night in nights])),
        )

    def _shared(self, first: Values, second: Values) -> Values:
        if not self.pairs:
            return np.zeros(self.series)
        within = ((first - second) ** 2).mean(axis=0) / 2
        whole = (first.var(axis=0, ddof=1) + second.var(axis=0, ddof=1)) / 2
        return np.asarray(np.clip(1 - within / whole, 0, 1))

    def night(self, worse: float = 0.0) -> Callable[[], Values]:
        """Return what gives the runs of one night, one after the other."""
        together = self._law() * np.sqrt(self.noise.common)

        def run() -> Values:
            alone = self._law() * np.sqrt(1 - self.noise.common)
            figure = 1 + self.noise.deviation * (together + alone)
            figure = np.exp(figure - 1) * (1 + worse) if self.noise.grows else figure + worse
            return np.asarray(np.log(np.maximum(0.01, figure)) if self.logs else figure)

        return run

    def _law(self) -> Values:
        if self.noise.law == "t5":
            return np.asarray(self._draw.standard_t(5, self.series) / np.sqrt(5 / 3))
        drawn = self._draw.standard_normal(self.series)
        if self.noise.law == "spikes":
            far = self._draw.random(self.series) < 0.02
            drawn += far * self._draw.exponential(5, self.series)
        return drawn

    def tell(self, watch: Watch, worse: float = 0.0) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return which series a rule alarms on, on one more night."""
        run = self.night(worse)

        def standing() -> Values:
            return np.asarray((run() - self.known.mean) / self.known.noise)

        return watch.night(standing(), standing, self.known)


def tried(
    make: Callable[[], Watch],
    noise: Noise,
    series: int,
    seed: int,
    *,
    pinned: int = 30,
    pairs: bool = False,
    sizes: tuple[int, ...] = (5, 8),
    fresh: bool = False,
) -> Result:
    """Return what comes of a rule: a healthy year, and a lasting slowdown of some sizes.

    ``fresh``: each night is of another release, so that nights before say nothing.
    """
    watch = make()
    logs = isinstance(watch, Ours)
    machine = Machine(noise, series, pinned, seed, pairs, logs)
    false = np.zeros(series)
    asked = 0.0
    for _ in range(NIGHTS):
        false += machine.tell(watch)
        asked += _asked(watch)
        watch = make() if fresh else watch
    found = {
        size: _found(make, Machine(noise, series, pinned, seed + size, pairs, logs), size, fresh)
        for size in sizes
    }
    wrong = float(false.std(ddof=1) / np.sqrt(series))
    return Result(float(false.mean()), wrong, found, asked / NIGHTS)


def _asked(watch: Watch) -> float:
    if not isinstance(watch, Ours):
        return 0.0
    asked, watch.asked = watch.asked, 0.0
    return asked


def _found(make: Callable[[], Watch], machine: Machine, size: int, fresh: bool) -> float:
    """The share of series in which a slowdown is found within 3 nights."""
    watch = make()
    for _ in range(_BEFORE):
        machine.tell(watch)
        watch = make() if fresh else watch
    found = np.zeros(machine.series, dtype=bool)
    for _ in range(3):
        found |= machine.tell(watch, size / 100)
        watch = make() if fresh else watch
    return float(found.mean())
