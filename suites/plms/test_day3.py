"""Day 3: the portfolio scheduler. Lane caps, two concurrent projects, burst, rollback."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import httpx
import pytest

from pytest_rollout import Observe, fairness, gaps, recount
from suites.plms.scenarios.lane_limits import NEIGHBOURS, RAISED, Burst
from suites.plms.scenarios.two_projects import Rehearsal
from suites.plms.views.answers import not_done, read
from suites.plms.views.formats import read_file
from suites.plms.views.listed import listed
from suites.plms.views.portfolio import (
    LANES,
    PROJECTS,
    Sample,
    caps,
    observe_utilisation,
    open_runs,
    sample,
    stalls,
)
from suites.plms.views.promises import (
    completed_as_seen,
    completed_in_full,
    observe_over_caps,
    progress_is_steady,
    snapshot_is_of_the_run,
    start_is_a_new_run,
    statuses_agree,
)
from suites.plms.views.unsaid import done_while_waiting
from suites.plms.views.watched import (
    Seen,
    age,
    moment,
    overlap,
    pauses,
    queue_of_lanes,
    running_by_rows,
    starved,
    together,
    used,
    utilisation,
    work_by_rows,
    worked_on,
)

pytestmark = pytest.mark.day3


# Entry: may the change start?


@pytest.mark.criterion("lane-rows-exist")
@pytest.mark.parametrize("lane", LANES)
def test_lane_has_a_row(registry: Path, lane: str) -> None:
    assert lane in caps(registry), f"lane_configs has no row for {lane}"


@pytest.mark.criterion("projects-idle")
@pytest.mark.parametrize("project", PROJECTS)
def test_project_is_idle(registry: Path, api: httpx.Client, project: int) -> None:
    unfinished = open_runs(registry, project)
    assert not unfinished, f"project {project} has unfinished runs: {listed(unfinished)}"
    assert sample(api).ended([project]), f"the API tells of an unfinished run of {project}"


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
    had = {now.look.caps.get(lane) for now in two_projects.seen}
    assert had <= {cap}, f"while both ran {lane} had the caps {listed(had)}, not {cap} all the time"


@pytest.mark.criterion("lane-caps-visible-in-api")
def test_scheduler_goes_by_the_caps_in_the_registry(
    two_projects: Rehearsal, crowd: Burst | None
) -> None:
    lanes = two_projects.idle.lanes
    shown = {lane.name: lane.cap for lane in lanes if lane.name in two_projects.caps}
    assert shown, "lane_configs has no row to compare with"
    assert shown == two_projects.caps, (
        f"the API shows the caps {listed(shown)}; lane_configs has {listed(two_projects.caps)}"
    )
    recount("caps in the API", map(_caps, two_projects.seen)).demand()
    if crowd is not None:
        recount("caps in the API", map(_caps, crowd.looks)).demand(varied=True)
        ran = [now.look.count(RAISED, "executing") for now in (crowd.crowded[-1], crowd.raised[0])]
        cap = LANES[RAISED]
        said = f"{RAISED} ran {ran[0]} under cap {cap} and {ran[1]} once lane_configs said"
        assert ran == [cap, cap + 1], f"{said} {cap + 1}"


def _caps(now: Seen) -> tuple[datetime, dict[str, int], dict[str, int]]:
    stored = {lane: cap for lane, cap in now.look.caps.items() if lane in LANES}
    return now.at, {lane.name: lane.cap for lane in now.sample.lanes if lane.name in stored}, stored


# Two projects at once


@pytest.mark.parametrize(
    "project",
    [
        pytest.param(101, marks=pytest.mark.criterion("project-a-started")),
        pytest.param(102, marks=pytest.mark.criterion("project-b-started")),
    ],
)
def test_project_is_accepted(two_projects: Rehearsal, project: int) -> None:
    start_is_a_new_run(two_projects.starts[project], two_projects.runs, project, PROJECTS[project])


@pytest.mark.criterion("start-retry-safe")
@pytest.mark.parametrize("project", PROJECTS)
def test_repeated_start_makes_no_second_run(two_projects: Rehearsal, project: int) -> None:
    again = two_projects.retries.get(project)
    if again is None:
        trouble = two_projects.trouble.get("retry-start", "nobody did it")
        not_done(f"the start of {project} was not repeated: {trouble}", "repeat it")
    assert again.status == httpx.codes.OK, f"the repeated start of {project} answers {again.status}"
    first = two_projects.starts[project].body.get("run_id")
    same = f"the repeated start of {project} is run {again.body.get('run_id')}, the first {first}"
    assert again.body.get("run_id") == first, same
    ids = [run["run_id"] for run in two_projects.runs_of(project)]
    assert len(ids) == 1, f"project {project} has {len(ids)} runs ({listed(ids)}), allowed is 1"


@pytest.mark.criterion("projects-overlap")
def test_runs_overlap(two_projects: Rehearsal, observe: Observe) -> None:
    observe("overlap", together(two_projects.seen, PROJECTS), by="API")
    runs = [mine[0] for mine in map(two_projects.runs_of, PROJECTS) if mine]
    whole = len(runs) == len(PROJECTS) and all(run["started_at"] for run in runs)
    last = two_projects.seen[-1].at if two_projects.seen else two_projects.started
    observe("overlap", overlap(runs, last) if whole else 0, by="registry")


@pytest.mark.criterion("both-complete")
@pytest.mark.parametrize("project", PROJECTS)
def test_project_completes(two_projects: Rehearsal, project: int, observe: Observe) -> None:
    mine = two_projects.runs_of(project)
    statuses = [run["status"] for run in mine]
    failed = any(status in ("failed", "needs_review") for status in statuses)
    observe("project_failed", failed, project=project)
    assert mine, f"project {project} has no run"
    assert set(statuses) == {"completed"}, (
        f"project {project} ended as {listed(statuses)}, not completed"
    )
    completed_as_seen(two_projects.seen, two_projects.after, mine, project)
    statuses_agree(two_projects.seen, [project])


@pytest.mark.criterion("both-complete")
@pytest.mark.parametrize("project", PROJECTS)
def test_a_completed_run_says_what_it_took_and_kept(two_projects: Rehearsal, project: int) -> None:
    for run in two_projects.runs_of(project):
        if run["status"] == "completed":
            completed_in_full(run, two_projects.receipts)


@pytest.mark.criterion("steady-progress")
def test_projects_keep_advancing(
    two_projects: Rehearsal, crowd: Burst | None, observe: Observe
) -> None:
    for time, project, seconds in stalls(two_projects.samples):
        observe("stall", seconds, at=time, project=project)
    progress_is_steady([*two_projects.samples, two_projects.after], PROJECTS)
    if crowd is not None:
        seen = list(pauses(crowd.neighbours, NEIGHBOURS))
        told = {project for _, project, _ in seen}
        assert told == set(NEIGHBOURS), f"of two projects in one lane {len(told)} are told of"
        for at, project, seconds in seen:
            observe("stall", seconds, at=at, project=project, of="one lane")


@pytest.mark.criterion("utilization-balanced")
def test_loaded_lanes_are_used_equally(
    two_projects: Rehearsal, crowd: Burst | None, observe: Observe
) -> None:
    for now in two_projects.seen:
        if now.sample.executing() == set(PROJECTS):
            shares_of = {
                x.name: x.utilization for x in now.sample.lanes if x.name in PROJECTS.values()
            }
            shares = [share for share in shares_of.values() if share is not None]
            assert len(shares) == len(PROJECTS), (
                f"both run, and the lanes are used: {listed(shares_of)}"
            )
            observe("utilization_spread", max(shares) - min(shares), at=now.at)
    for now in crowd.shared if crowd is not None else ():
        running = [now.look.count(lane, "executing") for lane in LANES]
        of = dict(zip(LANES, running, strict=True))
        fair = f"slots are short at {now.at}, and not shared alike: {listed(of)} run"
        assert fairness(running) >= FAIR, fair


FAIR = 0.9  # Jain's index, as on day 6


@pytest.mark.criterion("queue-depth")
def test_queue_stays_short(two_projects: Rehearsal, crowd: Burst | None, observe: Observe) -> None:
    for at, depth, counted in queue_of_lanes(two_projects.seen):
        observe("queue_depth", depth, at=at)
        observe("queue_depth", counted, at=at, by="lanes")
    recount("queue depth", queue_of_lanes(two_projects.seen)).demand()
    unfounded = list(worked_on(two_projects.seen, PROJECTS))
    assert not unfounded, "; ".join(unfounded[:3])
    if crowd is not None:
        recount("work in the burst", work_by_rows(crowd.looks)).demand(100, varied=True)


@pytest.mark.criterion("no-starvation")
def test_every_lane_with_work_gets_slots(
    two_projects: Rehearsal, crowd: Burst | None, observe: Observe
) -> None:
    observe_utilisation(two_projects.samples, observe)
    recount("utilisation", utilisation(two_projects.seen), within=0.01).demand()
    if crowd is not None:
        for now in crowd.capped:
            for lane, share in used(now, by_rows=True).items():
                if share is not None:
                    labels = {"lane": lane, "demand": True, "of": "burst"}
                    observe("lane_utilization", share, at=now.at, **labels)
        recount("utilisation", utilisation(crowd.looks), within=0.01).demand(100, varied=True)
        for now in crowd.shared:
            lanes = starved(now, LANES)
            wait = "; ".join(
                f"{now.look.count(lane, 'submitted')} runs wait in {lane}" for lane in lanes
            )
            assert not lanes, f"{wait}, and nothing runs there while other lanes run ({now.at})"


@pytest.mark.criterion("lane-caps-enforced")
def test_no_lane_runs_more_than_its_cap(
    two_projects: Rehearsal, crowd: Burst | None, observe: Observe
) -> None:
    observe_over_caps(two_projects.seen, observe)
    hidden = list(done_while_waiting(two_projects.seen, PROJECTS))
    assert not hidden, f"more is done than runs: {'; '.join(hidden[:3])}"
    if crowd is not None:
        observe_over_caps(crowd.capped, observe, of="burst")
        recount("runs in the burst", running_by_rows(crowd.looks)).demand(100, varied=True)
        full = {lane: crowd.full.look.count(lane, "executing") for lane in LANES}
        said = f"as many runs as each cap ({listed(LANES)}) were started, and {listed(full)} run"
        assert full == LANES, said
        waiting = {lane: crowd.full.look.count(lane, "submitted") for lane in LANES}
        assert not any(waiting.values()), (
            f"runs wait although no cap is exceeded: {listed(waiting)}"
        )


@pytest.mark.criterion("monitoring-cadence")
def test_samples_follow_each_other_closely(two_projects: Rehearsal, observe: Observe) -> None:
    seen = [now.at for now in two_projects.seen]
    ended = [run["completed_at"] for run in two_projects.runs if run["completed_at"]]
    edges = [two_projects.started, *(moment(at, "end") for at in ended)] if seen else []
    for at, seconds in gaps(sorted({*seen, *edges})):
        observe("sample_gap", seconds, at=at)
    recount("age of the portfolio status in seconds", age(two_projects.seen), within=10).demand()


@pytest.mark.criterion("snapshot-saved")
def test_snapshot_holds_the_lanes(two_projects: Rehearsal, observe: Observe) -> None:
    if not two_projects.snapshot.is_file():
        do = f"store GET /api/portfolio/status as {two_projects.snapshot} while both projects run"
        trouble = two_projects.trouble.get("capture-snapshot", "")
        not_done(f"nobody stored the portfolio status {trouble}".strip(), do)
    path = two_projects.snapshot
    stored = Sample.of(read_file(path, "snapshot"))
    observe.attach(path.name, path.read_text(encoding="utf-8"), "application/json")
    lanes = {lane.name for lane in stored.lanes}
    assert lanes == set(LANES), f"the snapshot holds lanes {listed(lanes)}, not {listed(LANES)}"
    snapshot_is_of_the_run(stored, two_projects.seen)
