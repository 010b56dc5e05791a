"""A load record in words: times, rates, shares, and the sentences that all its reports share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import cached_property
from math import floor, isfinite, log10

from pytest_rollout import calendar
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.load import Generators, LoadProfile, LoadRecord
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.report.load_cuts import CutSeen, LoadCut, all_seen
from pytest_rollout.report.load_figures import (
    SECOND_US,
    Distribution,
    EndpointFigures,
    RateFigures,
    endpoint_figures,
    rate_figures,
    total_figures,
)
from pytest_rollout.report.text import count

NOT_BELIEVED = "Not to be believed"
NO_TIMES = "Its times are not to be believed"
OTHERWISE = "Whether requests failed, and how many were answered, counts all the same."
CORRECTED, UNCORRECTED = "from the planned start", "from the real start"
NOTHING = "-"
FEW = 100  # answers: of fewer no 1 in 100 is seen
ANSWERS_ONLY = (
    "Times are of answers without a failure. A criterion counts a failure as a request that took a "
    "day, so what it sees can be longer."
)
CLOSED = (
    "Users ask one after the other, so a target that stalls is asked less: these figures hide "
    "stalls, and say nothing of arrivals that do not wait."
)


@dataclass(frozen=True)
class LoadReport:
    """A load record with all that its reports say beside it."""

    record: LoadRecord
    profile: LoadProfile | None = None  # as it was run; None: nobody knows it any more
    doubts: tuple[str, ...] = ()  # why it is not to be believed, in sentences
    cuts: tuple[LoadCut, ...] = ()
    place: str = ""  # where it was run: plan, phase, environment
    run: str = ""
    release: str = ""
    zone: str = "UTC"
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)  # of the decision, by criterion
    decision_page: str = ""  # of its gate, where that stands beside it
    of_times: tuple[str, ...] = ()  # why its times say nothing, though everything else counts

    @cached_property
    def reasons(self) -> tuple[str, ...]:
        """Why the record is not to be believed; where nobody said so, what it says of itself."""
        return (*self.doubts, *self.of_times) if self.doubts else tuple(_own_doubts(self.record))

    @property
    def believed(self) -> bool:
        """Whether its figures say something of the target."""
        return not self.reasons

    @property
    def times_believed(self) -> bool:
        """Whether how long its answers took says something of the target."""
        return self.believed and not self.of_times

    def is_evidence_for(self, cut: LoadCut) -> bool:
        """Whether it says something of the target that a cut is about."""
        return self.times_believed if cut.is_time else self.believed

    @cached_property
    def total(self) -> EndpointFigures:
        """The figures of all endpoints together."""
        return total_figures(self.record)

    @cached_property
    def endpoints(self) -> tuple[EndpointFigures, ...]:
        """The figures of each endpoint."""
        return endpoint_figures(self.record)

    @cached_property
    def shown(self) -> tuple[EndpointFigures, ...]:
        """The endpoints and, where there are several, all of them together."""
        return self.endpoints if len(self.endpoints) == 1 else (*self.endpoints, self.total)

    @property
    def rests_on(self) -> str:
        """How few answers all of it rests on, where they are few; empty where they are many."""
        n = self.total.requests
        few = self.believed and n < FEW
        return f"{count(n, 'answer')}: too few to tell how often one is slow" if few else ""

    @cached_property
    def rates(self) -> RateFigures:
        """What was offered, started and answered, a second."""
        return rate_figures(self.record)

    @cached_property
    def seen(self) -> tuple[CutSeen, ...]:
        """Each cut with what the record comes to beside it."""
        return all_seen(self.record, self.cuts)

    @cached_property
    def start_delay(self) -> Distribution:
        """How late arrivals started."""
        return Distribution.of((self.record.start_delay,))

    @property
    def says(self) -> str:
        """What the load stands for."""
        return self.profile.says if self.profile else ""


def _own_doubts(record: LoadRecord) -> Iterator[str]:
    """What makes a record unbelievable, whatever its profile says."""
    if record.trouble:
        yield f"the load broke off: {record.trouble}"
    if not record.completed:
        yield "the load did not run to its planned end"
    reported = sum(generator.completed for generator in record.generators)
    if reported < max(record.workers_expected, len(record.generators)):
        yield "not every process that made load reported to the end"
    if not any(endpoint.requests for endpoint in record.endpoints):
        yield "no request was answered after the warm-up"


def ms(us: float | None) -> str:
    """Return microseconds as milliseconds of three digits, without the unit: ``0.852``, ``12.3``.

    That is what histograms of three digits can tell.
    """
    if us is None:
        return NOTHING
    return three_digits(us / 1000)


def three_digits(value: float) -> str:
    """Return a number with three digits, as people write it: ``1,240``, ``0.852``, ``12.3``."""
    if not isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    rounded = round(value, 2 - floor(log10(abs(value))))
    return f"{rounded:,.{max(0, min(3, 2 - floor(log10(abs(rounded)))))}f}"


def time_words(us: float | None) -> str:
    """Return microseconds with the unit that reads best: ``852 us``, ``12.3 ms``, ``1.24 s``."""
    if us is None:
        return NOTHING
    if us < 1000:
        return f"{us:.0f} us" if us else "0 ms"
    if us < SECOND_US * 0.9995:
        return f"{three_digits(us / 1000)} ms"
    return f"{three_digits(us / SECOND_US)} s"


def tick_words(us: float) -> str:
    """Return round microseconds, as axes have them: ``500 us``, ``300 ms``, ``2 s``."""
    if 0 < us < 1000:
        return f"{us:g} us"
    return f"{us / 1000:g} ms" if us < SECOND_US else f"{us / SECOND_US:g} s"


def rate_words(rate: float | None) -> str:
    """Return a rate: ``39.8/s``."""
    return NOTHING if rate is None else f"{three_digits(rate)}/s"


def share_words(share: float | None) -> str:
    """Return a share in percent, never rounded up to all or down to none: ``99.97 %``."""
    if share is None:
        return NOTHING
    if share in (0, 1):
        return f"{share:.0%}"[:-1] + " %"
    if share > 0.999:
        return f"{min(floor(share * 10_000) / 100, 99.99):.2f} %"
    return "< 0.01 %" if share < 0.0001 else f"{three_digits(share * 100)} %"


def title(report: LoadReport) -> str:
    """Return the first line: which load."""
    return f"Load {report.record.profile}" + (f": {report.says}" if report.says else "")


def measured(report: LoadReport) -> str:
    """Return from when on the latency of a record is measured."""
    return CORRECTED if report.record.open_loop else UNCORRECTED


def told_of_times(report: LoadReport) -> list[str]:
    """Return what must be known to read the times, a sentence or two each."""
    notes = [ANSWERS_ONLY] if report.total.failures else []
    return notes if report.record.open_loop else [*notes, CLOSED]


def generator_rows(report: LoadReport) -> Iterator[tuple[str, str, str, str, str, str]]:
    """Yield each process that made load: name, cpu mean and peak, wake-ups, clock, its end."""
    for generator in report.record.generators:
        yield (
            generator.worker,
            share_words(generator.cpu_share),
            share_words(generator.cpu_peak),
            time_words(generator.late_wakeups_us),
            time_words(generator.clock_jump_us),
            "reported to the end" if generator.completed else "lost",
        )
    missing = report.record.workers_expected - len(report.record.generators)
    for _ in range(min(missing, 20)):
        yield ("unknown", NOTHING, NOTHING, NOTHING, NOTHING, "never reported")


GENERATOR_HEAD = ("Process", "CPU mean", "CPU peak", "Late wake-ups p99", "Clock jump", "End")


def record_rows(report: LoadReport) -> list[tuple[str, str]]:
    """Return what it takes to run it again, and to find it."""
    record, profile = report.record, report.profile
    rows = [
        ("Where", report.place),
        ("Release", report.release),
        ("Run", report.run),
        ("Began", calendar.wall(record.started_us, report.zone)),
        ("Ended", calendar.wall(record.ended_us, report.zone)),
        ("Locustfile", profile.locustfile if profile else ""),
        ("Target", profile.target if profile else ""),
        ("Arrivals", record.law.value if record.open_loop else "of users who wait"),
        ("Seed", str(record.seed)),
        ("Generators", _generators(profile.generators) if profile else ""),
        ("Tools", ", ".join(f"{name} {version}" for name, version in record.tools.items())),
    ]
    return [(name, value) for name, value in rows if value]


def _generators(stated: Generators) -> str:
    if stated.workers:
        return f"{count(stated.workers, 'worker')} at {stated.bind}"
    return count(stated.processes, "process", "processes")
