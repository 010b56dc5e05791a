"""What the record of a load gives to rules: times by endpoint, failures, and answers a second."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from decimal import Decimal
from typing import Protocol

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.load import (
    ENDPOINT,
    FAILED,
    LATENCY,
    LOAD,
    OFFER,
    SERVICE_TIME,
    THROUGHPUT,
    LoadRecord,
)
from pytest_rollout.model.load_values import throughput, with_failures

_SECOND_US = 1_000_000


class Observer(Protocol):
    """Who takes what was seen: the `observe` fixture."""

    def __call__(self, metric: str, value: object, /, *, at: float, **labels: object) -> None:
        """One number."""
        ...

    def ratio(self, metric: str, /, *, bad: int, of: int, at: float, **labels: object) -> None:
        """Outcomes."""
        ...

    def distribution(
        self, metric: str, values: Mapping[object, int], /, *, at: float, **labels: object
    ) -> None:
        """Many numbers."""
        ...


@dataclass(frozen=True, slots=True)
class Times:
    """How long what an endpoint was asked took: seconds, as exact texts of decimals, to count."""

    counts: Mapping[object, int]
    labels: Mapping[str, str] = field(default_factory=dict)


def times(record: LoadRecord, series: str) -> Iterator[Times]:
    """Yield how long requests took at each endpoint, with a worst time for each that failed."""
    for endpoint in record.endpoints:
        histogram = endpoint.latency if series == LATENCY else endpoint.service_time
        counts = with_failures(endpoint, histogram)
        exact: dict[object, int] = {
            Decimal(value) / _SECOND_US: count for value, count in sorted(counts.items())
        }
        yield Times(exact, {ENDPOINT: endpoint.name, LOAD: record.profile})


def observe_series(
    observe: Observer,
    record: LoadRecord,
    series: str,
    at_us: int,
    *,
    by_second: bool,
    offer: str = "",
) -> None:
    """Observe one series of a record; ``by_second``: each second at its own time before ``at``.

    ``offer`` is the fingerprint of what was offered, which becomes a label.
    """
    at, offered = at_us / _SECOND_US, {OFFER: offer} if offer else {}
    if series in (LATENCY, SERVICE_TIME):
        for time in times(record, series):
            observe.distribution(series, time.counts, at=at, **time.labels, **offered)
    elif series == FAILED:
        for endpoint in record.endpoints:
            bad, labels = endpoint.failures, {ENDPOINT: endpoint.name, LOAD: record.profile}
            labels |= offered
            observe.ratio(series, bad=bad, of=endpoint.requests, at=at, **labels)
    elif series == THROUGHPUT:
        begun = at - record.duration_us / _SECOND_US
        for second, answered in throughput(record):
            when = begun + second + 1 if by_second else at
            observe(series, answered, at=when, **{LOAD: record.profile}, **offered)
