"""Processing runs on its schedule: its configuration, and the runs of its first 48 hours."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pytest_rollout import NoValueError, Observe, Stage, gaps
from suites.pipeline.scenarios.first_days import FirstDays
from suites.pipeline.views.controller import errors, item_counts
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import COPILOT
from suites.pipeline.views.on_main import WEEK_1, workflow_at
from suites.pipeline.views.people import gaps_of_cover
from suites.pipeline.views.runs import dry, moved, slot_of
from suites.pipeline.views.schedules import ASSIGN, PROCESS, workflow

pytestmark = pytest.mark.week1_processing

BATCH = 5
OFFSET = timedelta(minutes=5)


@pytest.mark.criterion("week1_processing.assignment-scheduled")
def test_assignment_has_a_schedule(phase: Stage) -> None:
    hub = Hub.of(phase)
    for name in (ASSIGN, PROCESS):
        there, prepared = workflow_at(hub, name).crons, workflow_at(hub, name, WEEK_1).crons
        assert prepared, f"{WEEK_1} has no active schedule in {name}"
        assert there in ([], prepared), f"{name} has {there} on main, and {prepared} on {WEEK_1}"


# Configuration: what main says, and what each run was given


@pytest.mark.criterion("week1_processing.cron-enabled")
def test_main_has_the_schedule(processing: FirstDays, phase: Stage) -> None:
    file = processing.file
    assert file.crons == ["5 */4 * * *"], f"main has {file.crons or 'no active schedule'}"
    day = processing.enabled.replace(hour=0, minute=0, second=0)
    starts = [f"{start:%H:%M}" for start in file.starts(day, day + timedelta(days=1))]
    assert starts == [f"{hour:02}:05" for hour in range(0, 24, 4)], f"a day has starts at {starts}"
    here = workflow(phase.file("checkout"), PROCESS)
    assert here.crons == file.crons, f"the checkout has {here.crons}, main has {file.crons}"


@pytest.mark.criterion("week1_processing.batch-5")
def test_the_batch_is_five(processing: FirstDays) -> None:
    stated = processing.file.setting("BATCH_SIZE")
    assert stated == BATCH, f"main has the batch size {stated}"
    for run in processing.runs:
        given = processing.logs[run.id].flags("pipeline-process").get("batch-size")
        assert given == str(BATCH), f"run {run.id} was given the batch size {given}"


@pytest.mark.criterion("week1_processing.live-mode")
def test_runs_are_live(processing: FirstDays) -> None:
    stated = processing.file.settings.get("DRY_RUN")
    assert stated == "false", f"main has DRY_RUN: {stated}"
    for run in processing.runs:
        flags = processing.logs[run.id].flags("pipeline-process")
        assert not dry(flags), f"run {run.id} was a dry run"
    handed = {n for run in processing.runs for n in moved(processing.journal, run, COPILOT)}
    assert handed, f"{len(processing.runs)} scheduled runs handed no issue to Copilot"


@pytest.mark.criterion("week1_processing.verbose-on")
def test_logs_name_each_issue(processing: FirstDays) -> None:
    stated = processing.file.settings.get("VERBOSE")
    assert stated == "true", f"main has VERBOSE: {stated}"
    compared = 0
    for run in processing.runs:
        log = processing.logs[run.id]
        assert log.flags("pipeline-process").get("verbose") == "true", f"run {run.id} was quiet"
        handed = moved(processing.journal, run, COPILOT)
        compared += len(handed)
        assert handed <= log.issues, f"run {run.id} says nothing of {sorted(handed - log.issues)}"
    if not compared:
        raise NoValueError("no run processed an issue, so no log had one to name")


# The window


@pytest.mark.criterion("week1_processing.on-call-48h")
def test_somebody_is_on_call(processing: FirstDays, phase: Stage, observe: Observe) -> None:
    hours = gaps_of_cover(phase.file("records"), processing.enabled, processing.end)
    observe("on_call_gap_h", hours, at=phase.now())


@pytest.mark.criterion("week1_processing.window-complete")
def test_the_window_is_over(processing: FirstDays, phase: Stage, observe: Observe) -> None:
    observe("observed_h", processing.observed_hours, at=phase.now())


@pytest.mark.criterion("week1_processing.offset-after-assignment")
def test_assignment_has_ended_before(processing: FirstDays, observe: Observe) -> None:
    assign = workflow_at(processing.hub, ASSIGN)
    by_slot = {slot_of(assign, run): run for run in processing.journal.scheduled(ASSIGN)}
    for run in processing.runs:
        slot = slot_of(processing.file, run)
        assert slot is not None, f"run {run.id} is in no slot of its schedule"
        before = by_slot.get(slot.replace(minute=0))
        if before is None:  # nothing was assigned in that hour, so nothing could be under way
            continue
        early = before.ended is None or run.begun < before.ended
        observe(
            "started_while_assigning",
            early or slot - slot.replace(minute=0) < OFFSET,
            at=run.begun,
            run=run.id,
        )


@pytest.mark.criterion("week1_processing.cadence-observed")
def test_runs_come_every_four_hours(processing: FirstDays, observe: Observe) -> None:
    begun = [run.begun for run in processing.runs]
    end = min(processing.end, processing.journal.now)
    for at, seconds in gaps([processing.enabled, *begun, end]):
        observe("start_gap_h", seconds / 3600, at=at)


@pytest.mark.criterion("week1_processing.three-scheduled-runs")
def test_scheduled_runs_end_well(processing: FirstDays, observe: Observe) -> None:
    for run in processing.runs:
        told = [r.result for r in processing.records[run.id] if r.event == "run_ended"]
        observe("scheduled_run_successful", run.good and told == ["ok"], at=run.ended, run=run.id)


@pytest.mark.criterion("week1_processing.trigger-boundary")
def test_the_controller_stands_at_a_tenth(phase: Stage, observe: Observe) -> None:
    now = phase.now()
    for case, wrong, decision in errors(phase.file("commands"), item_counts()):
        observe("trigger_boundary_error", wrong, at=now, case=case.words, decides=decision)
