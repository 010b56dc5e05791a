"""The runs of the rollout judged anew: what they took by their times, what their receipts say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pytest_rollout import KpiReceipt, kpi_slips
from suites.plms.views.kpi_promises import PROMISES
from suites.plms.views.tables import records

Run = Mapping[str, Any]
PROJECTS = (101, 102, 201, 202, 301, 302)  # days 3, 5 and 6
ESTIMATED = (201, 202, 301, 302)  # those that started with an interval
QUANTITIES = ("tokens", "duration")


def left_out(runs: Iterable[Run], projects: Iterable[int]) -> list[int]:
    """The projects of the plan of which no run is among those that are counted."""
    return sorted(set(projects) - {run["project_id"] for run in runs})


def actual(run: Run, quantity: str) -> float | None:
    """What a run took: tokens as recorded; minutes from its times, not from what it says."""
    if quantity != "duration":
        taken: float | None = run[f"{quantity}_actual"]
        return taken
    if not (run["started_at"] and run["completed_at"]):
        return None
    ends = [datetime.fromisoformat(run[name]) for name in ("started_at", "completed_at")]
    return (ends[1] - ends[0]).total_seconds() / 60


def error(run: Run, quantity: str) -> float | None:
    """Share of what a run took by which its estimate missed it; None where one is unknown."""
    mean, took = run[f"{quantity}_mean"], actual(run, quantity)
    return None if mean is None or not took else abs(took - mean) / float(took)


def contained(run: Run) -> bool | None:
    """Whether tokens and minutes lie within their intervals; None where one is unknown."""
    known = [
        (run[f"{name}_ci_lower"], actual(run, name), run[f"{name}_ci_upper"]) for name in QUANTITIES
    ]
    if any(value is None for values in known for value in values):
        return None
    return all(low <= took <= high for low, took, high in known)


def slips(registry: Path, run: Run) -> list[str]:
    """Why a run does not keep the KPIs of its lane, by its receipts' values; none if it does."""
    query = "SELECT kpi_name, value, passed FROM kpi_receipts WHERE run_id = ?"
    receipts = [
        KpiReceipt(run["run_id"], row["kpi_name"], row["value"], passed=bool(row["passed"]))
        for row in records(registry, query, run["run_id"])
    ]
    return kpi_slips({run["run_id"]: run["lane_name"]}, receipts, PROMISES)
