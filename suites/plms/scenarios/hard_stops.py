"""The hard stops: runs over their budgets, runs that may not teach, rehearsals that leave out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pytest_rollout import Reported, Stage, every, nothing, scenario
from suites.plms.scenarios.live_week import Entry, diary
from suites.plms.views.answers import read
from suites.plms.views.dialect import spoken
from suites.plms.views.tables import records, rows

OVERRUN = 0.25
WORK_S = 600
# Project to the budget of a run that takes 6000 tokens.
BUDGETS = {
    950: 4804,  # 24.9 % over it
    951: 4800,  # at the limit
    952: 4796,  # 25.1 %
    953: 4615,  # 30 %, as the others
    954: 4615,
    955: 4615,
    956: 4615,
}
APPROVED = {954: "pm", 955: "engineering", 956: "operations"}  # by whom; only the PM may


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

    @property
    def work(self) -> tuple[float, float]:
        """What the run has done and spent by now."""
        return self.run.number("progress"), self.runway.number("tokens_spent")


@dataclass(frozen=True, slots=True)
class Budgets:
    """What was seen of runs at and over the limit of their budgets."""

    readings: tuple[Reading, ...]
    approvals: tuple[Entry, ...]
    ended: Mapping[int, Reported]  # the run of each in the registry, long after it could be done

    def of(self, project: int) -> list[Reading]:
        """The readings of one project."""
        return [reading for reading in self.readings if reading.project == project]


@scenario(effect="change", own_target=True)
def overrunning(phase: Stage) -> Budgets:
    """Runs are projected to use 1.249 to 1.3 times their budgets; the PM approves one of them."""
    plms = phase.target("plms")
    phase.operate("plms", "guard-budgets")
    for number, (project, budget) in enumerate(BUDGETS.items()):
        body = {"run_kind": "baseline", "tasks": 1, "task_seconds": WORK_S}
        body |= {"lane_name": ("Narrative", "Viz-Charts", "Code-API")[number % 3]}
        key = {"Idempotency-Key": f"{phase.id}/{project}/1"}
        path = f"/api/projects/{project}/start"
        answer = plms.client.post(
            path, headers=key, json=spoken().body("start", {**body, "budget_tokens": budget})
        )
        answer.raise_for_status()
    for project, role in APPROVED.items():
        phase.operate("plms", "approve-overrun", project=project, role=role)
    plms.clock.advance(60)
    until = plms.clock.now() + timedelta(minutes=4)
    readings = [reading for _ in every(plms.clock, 30, until) for reading in _read(phase)]
    plms.clock.advance(WORK_S)
    query = (
        "SELECT project_id, status, completed_at, tokens_actual FROM project_runs"
        f" WHERE project_id IN ({', '.join('?' * len(BUDGETS))})"
    )
    ended = {row["project_id"]: row for row in records(phase.file("registry"), query, *BUDGETS)}
    return Budgets(tuple(readings), diary(phase.file("week")), ended)


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


# Calibration quarantine: each reason by itself, and neither

QUARANTINED = {961: "failed", 962: "sandbox", 964: "failed", 965: "sandbox"}
_BODIES: Mapping[int, Mapping[str, Any]] = {
    961: {"run_kind": "baseline", "tests_pass": False},
    962: {"run_kind": "hotfix", "write_sandbox": True},
    964: {"run_kind": "hotfix", "tests_pass": False},
    965: {"run_kind": "baseline", "write_sandbox": True},
    963: {"run_kind": "baseline"},
}
_BUDGET = 9000  # of a probe: no run takes it


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a run left behind that ended while calibration was on."""

    run: Reported  # its row in the registry
    priors: int  # how many there are more than before it
    before: float  # tokens that the next run of its lane was expected to take
    after: float


@scenario(effect="disrupt", own_target=True)
def quarantined(phase: Stage) -> Mapping[int, Lesson]:
    """Runs that fail their KPIs, sandboxed ones, and a good one end while calibration is on."""
    return {project: _lesson(phase, project) for project in _BODIES}


def _lesson(phase: Stage, project: int) -> Lesson:
    registry, before = phase.file("registry"), _expected(phase, project, "before")
    known = _priors(phase)
    _run(phase, project, {**_BODIES[project], "calibrate": True})
    query = "SELECT status, validation_pass, write_sandbox FROM project_runs WHERE project_id = ?"
    runs = records(registry, query, project)
    run = runs[0] if runs else nothing("the registry", f"project {project} has no run")
    return Lesson(run, _priors(phase) - known, before, _expected(phase, project, "after"))


def _run(phase: Stage, project: int, body: Mapping[str, object], name: str = "") -> None:
    """Start a small run in Code-API and wait until its work can be done."""
    plms = phase.target("plms")
    key = {"Idempotency-Key": f"{phase.id}/{project}/{name or 1}"}
    work = {"lane_name": "Code-API", "tasks": 1, "task_seconds": 60}
    path = f"/api/projects/{project}/start"
    plms.client.post(
        path, headers=key, json=spoken().body("start", {**work, **body})
    ).raise_for_status()
    plms.clock.advance(180)


def _expected(phase: Stage, project: int, when: str) -> float:
    """The tokens that a rehearsal, which never teaches, is expected to take."""
    probe = 10 * project + (when == "after")
    _run(phase, probe, {"run_kind": "rehearsal", "budget_tokens": _BUDGET}, when)
    query = "SELECT tokens_mean FROM project_runs WHERE project_id = ?"
    runs = records(phase.file("registry"), query, probe)
    row = runs[0] if runs else nothing("the registry", f"project {probe} has no run")
    return row.number("tokens_mean")


def _priors(phase: Stage) -> int:
    (row,) = rows(phase.file("registry"), "SELECT COUNT(*) AS n FROM estimate_versions")
    return int(row["n"])


# Rehearsals

TOO_FEW, ENOUGH, TOO_MANY = 401, 406, 407
ASKED = 0.01


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a rehearsal came to: as it is told, and as its sample says."""

    told: Reported

    @property
    def share(self) -> float:
        """The share of the tasks that the sample has, counted."""
        return sum(self._taken().values()) / self.told.whole("n_total")

    @property
    def coverage(self) -> float:
        """The share of the strata that gave a task, counted."""
        return sum(count > 0 for count in self._taken().values()) / self.told.whole("n_strata")

    @property
    def suffices(self) -> bool:
        """Whether the share that was asked for has a task for each stratum."""
        return int(round(ASKED * self.told.whole("n_total"), 6)) >= self.told.whole("n_strata")

    def _taken(self) -> Mapping[str, int]:
        taken: Mapping[str, int] = self.told["samples_per_stratum"]
        return taken


@scenario()
def canary(phase: Stage) -> Mapping[int, Rehearsed]:
    """One percent is rehearsed: too few for the strata, enough, and too few at five percent."""
    client, rehearsed = phase.target("plms").client, {}
    for project in (TOO_FEW, ENOUGH, TOO_MANY):
        answer = client.post(
            spoken().path("simulate", project),
            json=spoken().body("simulate", {"rehearsal_pct": ASKED}),
        )
        rehearsed[project] = Rehearsed(read(answer, "simulate"))
    return rehearsed
