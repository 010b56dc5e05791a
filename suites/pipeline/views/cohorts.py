"""Assignments to Copilot and what became of them, recomputed from the timelines of issues."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from suites.pipeline.views.journal import BLOCKED, COPILOT, DONE, Issue

TWO_DAYS, SEVEN_DAYS = timedelta(hours=48), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Assignment:
    """One issue that Copilot was given."""

    issue: int
    type: str  # workflow::NAME, empty where it has none or several
    at: datetime
    done: datetime | None
    blocked: bool  # it was blocked at some time
    blocker: str  # the category, empty where it was never blocked

    @property
    def took(self) -> timedelta | None:
        """The time to completion."""
        return None if self.done is None else self.done - self.at

    def done_within(self, time: timedelta) -> bool:
        """Whether it was complete so long after the assignment; to the second counts."""
        return self.took is not None and self.took <= time

    def matured(self, age: timedelta, now: datetime) -> bool:
        """Whether it is at least so old."""
        return now - self.at >= age


def assignments(issues: Iterable[Issue]) -> list[Assignment]:
    """The assignments among issues, the oldest first."""
    cohort = [made for issue in issues if (made := _assignment(issue))]
    return sorted(cohort, key=lambda made: (made.at, made.issue))


def _assignment(issue: Issue) -> Assignment | None:
    at = issue.first(COPILOT)
    if at is None:
        return None
    types = [label for label in issue.labels if label.startswith("workflow::")]
    categories = [e.subject for e in issue.events if e.subject.startswith("blocker::")]
    return Assignment(
        issue=issue.number,
        type=types[0] if len(types) == 1 else "",
        at=at,
        done=issue.first(DONE),
        blocked=issue.first(BLOCKED) is not None,
        blocker=categories[0].removeprefix("blocker::") if categories else "",
    )


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that so great a share of all does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def quantile_bounds(values: Sequence[float], share: float) -> tuple[float, float]:
    """The two values between which every usual definition of a quantile lies."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    nearest = share * len(ordered)
    low = min(math.floor(place), max(0, math.ceil(nearest) - 1))
    high = max(math.ceil(place), min(len(ordered) - 1, math.floor(nearest)))
    return ordered[low], ordered[high]
