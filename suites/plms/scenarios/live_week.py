"""The week of the rollout as the suite sees it: its diary, its registry, its nights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pytest_rollout import Event, Stage, scenario
from suites.plms.views.formats import read_file
from suites.plms.views.portfolio import rows


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that was left on record."""

    at: datetime
    kind: str
    says: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Week:
    """What was left on record from 8 to 14 November."""

    entries: tuple[Entry, ...]
    registry: Path
    checks: list[dict[str, Any]]  # runs of the invariants job
    changes: tuple[Event, ...]  # as the phase has them on record

    def of(self, kind: str) -> list[Entry]:
        """The entries of one kind."""
        return [entry for entry in self.entries if entry.kind == kind]


def diary(path: Path) -> tuple[Entry, ...]:
    """The entries of a diary; raises RolloutError where there is none, or where a line is wrong."""
    lines = read_file(path, "week")
    return tuple(
        Entry(datetime.fromisoformat(entry["at"]), entry["kind"], entry) for entry in lines
    )


@scenario(effect="change", own_target=True)
def live_week(phase: Stage) -> Week:
    """The days from 8 to 14 November pass; people and the service do what the plan says."""
    phase.operate("plms", "live-week")
    checks = rows(phase.file("history"), "SELECT * FROM invariant_runs ORDER BY id")
    changes = phase.events("change")
    return Week(diary(phase.file("week")), phase.file("registry"), checks, changes)
