"""The week of the rollout as the suite sees it: its diary, its registry, its nights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from pytest_rollout import Event, Stage, scenario
from suites.plms.views.answers import not_done
from suites.plms.views.formats import read_file
from suites.plms.views.host import ZONE, stamped
from suites.plms.views.portfolio import rows
from suites.plms.views.settings import Difference, differences, stored, unexplained

_FIRST, _LAST = date(2025, 11, 8), date(2025, 11, 14)


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that was left on record."""

    at: datetime
    kind: str
    says: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stood:
    """The settings of the registry as they stood at one moment."""

    at: datetime
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Week:
    """What was left on record from 8 to 14 November."""

    entries: tuple[Entry, ...]
    registry: Path
    checks: list[dict[str, Any]]  # runs of the invariants job
    changes: tuple[Event, ...]  # as the phase has them on record
    stood: tuple[Stood, ...]  # before the week, at the end of each day, and at the end

    def of(self, kind: str) -> list[Entry]:
        """The entries of one kind."""
        return [entry for entry in self.entries if entry.kind == kind]

    def settings_set(self) -> list[tuple[datetime, str, Difference]]:
        """Every setting that changed on a day of its own: which day's end showed it, and how."""
        return [
            (after.at, name, pair)
            for before, after in pairwise(self.stood)
            if after.at - before.at <= timedelta(days=1)
            for name, pair in differences(before.settings, after.settings).items()
        ]

    def unrecorded(self) -> list[tuple[datetime, str, Difference]]:
        """Settings that changed without a record: seen when, which, before and after."""
        changes = []
        for before, after in pairwise(self.stood):
            told = [entry for entry in self.of("change") if entry.at <= after.at]
            said = [str(entry.says["what"]) for entry in told]
            said += [event.says for event in self.changes if event.at <= after.at]
            named = {
                name: value
                for entry in told
                for name, value in (entry.says.get("set") or {}).items()
            }
            other = differences(before.settings, after.settings)
            left = unexplained(other, said, named)
            changes += [(after.at, name, pair) for name, pair in left.items()]
        return changes


def diary(path: Path) -> tuple[Entry, ...]:
    """The entries of a diary; raises RolloutError where there is none, or where a line is wrong."""
    lines = read_file(path, "week")
    return tuple(
        Entry(datetime.fromisoformat(entry["at"]), entry["kind"], entry) for entry in lines
    )


@scenario(effect="change", own_target=True)
def live_week(phase: Stage) -> Week:
    """The days from 8 to 14 November pass; people and the service do what the plan says."""
    stood = _lived(phase) if phase.embedded else _kept(phase)
    checks = rows(phase.file("history"), "SELECT * FROM invariant_runs ORDER BY id")
    changes = phase.events("change")
    return Week(diary(phase.file("week")), phase.file("registry"), checks, changes, stood)


def _lived(phase: Stage) -> tuple[Stood, ...]:
    """The days pass one by one; what the registry holds is looked at between them."""
    registry = phase.file("registry")
    begun = datetime.combine(_FIRST, time(), ZONE)
    stood = [Stood(begun, stored(registry))]
    day = _FIRST
    while day <= _LAST:
        end = datetime.combine(day, time(23, 59), ZONE)
        until = {"until": f"{end:%Y-%m-%dT%H:%M}"} if day < _LAST else {}
        phase.operate("plms", "live-week", **until)
        stood.append(Stood(end, stored(registry)))
        day += timedelta(days=1)
    return tuple(stood)


def _kept(phase: Stage) -> tuple[Stood, ...]:
    """The oldest backup, which is of day 0, and the registry as it stands."""
    backups = sorted(phase.file("backups").glob("registry_*.db"))
    if not backups:
        do = "keep the backup of day 0: it tells which settings the week began with"
        not_done("there is no registry_*.db among the backups", do)
    end = datetime.combine(_LAST, time(23, 59), ZONE)
    return (
        Stood(stamped(backups[0]), stored(backups[0])),
        Stood(end, stored(phase.file("registry"))),
    )
