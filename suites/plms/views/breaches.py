"""The limits of the plan that the figures of a week passed, counted instead of told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from suites.plms.views import run_figures
from suites.plms.views.tables import rows

# Where the table of the plan begins to warn, and what a KPI must come to.
ERROR, WIDTH, PASS_RATE, RUNWAY = 0.3, 0.5, 0.95, 15
FLOORS = {"test_pass_rate": 0.95, "build_success": 1, "migration_success": 1}
CEILINGS = {"schema_diff_count": 0}


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that was passed: of which figure, by whom, and when where that is known."""

    of: str
    by: str  # a lane, or the number of a project; empty: of the whole service
    at: datetime | None = None

    def answered_by(self, at: datetime, says: Mapping[str, Any]) -> bool:
        """Whether an answer of the diary is of it, says what was done, and came after it."""
        by = str(says.get("project") or says.get("lane") or "")
        mine = str(says.get("of", "")).startswith(self.of) and by == self.by
        return mine and bool(says.get("what")) and (self.at is None or self.at <= at)


def kept(registry: Path, run: run_figures.Run) -> bool:
    """Whether a run kept its KPIs: by its flag, and by the value of each receipt of it."""
    query = "SELECT kpi_name, value FROM kpi_receipts WHERE run_id = ?"
    receipts = rows(registry, query, run["run_id"])
    values = {receipt["kpi_name"]: receipt["value"] for receipt in receipts}
    low = [name for name, least in FLOORS.items() if name in values and values[name] < least]
    high = [name for name, most in CEILINGS.items() if name in values and values[name] > most]
    return bool(run["validation_pass"]) and not low and not high


def failed(check: Mapping[str, Any]) -> bool:
    """Whether a run of the invariants job failed: by its word, its count or its exit status."""
    return check["status"] != "OK" or bool(check["violations"]) or bool(check["exit_status"])


def is_drill(check: Mapping[str, Any]) -> bool:
    """Whether a run of the job was a drill; one that the timer started never is."""
    return bool(check["drill"]) and check["trigger"] != "timer"


def of_runs(registry: Path) -> Iterator[Breach]:
    """The limits that estimates, intervals and KPIs passed, lane by lane."""
    done = run_figures.by_lane(run_figures.completed(registry))
    for lane, runs in run_figures.by_lane(run_figures.finished(registry)).items():
        error = run_figures.mean([run_figures.error(run) for run in done.get(lane, [])])
        width = run_figures.mean([run_figures.width(run) for run in done.get(lane, [])])
        rate = sum(kept(registry, run) for run in runs) / len(runs)
        if error is not None and error > ERROR:
            yield Breach("estimation error", lane)
        if width is not None and width > WIDTH:
            yield Breach("interval width", lane)
        if rate < PASS_RATE:
            yield Breach("KPI pass rate", lane)


def of_checks(checks: Sequence[Mapping[str, Any]]) -> Iterator[Breach]:
    """The failures of the invariants job that were no drills."""
    for check in checks:
        if failed(check) and not is_drill(check):
            yield Breach("invariants failures", "", datetime.fromisoformat(check["ended_at"]))
