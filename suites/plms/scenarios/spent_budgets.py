"""Day 6 in a real environment: drills that people ran until their budgets were used up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from pytest_rollout import Reported, Stage, read_inbox
from suites.plms.scenarios.stress_test import FORCED, Forced, Looks
from suites.plms.views.tables import records

_LOOK = timedelta(seconds=30)
_QUERY = (
    "SELECT * FROM project_runs WHERE project_id = ? AND completed_at IS NOT NULL"
    " AND budget_tokens > 0 AND tokens_actual > 0 ORDER BY completed_at"
)


def spent_by_people(phase: Stage) -> Forced:
    """The runway of each drill as its row tells it: when it began, what it took, its budget."""
    looks = {}
    for project in FORCED:
        runs = _since(phase.file("registry"), project, phase.window[0])
        if runs:
            answers = [*_runway(runs[-1])]
            looks[project] = Looks([at for at, _ in answers], answers)
    return Forced(looks, read_inbox(phase.file("inbox")))


def _since(registry: Path, project: int, begin: datetime) -> list[Reported]:
    """The ended runs of a project that began in the slot, the last one last."""
    rows = records(registry, _QUERY, project)
    return [run for run in rows if run.moment("started_at") >= begin]


def _runway(run: Reported) -> Iterator[tuple[datetime, Reported]]:
    """The minutes that were left each half minute: a run spends evenly."""
    begin, end = run.moment("started_at"), run.moment("completed_at")
    spent = begin + (end - begin) * (run.number("budget_tokens") / run.number("tokens_actual"))
    at = begin
    while at < min(spent, end):
        minutes = (spent - at).total_seconds() / 60
        yield at, Reported({"budget_runway_minutes": minutes}, f"run {run.get('run_id')}")
        at += _LOOK
