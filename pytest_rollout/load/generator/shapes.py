"""Shapes of load as classes of locust: by name for any locustfile, and the one of a profile."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from locust import LoadTestShape

from pytest_rollout.load import schedule
from pytest_rollout.model.load import LoadProfile, Shape, ShapeKind

_AT_ONCE = 1_000_000.0  # users a second: all of them


class _Shaped(LoadTestShape):
    """A shape over time: as many users as `--users`, for as long as `--run-time`."""

    abstract = True
    use_common_options = True
    kind: ClassVar[ShapeKind]
    users: int | None = None  # at full load
    duration: float | None = None  # seconds; this and all others
    over: float = 0
    steps: int = 0
    peak: float = 2.0
    every: float = 0
    lasts: float = 0

    def tick(self) -> tuple[int, float] | None:
        """Return how many users there are now; None at the end."""
        seconds = self.get_run_time()
        options = self.runner.environment.parsed_options if self.runner else None
        duration = self.duration or getattr(options, "run_time", None) or 60
        users = self.users or getattr(options, "num_users", None) or 1
        if seconds >= duration:
            return None
        made = schedule.pieces(self.shape(), round(duration * 1e6))
        return round(schedule.level(made, seconds) * users), _AT_ONCE

    def shape(self) -> Shape:
        """Return it as data."""
        times = (round(1e6 * seconds) for seconds in (self.over, self.every, self.lasts))
        over_us, every_us, lasts_us = times
        return Shape(self.kind, over_us, self.steps, self.peak, every_us, lasts_us)


class Burst(_Shaped):
    """The full load for a moment (`lasts`), again and again (`every`), and nothing between."""

    abstract = False
    kind = ShapeKind.BURST


class Ramp(_Shaped):
    """Up to the full load (`over`), then steady."""

    abstract = False
    kind = ShapeKind.RAMP


class Soak(_Shaped):
    """Steady, for long."""

    abstract = False
    kind = ShapeKind.SOAK


class Spike(_Shaped):
    """A multiple of the load (`peak`) in the middle (`lasts`)."""

    abstract = False
    kind = ShapeKind.SPIKE


class Stairs(_Shaped):
    """Up to the full load in equal `steps`."""

    abstract = False
    kind = ShapeKind.STAIRS


class Steady(_Shaped):
    """The full load from begin to end."""

    abstract = False
    kind = ShapeKind.STEADY


class FollowProfile(LoadTestShape):
    """The shape of a profile: its users over time, until all that was begun has ended."""

    abstract = True

    def __init__(
        self, profile: LoadProfile, elapsed: Callable[[], float], ended: Callable[[], bool]
    ) -> None:
        super().__init__()
        self._profile, self._elapsed, self._ended = profile, elapsed, ended
        self._slots = schedule.in_flight(profile) if profile.open_loop else 0

    def tick(self) -> tuple[int, float] | None:
        """Return how many users there are now; None once the load has ended."""
        if self._ended():
            return None
        if self._profile.open_loop:
            return self._slots, _AT_ONCE
        duration = self._profile.offer.duration_us / 1e6
        seconds = min(max(0.0, self._elapsed()), duration - 1e-6)
        return schedule.users_at(self._profile, seconds), _AT_ONCE
