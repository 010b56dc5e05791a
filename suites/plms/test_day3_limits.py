"""Day 3, rehearsed only: more work than a lane may run, and the way back."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import httpx
import pytest

from pytest_rollout import Observe
from suites.plms.scenarios.lane_limits import (
    LOWERED,
    NEIGHBOURS,
    SURPLUS,
    UNLIMITED,
    Burst,
    RolledBack,
)
from suites.plms.views.listed import listed
from suites.plms.views.portfolio import LANES, PROJECTS
from suites.plms.views.promises import cancelled_for_good, observe_over_caps

pytestmark = pytest.mark.day3
ENOUGH = timedelta(seconds=120)  # twice what a task takes: it may give its slot back in between


@pytest.mark.criterion("lane-caps-enforced-under-burst")
def test_burst_waits_in_the_queue(burst: Burst, observe: Observe) -> None:
    refused = [start.status for start in burst.starts if start.status != httpx.codes.OK]
    assert not refused, (
        f"{len(refused)} of {len(burst.starts)} starts were refused: {listed(refused[:3])}"
    )
    observe_over_caps(burst.capped, observe)
    crowded = burst.crowded[0].look
    waiting = {lane: crowded.count(lane, "submitted") for lane in LANES}
    surplus = dict.fromkeys(LANES, SURPLUS)
    assert waiting == surplus, (
        f"{SURPLUS} more than each cap were started, and {listed(waiting)} wait"
    )
    left = {lane: burst.raised[-1].look.count(lane, "submitted", "executing") for lane in LANES}
    assert not any(left.values()), f"what waited has not run after three minutes: {listed(left)}"


@pytest.mark.criterion("rollback-caps-lifted")
@pytest.mark.parametrize("lane", LANES)
def test_rollback_lifts_the_cap(rolled_back: RolledBack, lane: str) -> None:
    cap = rolled_back.caps.get(lane)
    assert cap == UNLIMITED, f"{lane} has cap {cap} after the rollback, not {UNLIMITED}"
    more = LANES[lane] + 1
    ran, waited = rolled_back.more[lane]
    said = f"{more} runs were started in {lane} after the rollback: {ran} run, {waited} wait"
    assert (ran, waited) == (more, 0), said
    before, lifted = (
        next((x.running, x.queued) for x in now.sample.lanes if x.name == lane)
        for now in (rolled_back.before, rolled_back.lifted)
    )
    went = f"{lane} ran {before[0]} and queued {before[1]} before the rollback, and"
    went = f"{went} {lifted[0]} and {lifted[1]} after it"
    assert lifted == (sum(before), 0), f"{went}: what waited does not run"


@pytest.mark.criterion("rollback-caps-restored")
@pytest.mark.parametrize("lane", LANES)
def test_the_cap_from_before_is_restored(rolled_back: RolledBack, lane: str) -> None:
    earlier, cap = rolled_back.earlier_caps[lane], rolled_back.restored_caps.get(lane)
    assert cap == earlier, f"{lane} had cap {earlier} before the day, and has {cap} afterwards"
    ran, waited = rolled_back.again[lane]
    said = (
        f"{earlier + 1} runs were started in {lane} under cap {earlier}: {ran} run, {waited} wait"
    )
    assert (ran, waited) == (earlier, 1), said


@pytest.mark.criterion("rollback-caps-restored")
def test_a_lane_over_its_restored_cap_starts_nothing(rolled_back: RolledBack) -> None:
    cap, seen = rolled_back.earlier_caps[LOWERED], rolled_back.lowered
    ran = [next(lane.running for lane in now.sample.lanes if lane.name == LOWERED) for now in seen]
    for (before, now), look in zip(pairwise(ran), seen[1:], strict=True):
        said = f"{LOWERED} runs {now} at {look.at}, {before} before that, under cap {cap}"
        assert now <= max(before, cap), f"{said}: more was started above the cap"
    late = [count for count, now in zip(ran, seen, strict=True) if now.at - seen[0].at > ENOUGH]
    assert max(late) <= cap, f"{LOWERED} still runs {max(late)} under cap {cap} once tasks ended"
    began = {run["run_id"] for run in seen[0].look.runs if run["status"] == "executing"}
    assert len(began) > cap, f"only {len(began)} ran in {LOWERED} as its cap became {cap} again"


@pytest.mark.criterion("rollback-projects-cancelled")
@pytest.mark.parametrize("project", PROJECTS)
def test_rollback_cancels_the_project(rolled_back: RolledBack, project: int) -> None:
    answer = rolled_back.cancelled[project]
    assert answer == httpx.codes.OK, f"cancel of {project} answers {answer}, not 200"
    cancelled_for_good(rolled_back.before, rolled_back.later, project, PROJECTS[project])
    run = rolled_back.freed
    freed = f"after the cancel as many runs as the caps ({listed(LANES)}) were started"
    assert run == LANES, f"{freed}, and {listed(run)} run: slots are still held"


@pytest.mark.criterion("rollback-projects-cancelled")
def test_a_cancel_leaves_other_projects_alone(rolled_back: RolledBack) -> None:
    first, other = NEIGHBOURS
    at_once, later = ([now.status(project) for project in NEIGHBOURS] for now in rolled_back.apart)
    said = f"project {first} was cancelled, and project {other} of its lane is {at_once[1]}"
    assert at_once == ["cancelled", "executing"], f"{said}, project {first} is {at_once[0]}"
    said = f"{said} and later {later[1]}; its work takes a minute"
    assert later == ["cancelled", "completed"], said
