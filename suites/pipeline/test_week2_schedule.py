"""Week 2: the workflows start by one timetable, and none gets into the way of another."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import combinations

import pytest

from pytest_rollout import Observe, Stage
from suites.pipeline.scenarios.timetable import asked_meanwhile
from suites.pipeline.scenarios.weeks import Seen
from suites.pipeline.views.journal import ASSIGNED, TRIAGE, Journal, Run, demand
from suites.pipeline.views.schedules import ASSIGN, LATE, LIVE, PROCESS, planned

pytestmark = pytest.mark.week2_schedule

FRESH = timedelta(hours=2)


@pytest.mark.criterion("schedules-run")
@pytest.mark.parametrize("file", LIVE)
def test_each_schedule_runs(before: Seen, file: str) -> None:
    for begin, end in before.days[-2:]:
        runs = before.journal.scheduled(file, begin, end)
        assert runs, f"{file} did not start by schedule on {begin.date()}"


@pytest.mark.criterion("schedule-as-planned")
def test_the_files_state_the_timetable(coordinated: Seen, observe: Observe) -> None:
    begin, end = coordinated.days[-1]
    stated = {(start, name) for name in LIVE for start in coordinated.file(name).starts(begin, end)}
    for slot in sorted(stated | planned(begin)):
        differs = (slot in stated) is not (slot in planned(begin))
        observe("slot_differs", differs, file=slot[1], slot=f"{slot[0]:%H:%M}")


@pytest.mark.criterion("schedule-as-planned")
def test_the_workflows_start_by_the_timetable(coordinated: Seen) -> None:
    for begin, end in coordinated.days[1:]:
        left = sorted(planned(begin))
        for run in coordinated.journal.runs:
            if run.scheduled and run.file in LIVE and begin <= run.begun < end:
                slot = next((start for start in left if _started_at(start, run)), None)
                assert slot, f"{run.file} started at {run.begun}, which is not in the timetable"
                left.remove(slot)
        assert not left, f"{left[0][1]} did not start at {left[0][0]}"


def _started_at(slot: tuple[datetime, str], run: Run) -> bool:
    return slot[1] == run.file and slot[0] <= run.begun <= slot[0] + LATE


@pytest.mark.criterion("no-overlap-across-workflows")
def test_no_two_workflows_work_at_once(coordinated: Seen, observe: Observe) -> None:
    for begin, end in coordinated.days:
        runs = [r for name in LIVE for r in coordinated.journal.runs_of(name, begin, end)]
        demand(runs, f"run on {begin.date()}")
        pairs = [
            (first, other)
            for first, other in combinations(runs, 2)
            if first.file != other.file and first.overlaps(other)
        ]
        which = ", ".join(
            f"{first.file} {first.begun:%H:%M} and {other.file}" for first, other in pairs
        )
        observe("overlapping_runs", len(pairs), at=end, which=which)


@pytest.mark.criterion("assignment-before-processing")
def test_a_fresh_assignment_precedes_each_processing(coordinated: Seen, observe: Observe) -> None:
    begin, end = coordinated.days[-1]
    for run in demand(coordinated.journal.scheduled(PROCESS, begin, end), "processing that day"):
        fresh = [
            earlier
            for earlier in coordinated.journal.runs_of(ASSIGN)
            if earlier.good
            and earlier.ended
            and earlier.ended <= run.begun
            and run.begun - earlier.begun <= FRESH + LATE
        ]
        observe("processing_without_fresh_assignment", not fresh, at=run.begun)


@pytest.mark.criterion("fresh-issues-available")
def test_processing_finds_work(coordinated: Seen, observe: Observe) -> None:
    begin, end = coordinated.days[-1]
    runs = coordinated.journal.scheduled(PROCESS, begin, end)
    previous = begin - timedelta(hours=4)
    for run in demand(runs, "processing that day"):
        fresh = [
            issue
            for issue in coordinated.journal.work
            if (at := issue.first(TRIAGE)) and previous <= at < run.begun - FRESH
        ]
        waiting = coordinated.journal.waiting(ASSIGNED, run.begun)
        observe("processing_without_input", bool(fresh) and not waiting, at=run.begun)
        previous = run.begun


@pytest.fixture(scope="session")
def tried_beside(phase: Stage, request: pytest.FixtureRequest) -> Journal:
    """Runs that were started beside others: by the rehearsal, or in the week by people."""
    if phase.embedded:
        journal: Journal = request.getfixturevalue("started_beside")
        return journal
    seen: Seen = request.getfixturevalue("coordinated")
    return seen.journal


@pytest.mark.criterion("same-workflow-concurrency")
@pytest.mark.parametrize("file", [ASSIGN, PROCESS])
def test_a_second_run_waits(tried_beside: Journal, file: str, observe: Observe) -> None:
    pairs = asked_meanwhile(tried_beside, file)
    for pair in demand(pairs, f"run of {file} that was asked for while another one worked"):
        settled = pair.first.ended is not None and pair.second.ended is not None
        assert settled, f"runs {pair.first.id} and {pair.second.id} of {file} have not both ended"
        assert pair.first.conclusion != "cancelled", (
            f"run {pair.first.id} was at work, and cancelled"
        )
        cancelled = pair.second.conclusion == "cancelled"
        overlap = not cancelled and pair.first.overlaps(pair.second)
        observe("same_workflow_overlap", overlap, at=pair.second.begun, file=file)


@pytest.mark.rehearsal_only
@pytest.mark.criterion("same-workflow-concurrency")
@pytest.mark.parametrize("file", [ASSIGN, PROCESS])
def test_the_latest_takes_the_place_of_what_waits(started_beside: Journal, file: str) -> None:
    pairs = asked_meanwhile(started_beside, file)
    waited = sorted((pair.second for pair in pairs), key=lambda run: run.created)
    ends = [run.conclusion for run in waited]
    assert ends == ["cancelled", "success"], f"two runs of {file} waited, and ended in {ends}"


@pytest.mark.criterion("same-workflow-concurrency")
def test_each_workflow_has_a_group_of_its_own(before: Seen) -> None:
    groups = {file: before.file(file).group for file in LIVE}
    assert all(groups.values()), f"the concurrency groups are {groups}"
    assert len(set(groups.values())) == len(LIVE), f"the concurrency groups are {groups}"
