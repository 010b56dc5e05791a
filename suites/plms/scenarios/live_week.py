"""The week of the rollout as the suite sees it: its diary, its nights, budgets and rehearsals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pytest_rollout import Reported, Stage, every, nothing, scenario
from suites.plms.views.answers import read
from suites.plms.views.dialect import spoken
from suites.plms.views.formats import read_file
from suites.plms.views.portfolio import rows

OVERRUN = 0.25
# Project to the budget of a run that takes 6000 tokens: at the limit, just over it, far over it.
BUDGETS = {951: 4800, 952: 4796, 953: 4615, 954: 4615}
APPROVED = 954
QUARANTINED = {961: "failed", 962: "sandbox"}


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
    return Week(diary(phase.file("week")), phase.file("registry"), checks)


@dataclass(frozen=True, slots=True)
class Reading:
    """A project's projection and status at one moment."""

    at: datetime
    project: int
    runway: Reported  # as the target told it
    run: Reported  # of the project, in the portfolio

    @property
    def overrun(self) -> float:
        """By which share of its budget the project is projected to go over it."""
        return round(self.runway.number("projected_overrun_ratio"), 9)

    @property
    def status(self) -> str:
        """How far its run is, as a word."""
        return self.run.text("status")


@dataclass(frozen=True, slots=True)
class Budgets:
    """What was seen of runs at and over the limit of their budgets."""

    readings: tuple[Reading, ...]
    approvals: tuple[Entry, ...]


@scenario(effect="change", own_target=True)
def overrunning(phase: Stage) -> Budgets:
    """Four runs are projected to use 1.25 to 1.3 times their budgets; one of them is approved."""
    plms = phase.target("plms")
    phase.operate("plms", "guard-budgets")
    for project, budget in BUDGETS.items():
        body = {"run_kind": "baseline", "lane_name": "Narrative", "tasks": 1, "task_seconds": 600}
        key = {"Idempotency-Key": f"{phase.id}/{project}/1"}
        path = f"/api/projects/{project}/start"
        given = spoken().body("start", {**body, "budget_tokens": budget})
        answer = plms.client.post(path, headers=key, json=given)
        answer.raise_for_status()
    phase.operate("plms", "approve-overrun", project=APPROVED)
    plms.clock.advance(60)
    until = plms.clock.now() + timedelta(minutes=4)
    readings = [reading for _ in every(plms.clock, 30, until) for reading in _read(phase)]
    return Budgets(tuple(readings), diary(phase.file("week")))


def _read(phase: Stage) -> list[Reading]:
    plms = phase.target("plms")
    status = read(plms.client.get("/api/portfolio/status"), "portfolio")
    runs = {run.get("project_id"): run for run in status.each("projects")}
    unknown = nothing("the portfolio status", "the target does not report the project's run")
    readings = []
    for project in BUDGETS:
        answer = plms.client.get(f"/api/projects/{project}/budget-runway")
        runway = read(answer, "budget-runway")
        run = runs.get(project, unknown)
        readings.append(Reading(status.moment("timestamp"), project, runway, run))
    return readings


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Runs that may not teach, and the priors that come from them."""

    ended: dict[int, str]  # status
    taught: dict[int, int]  # number of priors


@scenario(effect="disrupt", own_target=True)
def quarantined(phase: Stage) -> Quarantine:
    """A run that fails its KPIs and a sandboxed one end while calibration is on."""
    plms = phase.target("plms")
    for project, why in QUARANTINED.items():
        body = {"run_kind": "baseline", "lane_name": "Code-API", "calibrate": True}
        body |= {"tests_pass": False} if why == "failed" else {"write_sandbox": True}
        key = {"Idempotency-Key": f"{phase.id}/{project}/1"}
        path = f"/api/projects/{project}/start"
        given = spoken().body("start", body)
        plms.client.post(path, headers=key, json=given).raise_for_status()
    plms.clock.advance(1800)
    registry = phase.file("registry")
    query = (
        "SELECT r.project_id, r.status, COUNT(v.id) AS priors FROM project_runs AS r"
        " LEFT JOIN estimate_versions AS v USING (run_id) WHERE r.project_id IN (?, ?)"
        " GROUP BY r.project_id"
    )
    by_project = {row["project_id"]: row for row in rows(registry, query, *QUARANTINED)}
    return Quarantine(
        {project: row["status"] for project, row in by_project.items()},
        {project: row["priors"] for project, row in by_project.items()},
    )


@scenario()
def canary(phase: Stage) -> Mapping[str, Any]:
    """A project of which one percent cannot cover every stratum is rehearsed."""
    client = phase.target("plms").client
    body = spoken().body("simulate", {"rehearsal_pct": 0.01})
    answer = client.post(spoken().path("simulate", 401), json=body)
    return read(answer, "simulate")
