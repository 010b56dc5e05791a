"""What the learning system and people left on record, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pytest_rollout import NoValueError, Reported
from suites.eros.views.records import lines

LEARNING, AGENTS = "eros.learning", "eros.agents"  # the loggers


def log_of(folder: Path, logger: str = LEARNING) -> list[Reported]:
    """The lines of a log, in its order; raises RolloutError where there is none."""
    return [*lines(folder / f"{logger}.jsonl", f"log {logger}")]


def happened(entries: Iterable[Reported], event: str) -> list[Reported]:
    """The entries of one event, the oldest first."""
    return sorted((entry for entry in entries if entry.get("event") == event), key=moment)


def written(entries: Iterable[Reported], kind: str) -> list[Reported]:
    """The records of one kind, the oldest first."""
    return sorted((entry for entry in entries if entry.get("kind") == kind), key=moment)


def moment(entry: Reported) -> datetime:
    """When something happened."""
    return entry.moment("at")


def activities(records: Iterable[Reported], activity: str) -> list[Reported]:
    """The records of one activity, the oldest first."""
    done = written(records, "activity")
    return [record for record in done if record.text("activity") == activity]


@dataclass(frozen=True, slots=True)
class Weeks:
    """Days and weeks of Phase 7, counted from its first day."""

    begun: datetime

    def day(self, number: int) -> tuple[datetime, datetime]:
        """Begin and end of a day; the first one is 1."""
        start = self.begun + timedelta(days=number - 1)
        return start, start + timedelta(days=1)

    def week(self, number: int) -> tuple[datetime, datetime]:
        """Begin and end of a week; the first one is 1."""
        start = self.begun + timedelta(weeks=number - 1)
        return start, start + timedelta(weeks=1)

    def days_over(self, now: datetime) -> int:
        """How many days have ended."""
        return (now - self.begun) // timedelta(days=1)

    def demand(self, days: int, now: datetime) -> None:
        """Raise NoValueError where so many days are not over yet."""
        over = self.days_over(now)
        if over < days:
            raise NoValueError(
                f"{over} days of Phase 7 are over, which began {self.begun}; {days} are due"
            )


def within(entries: Sequence[Reported], window: tuple[datetime, datetime]) -> list[Reported]:
    """The entries of a stretch of time, whose end is not in it."""
    return [entry for entry in entries if window[0] <= moment(entry) < window[1]]
