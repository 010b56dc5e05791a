"""Figures of a load record, all of them computed from its histograms and counters; pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import accumulate
from math import ceil

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.load import EndpointLoad, LoadRecord
from pytest_rollout.model.load_values import throughput

SECOND_US = 1_000_000
QUANTILES: Mapping[str, Fraction] = {
    "p50": Fraction(1, 2),
    "p90": Fraction(9, 10),
    "p95": Fraction(19, 20),
    "p99": Fraction(99, 100),
    "p99.9": Fraction(999, 1000),
    "max": Fraction(1),
}


@dataclass(frozen=True, slots=True)
class Distribution:
    """The values of a histogram in order, each with how many are no larger."""

    values: tuple[int, ...] = ()
    below: tuple[int, ...] = ()

    @classmethod
    def of(cls, histograms: Iterable[Mapping[str, int] | Mapping[int, int]]) -> Distribution:
        """Return what several histograms hold together; raises ValueError for other values."""
        counts: Counter[int] = Counter()
        for histogram in histograms:
            for value, count in histogram.items():
                if count < 0:
                    raise ValueError(f"{count} of the value {value!s:.40}")
                counts[int(value)] += count
        values = sorted(value for value, count in counts.items() if count)
        return cls(tuple(values), tuple(accumulate(counts[value] for value in values)))

    @property
    def n(self) -> int:
        """How many values there are."""
        return self.below[-1] if self.below else 0

    @property
    def most(self) -> int | None:
        """The largest value; None where there is none."""
        return self.values[-1] if self.values else None

    def at(self, quantile: Fraction) -> int | None:
        """Return the value of the nearest rank: ceil(q·n), from 1; None where there is none."""
        if not self.values:
            return None
        return self.values[bisect_left(self.below, max(1, ceil(quantile * self.n)))]

    def spread(self) -> tuple[int | None, ...]:
        """Return the value at each of the usual quantiles, the largest as the last."""
        return tuple(self.at(quantile) for quantile in QUANTILES.values())

    def curve(self) -> Iterator[tuple[float, int]]:
        """Yield each value with 1 / (1 - q), where q is the share of values below it."""
        before = 0
        for value, below in zip(self.values, self.below, strict=True):
            yield self.n / (self.n - before), value
            before = below


@dataclass(frozen=True, slots=True)
class EndpointFigures:
    """What is shown of one endpoint, or of all together."""

    name: str  # empty: all of them
    requests: int
    failures: int
    latency: Distribution
    service_time: Distribution

    @property
    def failed_share(self) -> float | None:
        """Which share of the requests failed; None where there was none."""
        return self.failures / self.requests if self.requests else None


def endpoint_figures(record: LoadRecord) -> tuple[EndpointFigures, ...]:
    """Return the figures of each endpoint, by its name."""
    return tuple(
        _figures(endpoint.name, (endpoint,)) for endpoint in sorted(record.endpoints, key=_name)
    )


def total_figures(record: LoadRecord) -> EndpointFigures:
    """Return the figures of all endpoints together."""
    return _figures("", record.endpoints)


def _name(endpoint: EndpointLoad) -> str:
    return endpoint.name


def _figures(name: str, endpoints: Sequence[EndpointLoad]) -> EndpointFigures:
    return EndpointFigures(
        name,
        sum(endpoint.requests for endpoint in endpoints),
        sum(endpoint.failures for endpoint in endpoints),
        Distribution.of(endpoint.latency for endpoint in endpoints),
        Distribution.of(endpoint.service_time for endpoint in endpoints),
    )


@dataclass(frozen=True, slots=True)
class RateFigures:
    """Arrivals and answers a second; None where nothing tells."""

    offered: float | None  # planned, over the whole run
    started: float | None  # over the time that it ran, at most the planned one
    answered: float | None  # without a failure, over the whole seconds after the warm-up


def rate_figures(record: LoadRecord) -> RateFigures:
    """Return what was offered, started and answered well, a second."""
    ran = min(record.duration_us, max(0, record.ended_us - record.started_us))
    good = [answered for _, answered in throughput(record)]
    return RateFigures(
        record.offered_rate,
        record.started / ran * SECOND_US if ran else None,
        sum(good) / len(good) if good else None,
    )


def started_share(record: LoadRecord) -> float | None:
    """Return which share of the planned arrivals started; None where none was planned."""
    return record.started / record.planned if record.planned else None
