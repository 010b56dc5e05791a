"""The planned arrivals of one process: claimed by users who wait, counted second by second."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator

from pytest_rollout.load import schedule
from pytest_rollout.model.load import LoadProfile


class Timetable:
    """The arrivals of one worker, in order; each is claimed once."""

    def __init__(self, profile: LoadProfile, worker: int = 0, workers: int = 1) -> None:
        self._to_come: Iterator[float] = schedule.arrivals(profile, worker, workers)
        self._due: deque[float] = deque()
        self.planned: Counter[int] = Counter()  # by second; of those that were drawn so far

    def claim(self) -> float | None:
        """Return the next planned start, in seconds since the begin; None after the last one."""
        return self._due.popleft() if self._due else self._draw()

    def draw_until(self, second: float) -> None:
        """Count the arrivals up to a time as planned, whether or not a user claims them."""
        while (planned := self._draw()) is not None:
            self._due.append(planned)
            if planned > second:
                return

    def _draw(self) -> float | None:
        planned = next(self._to_come, None)
        if planned is not None:
            self.planned[int(planned)] += 1
        return planned
