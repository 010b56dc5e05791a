"""What a process that makes load says of itself: processor time, late wake-ups, clock steps."""

from __future__ import annotations

from collections import Counter, deque

from gevent import get_hub

from pytest_rollout.load.generator import clock
from pytest_rollout.load.generator.histograms import index_of, percentiles
from pytest_rollout.model.load import GeneratorFacts

_WAKES_US = 10_000
_WAKES_S = _WAKES_US / 1e6
_WINDOW = 5  # seconds of the largest share


class Watch:
    """Watches its own process from the begin to the end."""

    def __init__(self) -> None:
        self._late: Counter[int] = Counter()  # of wake-ups, by index of the bucket
        self._jump_us = 0
        self._ticks: deque[tuple[float, float]] = deque(maxlen=_WINDOW + 1)
        self._first = self._reading()
        self._peak = 0.0
        self._ticks.append(self._first)

    def start(self) -> None:
        """Wake again and again, and note how late, until it is stopped.

        A timer calls a function: a greenlet that sleeps takes twice the processor time.
        """
        self._drift = clock.wall() - clock.steady()
        self._timer = get_hub().loop.timer(_WAKES_S, _WAKES_S)
        self._sleep()

    def stop(self) -> None:
        """Wake no more."""
        self._timer.close()

    def _sleep(self) -> None:
        self._timer.again(self._wake, update=True)
        self._due = clock.steady() + _WAKES_S

    def _wake(self) -> None:
        now = clock.steady()
        before, self._drift = self._drift, clock.wall() - now
        self._jump_us = max(self._jump_us, abs(round((self._drift - before) * 1e6)))
        self.woke(round((now - self._due) * 1e6))
        self._sleep()

    def woke(self, late_us: int) -> None:
        """Count a wake-up; one that is very late stands for those that it kept from happening."""
        self._late[index_of(late_us)] += 1
        while (late_us := late_us - _WAKES_US) > 0:
            self._late[index_of(late_us)] += 1

    def tick(self) -> None:
        """Note the processor time so far; called once a second."""
        now = self._reading()
        self._ticks.append(now)
        oldest = self._ticks[0]
        if now[0] - oldest[0] >= 1:
            self._peak = max(self._peak, _share(oldest, now))

    def facts(self, worker: str, *, completed: bool) -> GeneratorFacts:
        """Return what is known by now."""
        mean = _share(self._first, self._reading())
        (late_us,) = percentiles(self._late, (0.99,))
        return GeneratorFacts(
            worker,
            completed,
            cpu_share=round(mean, 4),
            cpu_peak=round(max(self._peak, mean), 4),
            clock_jump_us=self._jump_us,
            late_wakeups_us=late_us or 0,
        )

    @staticmethod
    def _reading() -> tuple[float, float]:
        return clock.steady(), clock.processor()


def _share(earlier: tuple[float, float], later: tuple[float, float]) -> float:
    lasted = later[0] - earlier[0]
    return (later[1] - earlier[1]) / lasted if lasted > 0 else 0.0
