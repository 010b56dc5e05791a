"""What the panels should show, counted from the job's history instead of asked of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from suites.plms.views.grafana_panels import Panel
from suites.plms.views.tables import rows

_QUERY = "SELECT ended_at, drill, status, violations, details FROM invariant_runs ORDER BY id"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}  # of Grafana's units of time
_LATE_S = 90  # how much older than the moment of asking a shown age may be


@dataclass(frozen=True, slots=True)
class Recount:
    """How the invariants stand at one moment, by the history of the job."""

    status: str  # of the last run, as all else that is not said to be of more runs
    violations: int
    by_check: Mapping[str, int]  # checks that hold are not in it
    success_percent: float | None  # of runs that were no drills
    ended_at: datetime
    age: timedelta
    days_to_fix: float | None

    @property
    def ok(self) -> bool:
        """Whether nothing was broken."""
        return self.status == "OK"


def recount(history: Path, now: datetime) -> Recount | None:
    """What the history says at a moment; None where no run was on record by then."""
    there = rows(history, _QUERY)
    runs = [run for run in there if datetime.fromisoformat(run["ended_at"]) <= now]
    if not runs:
        return None
    last = runs[-1]
    real = [run["status"] == "OK" for run in runs if not run["drill"]]
    fixes = _days_to_fix(runs)
    return Recount(
        status=last["status"],
        violations=last["violations"],
        by_check=Counter(text.partition(":")[0] for text in json.loads(last["details"])),
        success_percent=100 * sum(real) / len(real) if real else None,
        ended_at=datetime.fromisoformat(last["ended_at"]),
        age=now - datetime.fromisoformat(last["ended_at"]),
        days_to_fix=sum(fixes) / len(fixes) if fixes else None,
    )


def _days_to_fix(runs: Sequence[Mapping[str, Any]]) -> list[float]:
    """From each first run that was not OK to the next that was, drills included."""
    days, since = [], None
    for run in runs:
        at = datetime.fromisoformat(run["ended_at"])
        if run["status"] != "OK":
            since = since or at
        elif since is not None:
            days.append((at - since) / timedelta(days=1))
            since = None
    return days


def amiss(panel: Panel, counted: Recount, checks: Sequence[str]) -> str:
    """What a panel shows otherwise than counted, in words; empty where it shows just that.

    ``checks`` are the names of all checks of the checker.
    """
    if panel.error:
        return f"its query is answered with an error: {panel.error}"
    if not panel.has_data:
        return "it shows no data"
    broken = {check: counted.by_check.get(check, 0) for check in checks}
    states = {check: "FAIL" if count else "OK" for check, count in broken.items()}
    match panel.title:
        case "Current Status":
            return _differ(panel.text, "OK" if counted.ok else "FAIL")
        case "Total Violations":
            return _differ(panel.value, counted.violations)
        case "Success Rate":
            return _far(_percent(panel), counted.success_percent, 0.01, "percent")
        case "Last Check Time":
            return _far(_seconds(panel), counted.age.total_seconds(), _LATE_S, "s")
        case "Status History":
            return _differ(panel.value, float(counted.ok))
        case "Violations by Type":
            return _differ(panel.by_label("check"), broken)
        case "Mean Time to Fix":
            days = counted.days_to_fix
            return _far(_seconds(panel), None if days is None else days * 86_400, 1, "s")
        case "Critical Checks":
            return _differ(panel.texts_by_label("check"), states)
        case _:
            return "it is none of the eight panels"


def _percent(panel: Panel) -> float | None:
    """Its value in percent; Grafana shows a ratio of the unit percentunit as percent."""
    if panel.value is None or panel.unit not in ("percent", "percentunit"):
        return None
    return panel.value * (100 if panel.unit == "percentunit" else 1)


def _seconds(panel: Panel) -> float | None:
    """Its value in seconds, by the unit that it states."""
    if panel.value is None or panel.unit not in _SECONDS:
        return None
    return panel.value * _SECONDS[panel.unit]


def _differ(shown: object, counted: object) -> str:
    return "" if shown == counted else f"it shows {shown}, the history of the job says {counted}"


def _far(shown: float | None, counted: float | None, most: float, unit: str) -> str:
    if shown is None:
        return f"it shows no value in a unit of {unit}"
    if counted is None:
        return f"it shows {shown:g} {unit}, the history of the job says nothing of it"
    if abs(shown - counted) <= most:
        return ""
    return f"it shows {shown:g} {unit}, the history of the job says {counted:g} {unit}"
