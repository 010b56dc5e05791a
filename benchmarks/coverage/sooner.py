"""How often a guardrail finds what is worse, and after how many samples."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.coverage.watched import dropping, fewest_bad, first_trip, moving, since, tripping

_SINCE = (
    # asked, samples, true shares
    (0.95, 500, (0.95, 0.93, 0.92, 0.9, 0.85)),
    (0.98, 240, (0.98, 0.96, 0.95, 0.93, 0.9)),
    (0.99, 2000, (0.99, 0.985, 0.98, 0.97, 0.95)),
    (0.999, 5000, (0.999, 0.998, 0.997, 0.995, 0.99)),
)
_MOVING = (
    # asked, last, samples, true shares from half time
    (0.95, 50, 500, (0.95, 0.92, 0.9, 0.88, 0.85)),
    (0.95, 20, 500, (0.95, 0.9, 0.85, 0.8, 0.7)),
    (0.98, 20, 240, (0.98, 0.95, 0.9, 0.85, 0.8)),
    (0.99, 100, 2000, (0.99, 0.97, 0.95, 0.93, 0.9)),
)


@dataclass(frozen=True)
class Found:
    """How often a guardrail trips on a service, and the mean of after how many samples."""

    truth: float
    share: float
    after: float | None  # of a service that gets worse at half time, since then


@dataclass(frozen=True)
class Row:
    """A guardrail, and what it finds; the first of that is what it was not to find."""

    guardrail: str
    service: str
    cells: tuple[Found, ...]


def rows(rollouts: int, seed: int) -> Iterator[Row]:
    """Return each guardrail with what it finds; those since the begin are exact."""
    for asked, samples, truths in _SINCE:
        fewest = fewest_bad(tripping(since(asked)), samples)
        cells = tuple(exactly(fewest, truth) for truth in truths)
        yield Row("since the begin", f"{samples} samples, {asked:g} asked", cells)
    for asked, last, samples, truths in _MOVING:
        fewest = fewest_bad(tripping(moving(asked, last, samples)), last)
        name = f"{seed}/last {last}/{asked}"
        cells = tuple(
            dropped(
                random.Random(f"{name}/{truth}"), fewest, (asked, truth), (samples, last), rollouts
            )
            for truth in truths
        )
        yield Row(f"over the last {last}", f"{samples} samples, {asked:g} asked", cells)


def exactly(fewest: Sequence[int], truth: float) -> Found:
    """Return what a guardrail since the begin finds, counted out without chance.

    ``fewest`` are the bad ones that trip it, of 0, 1, ... samples.
    """
    states = {0: 1.0}  # the chance of so many bad ones without a trip
    share = total = 0.0
    for n in range(1, len(fewest)):
        later: dict[int, float] = {}
        for bad, weight in states.items():
            later[bad] = later.get(bad, 0.0) + weight * truth
            later[bad + 1] = later.get(bad + 1, 0.0) + weight * (1 - truth)
        now = sum(weight for bad, weight in later.items() if bad >= fewest[n])
        share, total = share + now, total + now * n
        states = {bad: weight for bad, weight in later.items() if bad < fewest[n]}
    return Found(truth, share, total / share if share else None)


def dropped(
    chance: random.Random,
    fewest: Sequence[int],
    shares: tuple[float, float],
    sizes: tuple[int, int],
    rollouts: int,
) -> Found:
    """Return what a guardrail over the last samples finds of a drop at half time.

    ``sizes`` are the samples of the phase and of the window. Only looks after the drop count;
    where the service stays as good as asked, all do.
    """
    samples, last = sizes
    course = dropping(*shares, samples)
    half = 0 if shares[0] == shares[1] else samples // 2
    after = []
    for _ in range(rollouts):
        tripped = first_trip(chance, fewest, course, last, need=last, after=half)
        if tripped is not None:
            after.append(tripped - half)
    return Found(shares[1], len(after) / rollouts, sum(after) / len(after) if after else None)
