"""Whether the figures of a load record agree with each other: what does not, as data; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

from pytest_rollout.load.histograms import many, quantile
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.load import LoadRecord, LoadSecond

MOST_LONGER_US = 60_000_000  # than planned: until all that began has ended, and is written
_QUANTILES = ((1, 2), (95, 100), (99, 100), (1, 1))
_SECOND_US = 1_000_000


def are_counts(record: LoadRecord) -> bool:
    """Return whether all that should be counts are: whole numbers that are not negative."""
    histograms = [record.start_delay]
    counts = [record.planned, record.started, record.dropped, record.other_errors]
    counts += [record.unasked, record.raised, record.beside, record.begins_apart_us]
    for endpoint in record.endpoints:
        histograms += [endpoint.latency, endpoint.service_time]
        counts += [endpoint.requests, endpoint.failures]
    for second in record.seconds:
        counts += [second.second, second.planned, second.started, second.answered]
        counts += [second.failed, second.users]
    counts += [group.count for group in record.errors]
    counts += [count for histogram in histograms for count in histogram.values()]
    return min(counts) >= 0 and all(
        value.isdecimal() for histogram in histograms for value in histogram
    )


def at_odds(record: LoadRecord) -> Iterator[Reason]:
    """Yield the one reason that says how figures of a record contradict each other, if they do."""
    what = (*_shares(record), *_names(record), *_sums(record), *_times(record))
    if what:
        yield Reason("load.at-odds", {"what": what})


def _shares(record: LoadRecord) -> Iterator[str]:
    """That a process does not say how full its core was."""
    for generator in record.generators:
        if generator.completed and not all(
            map(_is_share, (generator.cpu_share, generator.cpu_peak))
        ):
            yield "processor"
            return


def _is_share(share: float | None) -> bool:
    return share is not None and isfinite(share) and share >= 0


def _names(record: LoadRecord) -> Iterator[str]:
    """That something stands in it twice."""
    names: Mapping[str, Sequence[object]] = {
        "endpoint-twice": [endpoint.name for endpoint in record.endpoints],
        "generator-twice": [generator.worker for generator in record.generators],
        "second-twice": [second.second for second in record.seconds],
    }
    for what, each in names.items():
        if len(set(each)) < len(each):
            yield what


def _sums(record: LoadRecord) -> Iterator[str]:
    """Sums of endpoints, of seconds and of errors that differ, where no part of them is lost."""
    if not record.completed or not all(generator.completed for generator in record.generators):
        return
    seconds, endpoints = record.seconds, record.endpoints
    if any(second.failed > second.answered for second in seconds):
        yield "failures-beyond"
    requests = sum(endpoint.requests for endpoint in endpoints)
    failures = sum(endpoint.failures for endpoint in endpoints)
    warm = record.warm_up_us // _SECOND_US
    after = [second for second in seconds if second.second >= warm]
    answered, failed = _answers(after), sum(second.failed for second in after)
    # What began in the warm-up may have ended after it, and stands in seconds alone.
    spilled = _spilled(record, warm) if record.warm_up_us else 0
    if not answered - spilled <= requests <= answered:
        yield "requests"
    if not failed - spilled <= failures <= failed:
        yield "failures"
    errors = sum(group.count for group in record.errors) + record.other_errors
    if errors > sum(second.failed for second in seconds) + record.beside:
        yield "errors"


def _spilled(record: LoadRecord, warm: int) -> int:
    """How many requests that began in the warm-up can have ended after it."""
    last = warm if record.warm_up_us % _SECOND_US else warm - 1
    begun = sum(max(each.planned, each.started) for each in record.seconds if each.second <= last)
    started = sum(second.started for second in record.seconds)
    # Requests of an arrival; arrivals that ask several may have asked more in the warm-up.
    each = -(-_answers(record.seconds) // started) if started else 0
    ended = _answers([second for second in record.seconds if second.second < warm])
    return max(0, begun * (each if each <= 1 else each + 1) - ended)


def _answers(seconds: Sequence[LoadSecond]) -> int:
    return sum(second.answered for second in seconds)


def _times(record: LoadRecord) -> Iterator[str]:
    """Times that cannot be."""
    if record.ended_us - record.started_us > record.duration_us + MOST_LONGER_US:
        yield "long"
    for endpoint in record.endpoints:
        latency, service = endpoint.latency, endpoint.service_time
        if many(latency) == many(service) and any(
            (quantile(latency, *part) or 0) < (quantile(service, *part) or 0) for part in _QUANTILES
        ):
            yield "latency"
            return
