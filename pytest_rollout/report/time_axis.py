"""A time axis in the plan's zone: places of instants, and round times below it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pytest_rollout import calendar
from pytest_rollout.late_dataclass import dataclass

_S = 1_000_000
_DAY_S = 86_400
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200)
_STEPS_D = (1, 2, 7, 14, 28, 91, 182, 364)
_SECONDS_BELOW = 60  # a step so short is written with its seconds


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Instants of a stretch to places from left to right."""

    first_us: int
    last_us: int
    left: float
    right: float
    zone: str

    @classmethod
    def over(cls, instants: list[int], left: float, right: float, zone: str) -> TimeAxis:
        """Return an axis from the first to the last of some instants."""
        first, last = min(instants), max(instants)
        if last == first:  # a single instant stands in the middle of a minute
            first, last = first - 30 * _S, last + 30 * _S
        return cls(first, last, left, right, zone)

    def __call__(self, at_us: int) -> float:
        """Return the place of an instant; one beyond the ends stands at the end."""
        at_us = min(max(at_us, self.first_us), self.last_us)
        share = (at_us - self.first_us) / (self.last_us - self.first_us)
        return self.left + (self.right - self.left) * share

    def ticks(self, most: int) -> Iterator[tuple[float, str]]:
        """Yield at most so many places with their words: ``09:05``, or ``10 Nov`` of days."""
        span_s = (self.last_us - self.first_us) / _S
        steps = [*_STEPS_S, *(days * _DAY_S for days in _STEPS_D)]
        step_s = next((step for step in steps if span_s / step <= most), steps[-1])
        zone = ZoneInfo(self.zone)
        start = calendar.from_us(self.first_us).astimezone(zone)
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
        passed_s = (start - midnight).total_seconds()
        number = -(-passed_s // step_s)
        while True:
            at = midnight + timedelta(seconds=number * step_s)
            at_us = calendar.to_us(at)
            if at_us > self.last_us:
                return
            yield self(at_us), _words(at, step_s)
            number += 1


def _words(at: datetime, step_s: float) -> str:
    if step_s >= _DAY_S:
        return f"{at.day} {at:%b}"
    return f"{at:%H:%M:%S}" if step_s < _SECONDS_BELOW else f"{at:%H:%M}"
