"""What a process reports each second, as a message of locust: counts, and encoded histograms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from hdrh.histogram import HdrHistogram

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.load.generator import histograms
from pytest_rollout.load.generator.tally import Endpoint, Second, Tally
from pytest_rollout.model.coding import decode, encode
from pytest_rollout.model.load import GeneratorFacts


@dataclass(frozen=True, slots=True)
class EndpointPart:
    """What an endpoint answered since the part before."""

    requests: int
    failures: int
    latency: HdrHistogram
    service_time: HdrHistogram

    @classmethod
    def of(cls, endpoint: Endpoint) -> EndpointPart:
        """Return what was counted as a part."""
        latency, service = map(histograms.of_counts, (endpoint.latency, endpoint.service_time))
        return cls(endpoint.requests, endpoint.failures, latency, service)


@dataclass(frozen=True, slots=True)
class Part:
    """What one process counted since the part before, and says of itself by now."""

    worker: int
    number: int  # 0, 1, 2, …: a part that is missing shows
    begin_us: int  # of its load, since the epoch
    elapsed_us: int  # since the begin
    started: int  # so far
    seconds: Mapping[int, Second]
    endpoints: Mapping[str, EndpointPart]
    start_delay: HdrHistogram
    errors: Counter[tuple[str, str]]
    other_errors: int
    facts: GeneratorFacts  # completed: it is the last part
    unasked: int = 0  # arrivals so far whose task asked nothing
    raised: int = 0  # tasks so far that raised, though nothing that they asked failed
    beside: int = 0  # errors so far that are no request of the load

    @classmethod
    def of(cls, tally: Tally, facts: GeneratorFacts, **figures: int) -> Part:
        """Return what was counted as a part."""
        return cls(
            **figures,
            seconds=tally.seconds,
            endpoints={name: EndpointPart.of(end) for name, end in tally.endpoints.items()},
            start_delay=histograms.of_counts(tally.start_delay),
            errors=tally.errors,
            other_errors=tally.other_errors,
            facts=facts,
        )


def to_message(part: Part) -> dict[str, Any]:
    """Return a part as plain values, its histograms as the library encodes them."""
    return {
        "worker": part.worker,
        "number": part.number,
        "begin_us": part.begin_us,
        "elapsed_us": part.elapsed_us,
        "started": part.started,
        "seconds": [_seconds_out(number, second) for number, second in part.seconds.items()],
        "endpoints": [
            (name, end.requests, end.failures, end.latency.encode(), end.service_time.encode())
            for name, end in part.endpoints.items()
        ],
        "start_delay": part.start_delay.encode(),
        "errors": [(*group, count) for group, count in part.errors.items()],
        "other_errors": part.other_errors,
        "facts": encode(part.facts),
        "unasked": part.unasked,
        "raised": part.raised,
        "beside": part.beside,
    }


def from_message(data: Mapping[str, Any]) -> Part:
    """Return the part in a message."""
    return Part(
        data["worker"],
        data["number"],
        data["begin_us"],
        data["elapsed_us"],
        data["started"],
        dict(map(_seconds_in, data["seconds"])),
        {
            name: EndpointPart(
                requests, failures, HdrHistogram.decode(latency), HdrHistogram.decode(service)
            )
            for name, requests, failures, latency, service in data["endpoints"]
        },
        HdrHistogram.decode(data["start_delay"]),
        Counter({(endpoint, says): count for endpoint, says, count in data["errors"]}),
        data["other_errors"],
        decode(GeneratorFacts, data["facts"]),
        data["unasked"],
        data["raised"],
        data["beside"],
    )


def _seconds_out(number: int, second: Second) -> tuple[Any, ...]:
    counts = [item for pair in second.latency.items() for item in pair]
    figures = second.planned, second.started, second.answered, second.failed, second.users
    return (number, *figures, counts)


def _seconds_in(data: tuple[Any, ...]) -> tuple[int, Second]:
    number, *figures, counts = data
    second = Second(*figures)
    second.latency.update(zip(counts[::2], counts[1::2], strict=True))
    return number, second
