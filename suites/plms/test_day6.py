"""Day 6: the stress test. Two projects at once, estimates against actuals, alerts, roll-back."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from pytest_rollout import Observe, Stage, fairness, gaps
from suites.plms.scenarios.stress_test import PAIR, Stress
from suites.plms.views.portfolio import (
    LANES,
    caps,
    observe_slot,
    observe_utilisation,
    open_runs,
    rows,
    stalls,
)

pytestmark = pytest.mark.day6


# Entry: may the stress test start?


@pytest.mark.criterion("projects-idle")
@pytest.mark.parametrize("project", PAIR)
def test_project_is_idle(registry: Path, project: int) -> None:
    found = open_runs(registry, project)
    assert not found, f"project {project} has unfinished runs: {found}"


@pytest.mark.criterion("caps-in-place")
def test_caps_are_those_of_day_3(registry: Path) -> None:
    found = caps(registry)
    assert found == LANES, f"lane_configs has {found}, day 3 left {LANES}"


@pytest.mark.criterion("priors-exist")
@pytest.mark.parametrize("lane", PAIR.values())
def test_lane_has_a_prior_of_day_5(registry: Path, lane: str) -> None:
    query = "SELECT id FROM estimate_versions WHERE lane_name = ? AND run_id IS NOT NULL"
    assert rows(registry, query, lane), f"estimate_versions has no row of a run in {lane}"


# Two projects at once


@pytest.mark.parametrize(
    "project",
    [
        pytest.param(301, marks=pytest.mark.criterion("alpha-started")),
        pytest.param(302, marks=pytest.mark.criterion("beta-started")),
    ],
)
def test_project_is_accepted(stress_run: Stress, project: int, observe: Observe) -> None:
    start = stress_run.starts[project]
    assert start.status == httpx.codes.OK, f"start of {project} answers {start.status}, not 200"
    observe.attach(f"start_{project}.json", json.dumps(start.body), "application/json")
    status = start.body["status"]
    assert status == "submitted", f"start of {project} says {status!r}, not 'submitted'"


@pytest.mark.criterion("projects-overlap")
def test_runs_overlap(stress_run: Stress, observe: Observe) -> None:
    both = [sample.time for sample in stress_run.samples if sample.executing(PAIR) == set(PAIR)]
    observe("overlap", (both[-1] - both[0]).total_seconds() if both else 0)


@pytest.mark.criterion("both-complete")
@pytest.mark.parametrize("project", PAIR)
def test_project_completes(stress_run: Stress, project: int) -> None:
    found = [run["status"] for run in stress_run.runs if run["project_id"] == project]
    assert found == ["completed"], f"project {project} ended as {found}, not one run completed"


@pytest.mark.criterion("complete-within-slot")
def test_runs_end_within_the_slot(stress_run: Stress, observe: Observe) -> None:
    began = [run["started_at"] for run in stress_run.runs if run["started_at"]]
    for run in stress_run.runs:
        if run["completed_at"]:
            elapsed = datetime.fromisoformat(run["completed_at"]) - datetime.fromisoformat(
                min(began)
            )
            observe("elapsed", elapsed.total_seconds(), project=run["project_id"])


# What was watched


@pytest.mark.criterion("portfolio-observed")
def test_portfolio_is_sampled(stress_run: Stress, observe: Observe) -> None:
    for at, seconds in gaps(sample.time for sample in stress_run.samples):
        observe("portfolio_gap", seconds, at=at)


@pytest.mark.parametrize(
    "project",
    [
        pytest.param(301, marks=pytest.mark.criterion("alpha-runway-observed")),
        pytest.param(302, marks=pytest.mark.criterion("beta-runway-observed")),
    ],
)
def test_runway_is_sampled(stress_run: Stress, project: int, observe: Observe) -> None:
    for at, seconds in stress_run.runways[project].gaps():
        observe("runway_gap", seconds, at=at, project=project)


@pytest.mark.criterion("heatmap-observed")
def test_heatmap_is_sampled(stress_run: Stress, observe: Observe) -> None:
    for at, seconds in stress_run.heatmap.gaps():
        observe("heatmap_gap", seconds, at=at)
    for _, answer in stress_run.heatmap.answers:
        assert {lane["name"] for lane in answer["lanes"]} == set(LANES)


@pytest.mark.criterion("no-starvation")
def test_every_lane_with_work_gets_slots(stress_run: Stress, observe: Observe) -> None:
    observe_utilisation(stress_run.samples, observe)


@pytest.mark.criterion("steady-progress")
def test_projects_keep_advancing(stress_run: Stress, observe: Observe) -> None:
    for time, project, seconds in stalls(stress_run.samples, PAIR):
        observe("stall", seconds, at=time, project=project)


@pytest.mark.criterion("fair-share-balanced")
def test_capacity_is_shared_fairly(stress_run: Stress, observe: Observe) -> None:
    for sample in stress_run.samples:
        if sample.executing(PAIR) == set(PAIR):
            # Of what each could use: a lane of four and one of two are not equal in tasks.
            used = [x.utilization for x in sample.lanes if x.name in PAIR.values()]
            shares = [share for share in used if share is not None]
            if len(shares) == len(PAIR):
                observe("fairness", fairness(shares), at=sample.time)


# When


@pytest.mark.criterion("in-window")
def test_work_stays_in_the_slot(stress_run: Stress, phase: Stage, observe: Observe) -> None:
    observe_slot(phase, stress_run.events, observe)
