"""What one process counts: by second, by endpoint, and by failure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import field

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.load.generator import histograms


def _counts() -> defaultdict[int, int]:
    return defaultdict(int)


@dataclass(slots=True)
class Second:
    """One second of the run; requests stand in the one in which they ended."""

    planned: int = 0
    started: int = 0
    answered: int = 0
    failed: int = 0
    users: int = 0
    latency: defaultdict[int, int] = field(default_factory=_counts)  # of answers without failure

    def add(self, other: Second) -> None:
        """Add what another process counted in the same second."""
        self.planned += other.planned
        self.started += other.started
        self.answered += other.answered
        self.failed += other.failed
        self.users += other.users
        for index, count in other.latency.items():
            self.latency[index] += count


@dataclass(slots=True)
class Endpoint:
    """One endpoint after the warm-up; its histograms are of answers without failure."""

    requests: int = 0
    failures: int = 0
    latency: defaultdict[int, int] = field(default_factory=_counts)
    service_time: defaultdict[int, int] = field(default_factory=_counts)


@dataclass(slots=True)
class Answers:
    """Answers without failure of one endpoint in one second, each counted in one or two places."""

    in_time: defaultdict[int, int] = field(default_factory=_counts)  # both times are the same
    latency: defaultdict[int, int] = field(default_factory=_counts)  # of those that began late
    service_time: defaultdict[int, int] = field(default_factory=_counts)


@dataclass(slots=True)
class Tally:
    """All that is counted between two reports."""

    seconds: dict[int, Second] = field(default_factory=lambda: defaultdict(Second))
    endpoints: dict[str, Endpoint] = field(default_factory=lambda: defaultdict(Endpoint))
    # By second, then by endpoint (None: of the warm-up); in the counts of both once it is settled.
    answers: dict[int, dict[str | None, Answers]] = field(default_factory=lambda: defaultdict(dict))
    start_delay: defaultdict[int, int] = field(default_factory=_counts)
    errors: Counter[tuple[str, str]] = field(default_factory=Counter)
    other_errors: int = 0

    def settle(self, named: Callable[[str], str]) -> None:
        """Count the answers, by second and by endpoint as it is named."""
        for number, answers in self.answers.items():
            for name, answered in answers.items():
                endpoint = Endpoint() if name is None else self.endpoints[named(name)]
                self._add(answered, self.seconds[number], endpoint)
        self.answers.clear()

    @staticmethod
    def _add(answers: Answers, second: Second, endpoint: Endpoint) -> None:
        for counts in (answers.in_time, answers.latency):
            for index, count in counts.items():
                second.answered += count
                second.latency[index] += count
                endpoint.requests += count
                endpoint.latency[index] += count
        for counts in (answers.in_time, answers.service_time):
            for index, count in counts.items():
                endpoint.service_time[index] += count


def percentiles_of(second: Second) -> list[int | None]:
    """Return the p50, p95 and p99 of a second, in microseconds."""
    return histograms.percentiles(second.latency, (0.50, 0.95, 0.99))
