"""Results that other tools left in files: what a criterion asks of them, and what was brought."""

from __future__ import annotations

from enum import StrEnum

from pytest_rollout.late_dataclass import dataclass

# A file whose arrivals were fewer than this share of what the plan asks offered less.
LEAST_OFFERED = (99, 100)


class ResultKind(StrEnum):
    """What a file holds."""

    LOAD = "load"  # figures of a load run
    JUNIT = "junit"  # test cases


class HistogramUnit(StrEnum):
    """The unit of the values that a histogram counts."""

    NANOSECONDS = "ns"
    MICROSECONDS = "us"
    MILLISECONDS = "ms"
    SECONDS = "s"


@dataclass(frozen=True, slots=True)
class Ingest:
    """What a criterion asks of a file that somebody brings with `rollout ingest`."""

    kind: ResultKind
    name: str  # which of the files of its phase
    cases: tuple[str, ...] = ()  # patterns: each has a case, and all that match passed
    need: int = 1  # of a load: requests; of junit: cases that match
    lasts_us: int = 0  # of a load: how long at least
    rate: float | None = None  # of a load: arrivals a second
    unit: str = ""  # of the values of an HdrHistogram log

    @property
    def own_verdicts(self) -> bool:
        """Whether cases of the file are asked for: of a load the thresholds of its tool."""
        return self.kind is ResultKind.JUNIT or bool(self.cases)


@dataclass(frozen=True, slots=True)
class ResultFacts:
    """What is known of a file that was brought, as it stands in the ledger."""

    phase: str
    kind: ResultKind
    name: str
    format: str
    file: str
    digest: str  # SHA-256 of the file as it was read
    by: str
    release: str
    release_from: str  # who says so: `said` by who brought it, or the `target`
    times_from: str  # who says when it was made: the `file`, or who brought it (`said`)
    started_us: int
    ended_us: int
    requests: int = 0  # of a load: those that were answered or failed
    started: int = 0  # of a load: arrivals, where iterations are told apart from requests
    dropped: int | None = None  # planned and never started; None: the file does not say
    doubts: tuple[str, ...] = ()  # why it is worth nothing
    unsaid: tuple[str, ...] = ()  # what it does not say, for people
    content: str = ""  # SHA-256 of what it says, however it is written; empty: not known

    def holds_what(self, other: ResultFacts) -> bool:
        """Whether another file is this one, or says the same in other bytes."""
        return self.digest == other.digest or bool(self.content and self.content == other.content)
