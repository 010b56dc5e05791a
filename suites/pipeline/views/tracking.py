"""The tracking report, and the same figures recomputed from timelines and comments."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pytest_rollout import Reported
from suites.pipeline.scenarios.weeks import Seen
from suites.pipeline.views.cohorts import SEVEN_DAYS, TWO_DAYS, Assignment
from suites.pipeline.views.journal import demand
from suites.pipeline.views.summaries import read_json

TRACK = "ops-copilot-tracking.yml"
HOUR = timedelta(hours=1)
_RATING = re.compile(r"<!-- copilot:feedback rating=([1-5]) -->")


def newest_report(seen: Seen) -> Reported:
    """The newest tracking report of a time; raises NoValueError where no run left one."""
    runs = [run for run in seen.journal.runs_of(TRACK, seen.begin, seen.end) if run.ended]
    return read_json(seen.hub, demand(runs, "tracking run")[-1], "tracking", "tracking.json")


@dataclass(frozen=True)
class Cohort:
    """The assignments that there were at a moment, with what was known of them then."""

    made: Sequence[Assignment]
    at: datetime

    @classmethod
    def of(cls, made: Sequence[Assignment], at: datetime) -> Cohort:
        """Those that were made by then."""
        return cls([assignment for assignment in made if assignment.at <= at], at)

    def done(self, assignment: Assignment, age: timedelta) -> bool:
        """Whether one was complete in time."""
        return (
            assignment.done_within(age)
            and assignment.done is not None
            and assignment.done <= self.at
        )

    def matured(self, age: timedelta) -> list[Assignment]:
        """Those that are old enough."""
        return [assignment for assignment in self.made if assignment.matured(age, self.at)]

    def figures_of(self, kind: str) -> dict[str, int]:
        """The figures of the assignments of one workflow type."""
        return self.figures(lambda assignment: assignment.type == kind)

    def figures(self, among: Callable[[Assignment], bool]) -> dict[str, int]:
        """The figures of some of them, as the report calls them."""
        two = [assignment for assignment in self.matured(TWO_DAYS) if among(assignment)]
        seven = [assignment for assignment in self.matured(SEVEN_DAYS) if among(assignment)]
        return {
            "matured_48h": len(two),
            "completed_48h": sum(self.done(assignment, TWO_DAYS) for assignment in two),
            "matured_7d": len(seven),
            "completed_7d": sum(self.done(assignment, SEVEN_DAYS) for assignment in seven),
            "blocked": sum(assignment.blocked for assignment in two),
        }

    def hours(self) -> list[float]:
        """The times to completion."""
        done = [
            assignment
            for assignment in self.made
            if assignment.done is not None and assignment.done <= self.at
        ]
        return [assignment.took / HOUR for assignment in done if assignment.took is not None]


def blockers(seen: Seen, at: datetime) -> dict[str, int]:
    """How often each category of blockers was set by a moment."""
    return dict(
        Counter(
            event.subject.removeprefix("blocker::")
            for issue in seen.journal.work
            for event in issue.events
            if event.kind == "labeled" and event.subject.startswith("blocker::") and event.at <= at
        )
    )


def ratings(seen: Seen, at: datetime) -> list[int]:
    """What Copilot's comments rated the guidance with by a moment."""
    return [
        int(rating[1])
        for row in seen.hub.pages("/issues/comments")
        if datetime.fromisoformat(row["created_at"]) <= at and row["user"]["login"] == "Copilot"
        if (rating := _RATING.search(row["body"]))
    ]
