"""The end of the rollout as the suite sees it: the final report, probes, and what follows."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from pytest_rollout import Stage, scenario
from suites.plms.scenarios.live_week import Entry, diary
from suites.plms.views.final_report import REPORT, Written
from suites.plms.views.tables import records

THRESHOLDS = "config/plms_thresholds.yaml"
PROBES, CHANGE_AT = 72, 12  # six minutes, a probe each 5 s; caps change after the first one


@scenario(effect="change")
def final_report(phase: Stage) -> Written:
    """The report as day 7 left it in the release."""
    phase.operate("plms", "open-host")
    phase.operate("plms", "write-report")
    return Written.read(phase.file("release") / REPORT)


def nights(history: Path) -> list[Mapping[str, Any]]:
    """The runs of the invariants job that the timer began, drills aside, oldest first."""
    query = "SELECT * FROM invariant_runs WHERE trigger = 'timer' AND drill = 0 ORDER BY ended_at"
    return [*records(history, query)]


@dataclass(frozen=True, slots=True)
class HealthProbe:
    """What the health probe got at one moment; 0 where nobody answered."""

    at: datetime
    status: int


@scenario(effect="change", own_target=True)
def probed_change(phase: Stage) -> tuple[HealthProbe, ...]:
    """The API is probed every 5 s while caps change."""
    plms = phase.target("plms")
    probes = []
    for number in range(PROBES):
        if number == CHANGE_AT:
            phase.operate("plms", "change-caps")
        probes.append(HealthProbe(plms.clock.now(), _status(plms.client)))
        plms.clock.advance(5)
    return tuple(probes)


def _status(client: httpx.Client) -> int:
    try:
        return client.get("/api/ops/healthz").status_code
    except httpx.TransportError:
        return 0


@dataclass(frozen=True, slots=True)
class After:
    """What was left on record and on disk in the two weeks after."""

    entries: tuple[Entry, ...]
    logs: Path
    release: Path
    begun: datetime


@scenario(effect="change", own_target=True)
def followed_up(phase: Stage) -> After:
    """The PM and the team do what is due on days 8 and 14."""
    phase.operate("plms", "open-host")
    phase.operate("plms", "follow-up")
    path = phase.file("week")
    entries = diary(path) if path.is_file() else ()
    return After(entries, phase.file("rollout-logs"), phase.file("release"), phase.window[0])


def members(archive: Path) -> list[str]:
    """The files in an archive; raises tarfile.TarError where it is none."""
    with tarfile.open(archive) as tar:
        return [member.name for member in tar.getmembers() if member.isfile()]


def days_covered(after: After, lane: str) -> set[datetime]:
    """The days of which a lane has figures."""
    figures = (
        entry for entry in after.entries if entry.kind == "figures" and entry.says["lane"] == lane
    )
    return {entry.at.replace(hour=0, minute=0, second=0) for entry in figures}
