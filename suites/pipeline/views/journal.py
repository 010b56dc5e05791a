"""What happened on GitHub: issues with their events, and runs, each with its own times."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TypeVar

from pytest_rollout import NoValueError

TRIAGE, ASSIGNED, COPILOT = "monitor::triage", "state::assigned", "state::copilot"
DONE, BLOCKED = "state::done", "state::blocked"
STATES = (ASSIGNED, COPILOT, DONE, BLOCKED)
MACHINES = frozenset({"github-actions[bot]", "Copilot"})
SUITE = "rollout-suite"
T = TypeVar("T")
_TURNS = frozenset({"closed", "reopened"})
_OTHER_WORK = frozenset({"quality::tracking", "complaint"})


@dataclass(frozen=True, slots=True)
class IssueEvent:
    """One event of an issue's timeline."""

    issue: int
    kind: str  # labeled, unlabeled, assigned, unassigned, closed, reopened
    subject: str  # the label, or who was assigned
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue as it is now, with all that happened to it in order."""

    number: int
    title: str
    body: str
    labels: frozenset[str]
    closed: bool
    assignees: frozenset[str]
    events: tuple[IssueEvent, ...]

    def times(self, kind: str, label: str) -> list[datetime]:
        """When events of a kind happened with a label."""
        return [e.at for e in self.events if e.kind == kind and e.subject == label]

    def first(self, label: str) -> datetime | None:
        """When a label was first set."""
        return next(iter(self.times("labeled", label)), None)

    def labels_at(self, moment: datetime) -> frozenset[str]:
        """The labels that stood at a moment, replayed from the events."""
        standing: set[str] = set()
        for event in self.events:
            if event.at > moment:
                break
            if event.kind == "labeled":
                standing.add(event.subject)
            elif event.kind == "unlabeled":
                standing.discard(event.subject)
        return frozenset(standing)

    def assigned_at(self, moment: datetime) -> frozenset[str]:
        """Who was assigned at a moment, replayed from the events."""
        standing: set[str] = set()
        for event in self.events:
            if event.at <= moment and event.kind == "assigned":
                standing.add(event.subject)
            elif event.at <= moment and event.kind == "unassigned":
                standing.discard(event.subject)
        return frozenset(standing)

    def open_at(self, moment: datetime) -> bool:
        """Whether it was there and open at a moment, replayed from the events."""
        standing = bool(self.events) and self.events[0].at <= moment
        for event in self.events:
            if event.at > moment:
                break
            standing = event.kind == "reopened" if event.kind in _TURNS else standing
        return standing

    def spans(self, label: str, until: datetime) -> list[tuple[datetime, datetime]]:
        """From when to when a label stood; what stands still ends at ``until``."""
        spans, begun = [], None
        for event in self.events:
            if event.subject == label and event.kind == "labeled" and begun is None:
                begun = event.at
            elif event.subject == label and event.kind == "unlabeled" and begun is not None:
                spans.append((begun, event.at))
                begun = None
        return [*spans, (begun, until)] if begun is not None else spans

    @property
    def is_work(self) -> bool:
        """Whether the pipeline discovered it, as opposed to what people and checks open."""
        return self.first(TRIAGE) is not None and not self.labels & _OTHER_WORK

    @property
    def by_people(self) -> list[IssueEvent]:
        """Events that a person caused: neither the pipeline, nor Copilot, nor this suite."""
        return [e for e in self.events if e.actor not in MACHINES and e.actor != SUITE]


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a workflow."""

    id: int
    file: str  # as ops-issue-processing.yml
    event: str  # schedule, workflow_dispatch, …
    status: str
    conclusion: str
    created: datetime  # when it was asked for; it may have waited
    begun: datetime
    ended: datetime | None  # None while it is under way

    @property
    def scheduled(self) -> bool:
        """Whether the schedule started it."""
        return self.event == "schedule"

    @property
    def good(self) -> bool:
        """Whether it ended well."""
        return self.conclusion == "success"

    def overlaps(self, other: Run) -> bool:
        """Whether both were at work at one time; what ends as the other begins does not."""
        far = datetime.max.replace(tzinfo=UTC)
        return self.begun < (other.ended or far) and other.begun < (self.ended or far)


@dataclass(frozen=True)
class Journal:
    """All issues and runs of the repository, as they stood when it was read."""

    now: datetime
    issues: dict[int, Issue]
    runs: tuple[Run, ...] = field(default=())

    @cached_property
    def work(self) -> list[Issue]:
        """The issues that monitoring discovered, by number."""
        return [issue for _, issue in sorted(self.issues.items()) if issue.is_work]

    def runs_of(
        self, file: str, begin: datetime | None = None, end: datetime | None = None
    ) -> list[Run]:
        """The runs of a workflow that began in a time, scheduled or not, in order."""
        return [
            run
            for run in self.runs
            if run.file == file
            and (not begin or begin <= run.begun)
            and (not end or run.begun < end)
        ]

    def scheduled(
        self, file: str, begin: datetime | None = None, end: datetime | None = None
    ) -> list[Run]:
        """The runs of a workflow that its schedule started in a time."""
        return [run for run in self.runs_of(file, begin, end) if run.scheduled]

    def waiting(self, label: str, moment: datetime) -> int:
        """How many issues of the pipeline carried a label at a moment."""
        begins, ends = self._spans(label)
        return bisect_right(begins, moment) - bisect_right(ends, moment)

    def _spans(self, label: str) -> tuple[list[datetime], list[datetime]]:
        """When the label was set on issues of the pipeline, and when it was removed."""
        if label not in self._by_label:
            far = datetime.max.replace(tzinfo=UTC)
            spans = [span for issue in self.work for span in issue.spans(label, far)]
            begins, ends = sorted(begin for begin, _ in spans), sorted(end for _, end in spans)
            self._by_label[label] = begins, ends
        return self._by_label[label]

    @cached_property
    def _by_label(self) -> dict[str, tuple[list[datetime], list[datetime]]]:
        return {}

    @cached_property
    def events(self) -> list[IssueEvent]:
        """All events of all issues, in order."""
        events = [event for issue in self.issues.values() for event in issue.events]
        return sorted(events, key=lambda event: event.at)

    @cached_property
    def _times(self) -> list[datetime]:
        return [event.at for event in self.events]

    def between(self, begin: datetime, end: datetime) -> list[IssueEvent]:
        """The events of a time, its end included."""
        return self.events[bisect_left(self._times, begin) : bisect_right(self._times, end)]


def days(begin: datetime, count: int) -> list[tuple[datetime, datetime]]:
    """So many UTC days in a row, each with its begin and its end."""
    day = timedelta(days=1)
    return [(begin + number * day, begin + (number + 1) * day) for number in range(count)]


def demand(things: list[T], what: str) -> list[T]:
    """The things; raises NoValueError where there are none, in words of what was to be seen."""
    if not things:
        raise NoValueError(f"there is no {what}, so nothing is shown")
    return things
