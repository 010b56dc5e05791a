"""What rules judge of a load record: times in which failures count, and answers a second; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from pytest_rollout.model.load import EndpointLoad, LoadRecord

_SECOND_US = 1_000_000
UNANSWERED_US = 86_400 * _SECOND_US  # of a request that failed: a day


def with_failures(endpoint: EndpointLoad, histogram: Mapping[str, int]) -> Mapping[int, int]:
    """Return the times of an endpoint, microseconds to count, with a worst one for each failure.

    A failure tells no time, and must not make the others look good: it counts as one that was
    answered after a day, beyond any cut, however short the load was. Where a histogram also holds
    failures, nobody knows which they are: they were its fastest.
    """
    counts = Counter({int(value): count for value, count in histogram.items() if count})
    inside = sum(counts.values()) - (endpoint.requests - endpoint.failures)
    for value in sorted(counts):
        taken = min(max(inside, 0), counts[value])
        counts[value] -= taken
        inside -= taken
    if endpoint.failures:
        counts[max([UNANSWERED_US, *counts])] += endpoint.failures
    return {value: count for value, count in counts.items() if count}


def throughput(record: LoadRecord) -> Iterator[tuple[int, int]]:
    """Yield each full second after the warm-up, with its answers that were no failure."""
    by_second = {
        load_second.second: load_second.answered - load_second.failed
        for load_second in record.seconds
    }
    first = -(-record.warm_up_us // _SECOND_US)
    for second in range(first, record.duration_us // _SECOND_US):
        yield second, by_second.get(second, 0)
