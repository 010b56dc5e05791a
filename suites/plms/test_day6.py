"""Day 6: the stress test. Two projects at once, estimates against actuals, alerts, roll-back."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from pytest_rollout import Observe, Stage, fairness, recount
from suites.plms.scenarios.stress_test import (
    BUDGETS,
    PAIR,
    Stress,
)
from suites.plms.views.listed import listed
from suites.plms.views.portfolio import (
    ENDED,
    LANES,
    caps,
    observe_slot,
    observe_utilisation,
    open_runs,
    rows,
    sample,
    stalls,
)
from suites.plms.views.promises import (
    completed_as_seen,
    observe_runs_in_slot,
    progress_is_steady,
    start_is_a_new_run,
    statuses_agree,
)
from suites.plms.views.unsaid import reset
from suites.plms.views.watched import (
    moment,
    overlap,
    queue_of_lanes,
    together,
    used,
    utilisation,
    worked_on,
)

pytestmark = pytest.mark.day6


# Entry: may the stress test start?


@pytest.mark.criterion("projects-idle")
@pytest.mark.parametrize("project", PAIR)
def test_project_is_idle(registry: Path, api: httpx.Client, project: int) -> None:
    unfinished = open_runs(registry, project)
    assert not unfinished, f"project {project} has unfinished runs: {listed(unfinished)}"
    assert sample(api).ended([project]), f"the API tells of an unfinished run of {project}"


@pytest.mark.criterion("caps-in-place")
def test_caps_are_those_of_day_3(registry: Path, api: httpx.Client) -> None:
    stored = caps(registry)
    assert stored == LANES, f"lane_configs has {listed(stored)}; day 3 left {listed(LANES)}"
    shown = {lane.name: lane.cap for lane in sample(api).lanes}
    assert shown == stored, (
        f"the API shows the caps {listed(shown)}; lane_configs has {listed(stored)}"
    )


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
    observe.attach(f"start_{project}.json", json.dumps(dict(start.body)), "application/json")
    runs = stress_run.runs
    start_is_a_new_run(start, runs, project, PAIR[project], **BUDGETS[project])


@pytest.mark.criterion("launched-together")
def test_both_start_within_ten_minutes(stress_run: Stress, observe: Observe) -> None:
    began = [run["started_at"] for project in PAIR for run in stress_run.runs_of(project)[:1]]
    assert len(began) == len(PAIR), f"{len(began)} of both projects have a run"
    times = [moment(at, "start of a run") for at in began]
    observe("launch_gap", (max(times) - min(times)).total_seconds())


@pytest.mark.criterion("projects-overlap")
def test_runs_overlap(stress_run: Stress, observe: Observe) -> None:
    observe("overlap", together(stress_run.seen, PAIR), by="API")
    runs = [mine[0] for mine in map(stress_run.runs_of, PAIR) if mine]
    whole = len(runs) == len(PAIR) and all(run["started_at"] for run in runs)
    last = stress_run.seen[-1].at if stress_run.seen else stress_run.started
    observe("overlap", overlap(runs, last) if whole else 0, by="registry")


@pytest.mark.criterion("both-complete")
@pytest.mark.parametrize("project", PAIR)
def test_project_completes(stress_run: Stress, project: int) -> None:
    mine = stress_run.runs_of(project)
    statuses = [run["status"] for run in mine]
    assert statuses == ["completed"], (
        f"project {project} ended as {listed(statuses)}, not one run completed"
    )
    completed_as_seen(stress_run.seen, stress_run.after, mine, project)
    statuses_agree(stress_run.seen, [project])


@pytest.mark.criterion("complete-within-slot")
def test_runs_end_within_the_slot(stress_run: Stress, observe: Observe) -> None:
    began = [moment(run["started_at"], "start") for run in stress_run.runs if run["started_at"]]
    for run in stress_run.runs:
        if run["completed_at"]:
            elapsed = moment(run["completed_at"], "end") - min(began)
            observe("elapsed", elapsed.total_seconds(), project=run["project_id"])


@pytest.mark.criterion("ended-by-hard-stop")
def test_nothing_runs_at_the_hard_stop(stress_run: Stress, phase: Stage, observe: Observe) -> None:
    stop = phase.window[1] - BEFORE_THE_END
    for now in stress_run.seen:
        runs = [run for run in now.look.runs if run["project_id"] in PAIR]
        running = any(run["status"] not in ENDED for run in runs)
        observe("runs_after_hard_stop", running and now.at >= stop, at=now.at)


BEFORE_THE_END = timedelta(minutes=30)  # the roll-back is decided at 15:30, the slot ends at 16:00


@pytest.mark.criterion("no-starvation")
def test_every_lane_with_work_gets_slots(stress_run: Stress, observe: Observe) -> None:
    observe_utilisation(stress_run.samples, observe)
    recount("utilisation", utilisation(stress_run.seen), within=0.01).demand()
    recount("queue depth", queue_of_lanes(stress_run.seen)).demand()
    unfounded = list(worked_on(stress_run.seen, PAIR))
    assert not unfounded, "; ".join(unfounded[:3])


@pytest.mark.criterion("steady-progress")
def test_projects_keep_advancing(stress_run: Stress, observe: Observe) -> None:
    for time, project, seconds in stalls(stress_run.samples, PAIR):
        observe("stall", seconds, at=time, project=project)
    progress_is_steady([*stress_run.samples, stress_run.after], PAIR)


@pytest.mark.criterion("fair-share-balanced")
def test_capacity_is_shared_fairly(stress_run: Stress, observe: Observe) -> None:
    for now in stress_run.seen:
        if now.sample.executing(PAIR) == set(PAIR):
            # Of what each could use: a lane of four and one of two are not equal in tasks.
            lanes = used(now)
            shares = [share for lane in PAIR.values() if (share := lanes.get(lane)) is not None]
            assert len(shares) == len(PAIR), f"both run, and the lanes are used: {listed(lanes)}"
            observe("fairness", fairness(shares), at=now.at)
    moved = [what for _, _, what in reset((now.at, now.look) for now in stress_run.seen)]
    assert not moved, f"while both ran {'; '.join(moved)}: no share of that can be told"


# When


@pytest.mark.criterion("in-window")
def test_work_stays_in_the_slot(stress_run: Stress, phase: Stage, observe: Observe) -> None:
    observe_slot(phase, stress_run.events, observe)
    observe_runs_in_slot(phase, stress_run.runs, observe)
