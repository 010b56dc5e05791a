"""What a load came to over time, in as many points as a plot can show; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.load import LoadRecord, LoadSecond


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some seconds as one point: the worst latencies of them, and the mean of their counts."""

    start: int  # seconds since the begin
    end: int
    planned: float  # a second
    started: float
    answered: float
    failed: float
    p50_us: int | None
    p95_us: int | None
    p99_us: int | None

    @property
    def middle(self) -> float:
        """The time in the middle of it."""
        return (self.start + self.end) / 2


def stretches(record: LoadRecord, most: int) -> tuple[Stretch, ...]:
    """Return at most so many stretches, all of one length, from the begin to the last second.

    A stall is never averaged away: of several seconds the worst latency stands.
    """
    by_second = {second.second: second for second in record.seconds if second.second >= 0}
    if not by_second:
        return ()
    last = max(by_second) + 1
    length = ceil(last / most)
    return tuple(
        _stretch(
            start, length, [by_second[n] for n in range(start, start + length) if n in by_second]
        )
        for start in range(0, last, length)
    )


def _stretch(start: int, length: int, seconds: Sequence[LoadSecond]) -> Stretch:
    return Stretch(
        start,
        start + length,
        planned=sum(second.planned for second in seconds) / length,
        started=sum(second.started for second in seconds) / length,
        answered=sum(second.answered for second in seconds) / length,
        failed=sum(second.failed for second in seconds) / length,
        p50_us=_worst(second.p50_us for second in seconds),
        p95_us=_worst(second.p95_us for second in seconds),
        p99_us=_worst(second.p99_us for second in seconds),
    )


def _worst(times: Iterable[int | None]) -> int | None:
    return max((time for time in times if time is not None), default=None)
