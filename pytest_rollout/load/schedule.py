"""When arrivals are planned, and how many users there are at a time; pure.

A shape is a chain of straight pieces of the load over time. Planned arrivals follow from it by
inversion: the time at which the load that was offered so far reaches the next of a process of
rate 1 (Lewis and Shedler 1979).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.load import Law, LoadProfile, Shape, ShapeKind

_SECOND = 1_000_000
_NEAR = 8  # pieces that may lie in one second, where it is asked how many users there are


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch in which the load goes from one share of the full load to another; seconds."""

    start: float
    end: float
    first: float
    last: float

    def at(self, second: float) -> float:
        """Return the share at a time inside of it."""
        return self.first + (self.last - self.first) * (second - self.start) / self.length

    @property
    def length(self) -> float:
        """How long it lasts."""
        return self.end - self.start

    @property
    def offered(self) -> float:
        """The load offered in all of it, in seconds of full load."""
        return (self.first + self.last) / 2 * self.length

    def reached(self, offered: float) -> float:
        """Return the time at which so much of its load is offered."""
        slope = (self.last - self.first) / self.length
        if abs(slope) < 1e-12:
            return self.start + offered / self.first
        # first·x + slope·x²/2 = offered, solved for x without cancellation
        root = math.sqrt(max(0.0, self.first**2 + 2 * slope * offered))
        return self.start + 2 * offered / (self.first + root)


def pieces(shape: Shape, duration_us: int) -> tuple[Piece, ...]:
    """Return the pieces of a shape from 0 to the duration; those without load are left out."""
    whole = duration_us / _SECOND
    made = _MAKERS[shape.kind](shape, whole)
    cut = (_cut(piece, whole) for piece in made if piece.start < whole)
    return tuple(piece for piece in cut if piece.length > 0 and piece.offered > 0)


def _cut(piece: Piece, end: float) -> Piece:
    if piece.end <= end:
        return piece
    return Piece(piece.start, end, piece.first, piece.at(end))


def _steady(shape: Shape, whole: float) -> Iterator[Piece]:
    yield Piece(0, whole, 1, 1)


def _ramp(shape: Shape, whole: float) -> Iterator[Piece]:
    over = shape.over_us / _SECOND or whole / 2
    yield Piece(0, over, 0, 1)
    if over < whole:
        yield Piece(over, whole, 1, 1)


def _stairs(shape: Shape, whole: float) -> Iterator[Piece]:
    steps = shape.steps or 4
    for step in range(steps):
        level = (step + 1) / steps
        yield Piece(whole * step / steps, whole * (step + 1) / steps, level, level)


def _spike(shape: Shape, whole: float) -> Iterator[Piece]:
    lasts = min(whole, shape.lasts_us / _SECOND or whole / 5)
    start = (whole - lasts) / 2
    if start > 0:
        yield Piece(0, start, 1, 1)
    yield Piece(start, start + lasts, shape.peak, shape.peak)
    if start + lasts < whole:
        yield Piece(start + lasts, whole, 1, 1)


def _burst(shape: Shape, whole: float) -> Iterator[Piece]:
    every = shape.every_us / _SECOND or whole
    lasts = shape.lasts_us / _SECOND or min(1.0, every)
    for number in range(math.ceil(whole / every)):
        yield Piece(number * every, number * every + lasts, 1, 1)


_MAKERS = {
    ShapeKind.STEADY: _steady,
    ShapeKind.SOAK: _steady,
    ShapeKind.RAMP: _ramp,
    ShapeKind.STAIRS: _stairs,
    ShapeKind.SPIKE: _spike,
    ShapeKind.BURST: _burst,
}


def level(shape: Sequence[Piece], second: float) -> float:
    """Return the share of the full load at a time; between pieces it is 0."""
    return next((piece.at(second) for piece in shape if piece.start <= second < piece.end), 0.0)


def users_at(profile: LoadProfile, second: float) -> int:
    """Return how many users a profile without arrivals has at a time."""
    share = level(pieces(profile.shape, profile.offer.duration_us), second)
    return math.ceil(share * (profile.offer.users or 0) - 1e-9)


def arrivals(profile: LoadProfile, worker: int = 0, workers: int = 1) -> Iterator[float]:
    """Yield the planned starts of one of several workers, in seconds since the begin.

    The arrivals of all workers together are those of the profile: even ones in turn, and a sum of
    independent Poisson processes is one.
    """
    offer = profile.offer
    assert offer.rate is not None
    share = 1 if profile.law is Law.EVEN else 1 / workers
    ticks = _even(worker, workers) if profile.law is Law.EVEN else _poisson(profile, worker)
    before = 0.0  # offered in earlier pieces
    tick = next(ticks)
    for piece in pieces(profile.shape, offer.duration_us):
        held = piece.offered * offer.rate * share
        while tick < before + held:
            yield piece.reached((tick - before) / (offer.rate * share))
            tick = next(ticks)
        before += held


def _even(worker: int, workers: int) -> Iterator[float]:
    tick = worker + 0.5
    while True:
        yield tick
        tick += workers


def _poisson(profile: LoadProfile, worker: int) -> Iterator[float]:
    random = Random(f"{profile.id}/{profile.seed}/{worker}")
    tick = 0.0
    while True:
        tick += random.expovariate(1.0)
        yield tick


def planned_by_second(profile: LoadProfile, workers: int = 1) -> Counter[int]:
    """Return how many arrivals all workers together plan in each second."""
    planned: Counter[int] = Counter()
    for worker in range(workers):
        planned.update(map(int, arrivals(profile, worker, workers)))
    return planned


def least_users_by_second(profile: LoadProfile) -> list[int]:
    """Return the least number of users that a profile without arrivals has in each second."""
    whole = -(-profile.offer.duration_us // _SECOND)
    least = [0] * whole
    shape, first = _shape_of(profile), 0
    for second in range(whole):
        while first < len(shape) and shape[first].end <= second:
            first += 1
        levels = []
        for quarter in range(4):
            levels.append(level(shape[first : first + _NEAR], second + quarter / 4))
        least[second] = math.ceil(min(levels) * (profile.offer.users or 0) - 1e-9)
    return least


def in_flight(profile: LoadProfile) -> int:
    """Return how many requests of planned arrivals may be under way at once, over all workers.

    Where the plan states no `users`, enough for answers that take two seconds each at the peak. Of
    more users each would ask so rarely that targets close its connection in between.
    """
    offer = profile.offer
    assert offer.rate is not None
    if offer.users is not None:
        return offer.users
    most = max((max(piece.first, piece.last) for piece in _shape_of(profile)), default=1.0)
    return max(4, math.ceil(2 * most * offer.rate))


def _shape_of(profile: LoadProfile) -> tuple[Piece, ...]:
    return pieces(profile.shape, profile.offer.duration_us)
