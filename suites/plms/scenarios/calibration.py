"""Day 5: two baselines that teach, probes of the policy, and the roll-back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pytest_rollout import Event, Reported, Stage, every, scenario
from suites.plms.views.answers import read
from suites.plms.views.portfolio import ENDED, Start, rows, sample, start

BASELINES = {201: "Code-API", 202: "Data-Schema"}
BUDGETS = {
    201: {"budget_tokens": 10_000, "budget_duration_minutes": 30},
    202: {"budget_tokens": 8_000, "budget_duration_minutes": 20},
}
_POLL_S = 60
_NEW = 203  # the project of which nothing is known but what the others took


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was seen of the two baselines."""

    starts: Mapping[int, Start]
    runs: Mapping[int, dict[str, Any]]  # the row of each, {} without one
    priors: list[dict[str, Any]]  # those that are new since the policy was enabled
    metrics: Mapping[str, Any]  # of the new project, with intervals
    events: tuple[Event, ...]

    def priors_of(self, project: int) -> list[dict[str, Any]]:
        """The new priors that come from a baseline and are of its lane."""
        run, lane = self.runs[project].get("run_id"), BASELINES[project]
        return [row for row in self.priors if (row["run_id"], row["lane_name"]) == (run, lane)]


@scenario(effect="change")
def seeded(phase: Stage) -> Seeded:
    """The policy is enabled, and two baselines run one after the other."""
    plms, registry = phase.target("plms"), phase.file("registry")
    phase.operate("plms", "enable-calibration")
    mark = newest_prior(registry)
    plms.clock.to(phase.window[0] + timedelta(minutes=5))
    starts = {project: baseline(phase, project) for project in BASELINES}
    phase.operate("plms", "close-shift")
    answer = plms.client.get(f"/api/projects/{_NEW}/metrics", params={"with_ci": 1})
    return Seeded(
        starts=starts,
        runs={project: _run(registry, starts[project]) for project in BASELINES},
        priors=rows(registry, "SELECT * FROM estimate_versions WHERE id > ?", mark),
        metrics=read(answer, "metrics"),
        events=phase.events("change", "action"),
    )


def newest_prior(registry: Path) -> int:
    """The id of the newest prior, 0 without any."""
    (newest,) = rows(registry, "SELECT COALESCE(MAX(id), 0) AS id FROM estimate_versions")
    return int(newest["id"])


def baseline(phase: Stage, project: int) -> Start:
    """Start a baseline and wait until it is told to have ended, no longer than its budget."""
    plms = phase.target("plms")
    answer = start(plms.client, project, f"{phase.id}/{project}/1", **BUDGETS[project])
    if answer.status == 200:
        phase.record("change", f"project {project} started")
    budget = timedelta(minutes=BUDGETS[project]["budget_duration_minutes"], seconds=_POLL_S)
    for _ in every(plms.clock, _POLL_S, until=plms.clock.now() + budget):
        statuses = {run.status for run in sample(plms.client).projects if run.id == project}
        if statuses <= set(ENDED) | {"needs_review"}:
            break
    return answer


def _run(registry: Path, answer: Start) -> dict[str, Any]:
    query = "SELECT * FROM project_runs WHERE run_id = ?"
    return next(iter(rows(registry, query, answer.body.get("run_id"))), {})


# The policy, tried with small runs


@dataclass(frozen=True, slots=True)
class PolicyProbe:
    """A small run, and whether the policy lets it teach."""

    project: int
    body: Mapping[str, Any]
    teaches: bool


PROBES = {
    "baseline": PolicyProbe(951, {"run_kind": "baseline", "write_sandbox": False}, True),
    "hotfix": PolicyProbe(952, {"run_kind": "hotfix", "write_sandbox": False}, True),
    "rehearsal": PolicyProbe(953, {"run_kind": "rehearsal", "write_sandbox": False}, False),
    "replay": PolicyProbe(954, {"run_kind": "replay", "write_sandbox": False}, False),
    "failing": PolicyProbe(
        955, {"run_kind": "baseline", "write_sandbox": False, "tests_pass": False}, False
    ),
    "sandbox": PolicyProbe(956, {"run_kind": "hotfix", "write_sandbox": True}, False),
    "no-flag": PolicyProbe(957, {"run_kind": "baseline"}, True),
}
_SMALL = {"lane_name": "Code-API", "tasks": 1, "task_seconds": 60, "tags": "demo"}


@dataclass(frozen=True, slots=True)
class Probed:
    """What the running service learnt from each probe."""

    configured: str | None  # calibration_enabled
    told: Reported  # what the service says of itself
    ended: Mapping[str, bool]
    priors: Mapping[str, int]  # number of them by probe

    @property
    def enabled(self) -> bool:
        """Whether it calibrates, as the service says."""
        return self.told.flag("enabled")


@scenario(effect="change", own_target=True)
def probed(phase: Stage) -> Probed:
    """The policy is enabled, and one small run of each kind is made."""
    plms, registry = phase.target("plms"), phase.file("registry")
    phase.operate("plms", "enable-calibration")
    ids = {name: _start_probe(phase, name, 1) for name in PROBES}
    open_ = _still_open(phase, set(ids.values()))
    count = "SELECT COUNT(*) AS n FROM estimate_versions WHERE run_id = ?"
    config = "SELECT value FROM system_config WHERE key = 'calibration_enabled'"
    return Probed(
        configured=next((row["value"] for row in rows(registry, config)), None),
        told=read(plms.client.get("/api/ops/calibration"), "calibration"),
        ended={name: run not in open_ for name, run in ids.items()},
        priors={name: rows(registry, count, run)[0]["n"] for name, run in ids.items()},
    )


def _start_probe(phase: Stage, name: str, attempt: int) -> str:
    """Start a probe: the id of its run."""
    answer = phase.target("plms").client.post(
        f"/api/projects/{PROBES[name].project}/start",
        headers={"Idempotency-Key": f"{phase.id}/probe/{name}/{attempt}"},
        json={**_SMALL, **PROBES[name].body},
    )
    return read(answer, "start").text("run_id")


def _still_open(phase: Stage, runs: set[str]) -> set[str]:
    """Those of some runs that have not ended after a while."""
    clock, registry = phase.target("plms").clock, phase.file("registry")
    for _ in every(clock, _POLL_S, until=clock.now() + timedelta(minutes=20)):
        ended = rows(registry, "SELECT run_id FROM project_runs WHERE completed_at IS NOT NULL")
        runs = runs - {row["run_id"] for row in ended}
        if not runs:
            break
    return runs


# The roll-back


@dataclass(frozen=True, slots=True)
class RolledBackCalibration:
    """The ids of all priors at four moments."""

    before: list[int]  # the policy was enabled
    learnt: list[int]  # after a baseline
    reverted: list[int]  # after the roll-back
    later: list[int]  # after one more baseline
    ended: bool  # that baseline


@scenario(effect="disrupt", own_target=True)
def calibration_rolled_back(phase: Stage) -> RolledBackCalibration:
    """Calibration is rolled back after one small baseline, and another runs."""
    registry = phase.file("registry")
    before = _prior_ids(registry)
    phase.operate("plms", "enable-calibration")
    _still_open(phase, {_start_probe(phase, "baseline", 1)})
    learnt = _prior_ids(registry)
    phase.operate("plms", "roll-back-calibration")
    reverted = _prior_ids(registry)
    left = _still_open(phase, {_start_probe(phase, "baseline", 2)})
    return RolledBackCalibration(before, learnt, reverted, _prior_ids(registry), not left)


def _prior_ids(registry: Path) -> list[int]:
    return [row["id"] for row in rows(registry, "SELECT id FROM estimate_versions ORDER BY id")]
