"""Day 3: the portfolio scheduler. Lane caps, two concurrent projects, burst, rollback."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from pytest_rollout import Observe, Stage
from suites.plms.scenarios.two_projects import Burst, Rehearsal, RolledBack
from suites.plms.views.answers import read
from suites.plms.views.formats import read_file
from suites.plms.views.portfolio import (
    LANES,
    PROJECTS,
    Sample,
    caps,
    observe_slot,
    observe_utilisation,
    open_runs,
    stalls,
)

pytestmark = pytest.mark.day3


# Entry: may the change start?


@pytest.mark.criterion("lane-rows-exist")
@pytest.mark.parametrize("lane", LANES)
def test_lane_has_a_row(registry: Path, lane: str) -> None:
    assert lane in caps(registry), f"lane_configs has no row for {lane}"


@pytest.mark.criterion("projects-idle")
@pytest.mark.parametrize("project", PROJECTS)
def test_project_is_idle(registry: Path, project: int) -> None:
    found = open_runs(registry, project)
    assert not found, f"project {project} has unfinished runs: {found}"


@pytest.mark.criterion("release-is-tagged")
def test_target_runs_the_tagged_release(api: httpx.Client) -> None:
    version = read(api.get("/version"), "version")["version"]
    assert version == "plms-v1.0.0", f"the target runs {version}, not plms-v1.0.0"


# Lane caps


@pytest.mark.parametrize(
    "lane",
    [pytest.param(lane, marks=pytest.mark.criterion(f"lane-cap-{lane.lower()}")) for lane in LANES],
)
def test_lane_has_the_cap_of_the_plan(two_projects: Rehearsal, lane: str) -> None:
    cap = two_projects.caps.get(lane)
    assert cap == LANES[lane], f"{lane} has cap {cap}, the plan says {LANES[lane]}"


@pytest.mark.criterion("lane-caps-visible-in-api")
def test_scheduler_goes_by_the_caps_in_the_registry(two_projects: Rehearsal) -> None:
    lanes = two_projects.idle.lanes
    shown = {lane.name: lane.cap for lane in lanes if lane.name in two_projects.caps}
    assert shown, "lane_configs has no row to compare with"
    assert shown == two_projects.caps, f"API shows {shown}, lane_configs {two_projects.caps}"


# Two projects at once


@pytest.mark.parametrize(
    "project",
    [
        pytest.param(101, marks=pytest.mark.criterion("project-a-started")),
        pytest.param(102, marks=pytest.mark.criterion("project-b-started")),
    ],
)
def test_project_is_accepted(two_projects: Rehearsal, project: int) -> None:
    start = two_projects.starts[project]
    assert start.status == httpx.codes.OK, f"start of {project} answers {start.status}, not 200"
    status = start.body["status"]
    assert status == "submitted", f"start of {project} says {status!r}, not 'submitted'"


@pytest.mark.criterion("start-retry-safe")
@pytest.mark.parametrize("project", PROJECTS)
def test_repeated_start_makes_no_second_run(two_projects: Rehearsal, project: int) -> None:
    found = [run["run_id"] for run in two_projects.runs if run["project_id"] == project]
    assert len(found) == 1, f"project {project} has {len(found)} runs ({found}), allowed is 1"


@pytest.mark.criterion("projects-overlap")
def test_runs_overlap(two_projects: Rehearsal, observe: Observe) -> None:
    both = [sample.time for sample in two_projects.samples if sample.executing() == set(PROJECTS)]
    overlap = (both[-1] - both[0]).total_seconds() if both else 0
    observe("overlap", overlap)


@pytest.mark.criterion("both-complete")
@pytest.mark.parametrize("project", PROJECTS)
def test_project_completes(two_projects: Rehearsal, project: int) -> None:
    found = [run["status"] for run in two_projects.runs if run["project_id"] == project]
    assert found, f"project {project} has no run"
    assert set(found) == {"completed"}, f"project {project} ended as {found}, not completed"


@pytest.mark.criterion("steady-progress")
def test_projects_keep_advancing(two_projects: Rehearsal, observe: Observe) -> None:
    for time, project, seconds in stalls(two_projects.samples):
        observe("stall", seconds, at=time, project=project)


@pytest.mark.criterion("utilization-balanced")
def test_loaded_lanes_are_used_equally(two_projects: Rehearsal, observe: Observe) -> None:
    for sample in two_projects.samples:
        if sample.executing() == set(PROJECTS):
            used = [
                lane.utilization
                for lane in sample.lanes
                if lane.name in PROJECTS.values() and lane.utilization is not None
            ]
            observe("utilization_spread", max(used) - min(used), at=sample.time)


@pytest.mark.criterion("queue-depth")
def test_queue_stays_short(two_projects: Rehearsal, observe: Observe) -> None:
    for sample in two_projects.samples:
        observe("queue_depth", sample.queue_depth, at=sample.time)


@pytest.mark.criterion("no-starvation")
def test_every_lane_with_work_gets_slots(two_projects: Rehearsal, observe: Observe) -> None:
    observe_utilisation(two_projects.samples, observe)


@pytest.mark.criterion("lane-caps-enforced")
def test_no_lane_runs_more_than_its_cap(two_projects: Rehearsal, observe: Observe) -> None:
    for sample in two_projects.samples:
        for lane in sample.lanes:
            over = lane.running - LANES[lane.name]
            observe("running_minus_cap", over, at=sample.time, lane=lane.name)


@pytest.mark.criterion("monitoring-cadence")
def test_samples_follow_each_other_closely(two_projects: Rehearsal, observe: Observe) -> None:
    times = [sample.time for sample in two_projects.samples]
    for before, after in pairwise(times):
        observe("sample_gap", (after - before).total_seconds(), at=after)


@pytest.mark.criterion("snapshot-saved")
def test_snapshot_holds_the_lanes(two_projects: Rehearsal, observe: Observe) -> None:
    stored = Sample.of(read_file(two_projects.snapshot, "snapshot"))
    text = two_projects.snapshot.read_text(encoding="utf-8")
    observe.attach("portfolio_status_day3.json", text, "application/json")
    lanes = {lane.name for lane in stored.lanes}
    assert lanes == set(LANES), f"the snapshot holds lanes {sorted(lanes)}, not {sorted(LANES)}"


# What was changed, and when


@pytest.mark.criterion("no-change-during-standup")
def test_no_change_in_the_freeze(two_projects: Rehearsal, phase: Stage, observe: Observe) -> None:
    for change in two_projects.changes:
        observe("change_in_freeze", phase.frozen(change.at), at=change.at, what=change.says)


@pytest.mark.criterion("in-window")
def test_work_stays_in_the_slot(two_projects: Rehearsal, phase: Stage, observe: Observe) -> None:
    observe_slot(phase, (*two_projects.changes, *two_projects.actions), observe)


# Burst and rollback, each on a target of its own


@pytest.mark.criterion("lane-caps-enforced-under-burst")
def test_burst_waits_in_the_queue(burst: Burst, observe: Observe) -> None:
    assert {start.status for start in burst.starts} == {httpx.codes.OK}, "a start was refused"
    for sample in burst.samples:
        for lane in sample.lanes:
            over = lane.running - LANES[lane.name]
            observe("running_minus_cap", over, at=sample.time, lane=lane.name)
    waiting = {lane.name: lane.queued for lane in burst.samples[0].lanes}
    assert min(waiting.values()) > 0, f"nothing waits although caps are exceeded: {waiting}"


@pytest.mark.criterion("rollback-caps-lifted")
@pytest.mark.parametrize("lane", LANES)
def test_rollback_lifts_the_cap(rolled_back: RolledBack, lane: str) -> None:
    cap = rolled_back.caps.get(lane)
    assert cap == 999, f"{lane} has cap {cap} after the rollback, not 999"


@pytest.mark.criterion("rollback-projects-cancelled")
@pytest.mark.parametrize("project", PROJECTS)
def test_rollback_cancels_the_project(rolled_back: RolledBack, project: int) -> None:
    answer = rolled_back.cancelled[project]
    assert answer == httpx.codes.OK, f"cancel of {project} answers {answer}, not 200"
    found = {one.status for one in rolled_back.later.projects if one.id == project}
    assert found == {"cancelled"}, f"half a minute later project {project} is {found}"
