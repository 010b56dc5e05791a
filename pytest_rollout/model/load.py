"""Load: what a profile plans to offer, and the record of what was really offered and answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from enum import StrEnum

from pytest_rollout.late_dataclass import dataclass


class ShapeKind(StrEnum):
    """How the load changes from its begin to its end."""

    STEADY = "steady"
    RAMP = "ramp"  # up to the full load, then steady
    STAIRS = "stairs"  # up to the full load in equal steps
    SPIKE = "spike"  # a multiple of the load in the middle
    BURST = "burst"  # the full load for a moment, again and again, and nothing between
    SOAK = "soak"  # steady, for long


class Law(StrEnum):
    """How arrivals follow each other."""

    EVEN = "even"  # all gaps equal
    POISSON = "poisson"  # independent of each other, as those of many people are


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of a load, with what its kind needs; microseconds."""

    kind: ShapeKind = ShapeKind.STEADY
    over_us: int = 0  # ramp: how long it goes up
    steps: int = 0  # stairs: how many
    peak: float = 1.0  # spike: times the load
    every_us: int = 0  # burst: from the begin of one to the begin of the next
    lasts_us: int = 0  # burst, spike: how long it lasts


@dataclass(frozen=True, slots=True)
class Offer:
    """How much is offered, and for how long. Either arrivals or users are planned."""

    duration_us: int
    rate: float | None = None  # planned arrivals a second; None: users are planned
    users: int | None = None  # who ask one after the other; with a rate: at most in flight
    warm_up_us: int = 0  # from the begin on: counted, and not judged


@dataclass(frozen=True, slots=True)
class Generators:
    """Who makes the load: processes of this machine, or workers that connect to it."""

    processes: int = 1
    workers: int = 0  # started by hand on other machines; 0: none are waited for
    bind: str = ""  # host:port where they connect


@dataclass(frozen=True, slots=True)
class LoadProfile:
    """One load, as the plan states it under `loads:`."""

    id: str
    says: str
    locustfile: str  # its path below the root of the project
    target: str  # whose address is the host of the locustfile
    offer: Offer
    shape: Shape = field(default_factory=Shape)
    law: Law = Law.POISSON
    seed: int = 1
    generators: Generators = field(default_factory=Generators)
    most_start_delay_us: int = 100_000  # of 99 in 100 arrivals
    need: int = 1  # requests after the warm-up
    rehearsal: Offer | None = None  # what is offered to an embedded target; None: the same
    line: int = 0

    @property
    def open_loop(self) -> bool:
        """Whether arrivals are planned, whatever the target answers."""
        return self.offer.rate is not None

    def rehearsed(self) -> LoadProfile:
        """Return the profile as it is run on an embedded target."""
        return self if self.rehearsal is None else replace(self, offer=self.rehearsal)


@dataclass(frozen=True, slots=True)
class EndpointLoad:
    """What one endpoint answered after the warm-up."""

    name: str
    requests: int
    failures: int
    # Histograms: microseconds, as HDR buckets of three digits give them, to count.
    latency: Mapping[str, int]  # from the planned start
    service_time: Mapping[str, int]  # from the real start: what a closed loop would say


@dataclass(frozen=True, slots=True)
class LoadSecond:
    """One second of the run; the figures of all workers added up."""

    second: int  # since the begin
    planned: int
    started: int
    answered: int
    failed: int
    users: int
    p50_us: int | None = None  # from the planned start, of requests that ended in it
    p95_us: int | None = None
    p99_us: int | None = None


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Failures that say the same."""

    endpoint: str
    says: str
    count: int


@dataclass(frozen=True, slots=True)
class GeneratorFacts:
    """What one process that made load says of itself."""

    worker: str
    completed: bool  # it reported to the end
    cpu_share: float | None = None  # of one core, the mean over the run
    cpu_peak: float | None = None  # of one core, the largest over 5 s
    clock_jump_us: int = 0  # largest step of the wall clock against the monotonic one
    late_wakeups_us: int = 0  # p99 of how late its own timer woke it


@dataclass(frozen=True, slots=True)
class LoadRecord:
    """What a load run offered and what was answered: evidence, as it stands in a file."""

    profile: str
    open_loop: bool
    started_us: int  # since the epoch
    ended_us: int
    completed: bool  # it ran to its planned end
    planned: int  # arrivals up to the planned end; of a closed loop what was started
    started: int
    dropped: int  # planned and never started
    start_delay: Mapping[str, int]  # microseconds to count
    endpoints: tuple[EndpointLoad, ...]
    seconds: tuple[LoadSecond, ...]
    errors: tuple[ErrorGroup, ...]
    generators: tuple[GeneratorFacts, ...]
    workers_expected: int
    warm_up_us: int
    duration_us: int  # planned
    law: Law
    seed: int
    offered_rate: float | None  # planned arrivals a second, over the whole run
    most_users: int = 0
    tools: Mapping[str, str] = field(default_factory=dict)  # versions: locust, hdrhistogram
    trouble: str = ""  # why there is no more of it
    other_errors: int = 0  # failures beyond the groups that are kept
    unasked: int = 0  # arrivals whose task asked nothing
    raised: int = 0  # tasks that raised, though nothing that they asked failed
    beside: int = 0  # errors that are no request of the load: of preparing users, and of `raised`
    begins_apart_us: int = 0  # how long after the first process the last one began


# The series that a criterion with `check: {load: …}` can judge, and what a value of each is.
LATENCY = "load_latency"  # seconds from the planned start, by endpoint
SERVICE_TIME = "load_service_time"  # seconds from the real start, by endpoint
FAILED = "load_failed"  # one outcome a request, 1 where it failed, by endpoint
THROUGHPUT = "load_throughput"  # answers without a failure in each second after the warm-up
SERIES = (LATENCY, SERVICE_TIME, FAILED, THROUGHPUT)
ENDPOINT = "endpoint"
LOAD = "load"  # the label with the profile's id
OFFER = "offer"  # the label with the fingerprint of what is offered
