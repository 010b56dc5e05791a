"""The ten weeks: what people wrote down, what arrived, and what systems kept of changes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pytest_rollout import Event, Message, Reported, Stage, scenario
from suites.pas.views.records import Records, received

ZONE = ZoneInfo("America/New_York")
MIGRATED = datetime(2025, 11, 18, 10, 0, tzinfo=ZONE)
RESTARTED = datetime(2025, 12, 16, 10, 0, tzinfo=ZONE)


@dataclass(frozen=True)
class Weeks:
    """What stands on record at the end."""

    records: Records
    inbox: Sequence[Message]
    told: Sequence[Event]  # changes that the phase has on record
    seen: Sequence[tuple[datetime, str]]  # changes by the files of the systems themselves
    checkout: Path
    begin: datetime
    end: datetime


@scenario()
def ten_weeks(phase: Stage) -> Weeks:
    """In a rehearsal the clock goes through them; a migration and a restart happen on the way."""
    begin, end = phase.window
    if phase.embedded:
        clock = phase.target("pas").clock
        clock.to(MIGRATED)
        phase.operate("pas", "migrate")
        clock.to(RESTARTED)
        phase.operate("pas", "restart")
        clock.to(end)
    seen = [
        *_seen(phase.file("migrations"), "migration of the registry"),
        *_seen(phase.file("restarts"), "restart of the full service"),
    ]
    records, inbox = Records(phase.file("records")), received(phase.file("inbox"))
    told = phase.events("change")
    now = min(end, phase.now())
    return Weeks(records, inbox, told, seen, phase.file("checkout"), begin, now)


def _seen(path: Path, what: str) -> list[tuple[datetime, str]]:
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(Reported(json.loads(line), path.name).moment("at"), what) for line in lines]
