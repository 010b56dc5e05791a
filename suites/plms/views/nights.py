"""The nights of the invariants job, as its history tells them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from suites.plms.views.host import ZONE
from suites.plms.views.tables import records

DUE = time(2, 0)
LATE = timedelta(minutes=10)  # the timer's random delay and accuracy, and some


@dataclass(frozen=True, slots=True)
class Night:
    """A run that the timer began at 02:00 in New York, and what speaks against it."""

    began: datetime
    ended: datetime
    problems: tuple[str, ...]


def nights(history: Path) -> list[Night]:
    """The runs that count as nights, oldest first: begun by the timer, at its hour, no drill.

    Status, count and exit status must agree that all was well: a run that says OK and counts
    violations, or exits with an error, was not.
    """
    query = (
        "SELECT started_at, ended_at, status, violations, exit_status FROM invariant_runs"
        " WHERE trigger = 'timer' AND drill = 0 ORDER BY started_at"
    )
    counted = []
    for run in records(history, query):
        began, ended = run.moment("started_at"), run.moment("ended_at")
        local = began.astimezone(ZONE)
        due = datetime.combine(local.date(), DUE, ZONE)
        if due <= local <= due + LATE:
            outcome = {name: run[name] for name in ("status", "violations", "exit_status")}
            well = {"status": "OK", "violations": 0, "exit_status": 0}
            odd = tuple(f"{name} {outcome[name]}" for name in well if outcome[name] != well[name])
            counted.append(Night(began, ended, odd))
    return counted


def left_out(begun: Sequence[Night], last: datetime, count: int) -> list[date]:
    """The nights without a run among so many, the last of which is over at a moment."""
    over = last.astimezone(ZONE)
    newest = over.date() - timedelta(days=over < datetime.combine(over.date(), DUE, ZONE) + LATE)
    due = [newest - timedelta(days=back) for back in reversed(range(count))]
    ran = {night.began.astimezone(ZONE).date() for night in begun}
    return [night for night in due if night not in ran]
