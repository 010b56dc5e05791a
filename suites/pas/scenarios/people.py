"""The first day as people lived it: reviews, tests, boxes and signatures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pytest_rollout import Stage, scenario
from suites.pas.views.records import Records


@dataclass(frozen=True)
class FirstDay:
    """What stands on record at the end of it."""

    records: Records
    checkout: Path
    begin: datetime
    end: datetime


@scenario()
def first_day(phase: Stage) -> FirstDay:
    """In a rehearsal the clock goes on to the end of the day; elsewhere the day went by itself."""
    begin, end = phase.window
    if phase.embedded:
        phase.target("pas").clock.to(end - timedelta(minutes=1))
    return FirstDay(Records(phase.file("records")), phase.file("checkout"), begin, end)
