"""Assignment runs on its schedule: its configuration, and its first 48 hours."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pytest_rollout import NoValueError, Observe, Stage, gaps, recount
from suites.pipeline.scenarios.first_days import FirstDays
from suites.pipeline.views.ai_quota import shares_of_quota, told_and_billed
from suites.pipeline.views.controller import errors, run_sequences
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import ASSIGNED, TRIAGE, Issue, Run, demand
from suites.pipeline.views.people import gaps_of_cover
from suites.pipeline.views.runs import dry, moved
from suites.pipeline.views.schedules import ASSIGN, LATE, workflow
from suites.pipeline.views.telemetry import Record, demand_falling, items, read_all
from suites.pipeline.views.transitions import (
    IN_TRANSITION,
    illegal,
    in_two_states,
    left_otherwise,
    long_in_two_states,
)

pytestmark = pytest.mark.week1_assignment

LIMIT = 10


@pytest.mark.criterion("week1_assignment.nothing-in-two-states")
def test_no_issue_is_in_two_states_before(phase: Stage, observe: Observe) -> None:
    now = phase.now()
    issues = [issue for issue in Hub.of(phase).issues().values() if not issue.closed]
    for issue in demand(issues, "open issue"):
        observe("issue_in_two_states", in_two_states(issue.labels), at=now, issue=issue.number)


# Configuration: what main says, and what each run was given


@pytest.mark.criterion("week1_assignment.cron-enabled")
def test_main_has_the_schedule(assigning: FirstDays, phase: Stage) -> None:
    file = assigning.file
    assert file.crons == ["0 */2 * * *"], f"main has {file.crons or 'no active schedule'}"
    begin = assigning.enabled
    starts = [start.hour for start in file.starts(begin, begin + timedelta(days=1))]
    assert starts == list(range(0, 24, 2)), f"a day has starts at the hours {starts}"
    here = workflow(phase.file("checkout"), ASSIGN)
    assert here.crons == file.crons, f"the checkout has {here.crons}, main has {file.crons}"


@pytest.mark.criterion("week1_assignment.limit-10")
def test_the_limit_is_ten(assigning: FirstDays) -> None:
    stated = assigning.file.setting("LIMIT")
    assert stated == LIMIT, f"main has the limit {stated}"
    for run in assigning.runs:
        given = assigning.logs[run.id].flags("pipeline-assign").get("limit")
        assert given == str(LIMIT), f"run {run.id} was given the limit {given}"


@pytest.mark.criterion("week1_assignment.live-mode")
def test_runs_are_live(assigning: FirstDays) -> None:
    stated = assigning.file.settings.get("DRY_RUN")
    assert stated == "false", f"main has DRY_RUN: {stated}"
    for run in assigning.runs:
        flags = assigning.logs[run.id].flags("pipeline-assign")
        assert not dry(flags), f"run {run.id} was a dry run"
    changed = {n for run in assigning.runs for n in moved(assigning.journal, run, ASSIGNED)}
    assert changed, f"{len(assigning.runs)} scheduled runs set the label {ASSIGNED} on no issue"


@pytest.mark.criterion("week1_assignment.verbose-on")
def test_logs_name_each_issue(assigning: FirstDays) -> None:
    stated = assigning.file.settings.get("VERBOSE")
    assert stated == "true", f"main has VERBOSE: {stated}"
    compared = 0
    for run in assigning.runs:
        log = assigning.logs[run.id]
        assert log.flags("pipeline-assign").get("verbose") == "true", f"run {run.id} was quiet"
        changed = moved(assigning.journal, run, ASSIGNED)
        compared += len(changed)
        assert changed <= log.issues, f"run {run.id} says nothing of {sorted(changed - log.issues)}"
    if not compared:
        raise NoValueError("no run assigned an issue, so no log had one to name")


@pytest.mark.criterion("week1_assignment.statistics-on")
def test_each_run_leaves_its_statistics(assigning: FirstDays, observe: Observe) -> None:
    for run in assigning.runs:
        told = [record for record in assigning.records[run.id] if record.event == "statistics"]
        counted = len(moved(assigning.journal, run, ASSIGNED))
        wrong = len(told) != 1 or told[0].detail.get("ok") != counted
        observe("run_without_statistics", wrong, at=run.ended, run=run.id, counted=counted)
        for record in told:
            _demand_statistics(assigning, run, record)


def _demand_statistics(assigning: FirstDays, run: Run, told: Record) -> None:
    """Raise AssertionError where a figure of a run is another than its items and labels say."""
    worked = items(assigning.records[run.id], "assignment")
    failed = sum(record.result == "failed" for record in worked)
    counted = {"taken": len(worked), "failed": failed}
    for name, count in counted.items():
        said = told.detail.get(name)
        assert said == count, f"run {run.id} says {name} {said}; by its items it is {count}"
    ended = run.ended or run.begun
    waiting = [assigning.journal.waiting(TRIAGE, at) for at in (run.begun, ended)]
    new = sum(bool(at and run.begun < at <= ended) for at in map(_found, assigning.journal.work))
    left = waiting[1] - new, waiting[1]  # what was found meanwhile may be among them or not
    said = told.detail.get("waiting", -1)
    assert left[0] <= said <= left[1], (
        f"run {run.id} says that {said} issues wait when it ends; by the labels {left[1]} do"
    )


def _found(issue: Issue) -> datetime | None:
    return issue.first(TRIAGE)


# The window


@pytest.mark.criterion("week1_assignment.on-call-48h")
def test_somebody_is_on_call(assigning: FirstDays, phase: Stage, observe: Observe) -> None:
    hours = gaps_of_cover(phase.file("records"), assigning.enabled, assigning.end)
    observe("on_call_gap_h", hours, at=phase.now())


@pytest.mark.criterion("week1_assignment.window-complete")
def test_the_window_is_over(assigning: FirstDays, phase: Stage, observe: Observe) -> None:
    observe("observed_h", assigning.observed_hours, at=phase.now())


@pytest.mark.criterion("week1_assignment.scheduled-not-dispatched")
def test_runs_are_started_by_the_schedule(assigning: FirstDays, observe: Observe) -> None:
    journal, file, end = (
        assigning.journal,
        assigning.file,
        min(assigning.end, assigning.journal.now),
    )
    for slot in file.starts(assigning.enabled, end):
        runs = journal.runs_of(ASSIGN, slot, slot + LATE)
        if runs:  # an empty slot is a gap, which has a criterion of its own
            by_schedule = [run for run in runs if run.scheduled]
            observe("run_not_by_schedule", len(by_schedule) != 1, at=runs[0].begun)
    stray = [
        run.id
        for run in journal.scheduled(ASSIGN, assigning.enabled, end)
        if not file.starts(run.begun - LATE, run.begun + timedelta(seconds=1))
    ]
    assert not stray, f"runs {stray} say that they were scheduled, and are in no slot"


@pytest.mark.criterion("week1_assignment.cadence-observed")
def test_runs_come_every_two_hours(assigning: FirstDays, observe: Observe) -> None:
    begun = [run.begun for run in assigning.runs]
    end = min(assigning.end, assigning.journal.now)
    for at, seconds in gaps([assigning.enabled, *begun, end]):
        observe("start_gap_h", seconds / 3600, at=at)


@pytest.mark.criterion("week1_assignment.four-scheduled-runs")
def test_scheduled_runs_end_well(assigning: FirstDays, observe: Observe) -> None:
    for run in assigning.runs:
        told = [r.result for r in assigning.records[run.id] if r.event == "run_ended"]
        observe("scheduled_run_successful", run.good and told == ["ok"], at=run.ended, run=run.id)


@pytest.mark.criterion("week1_assignment.failure-rate-under-trigger")
def test_few_runs_fail(assigning: FirstDays, observe: Observe) -> None:
    for run in assigning.runs:
        observe("run_failed", not run.good, at=run.ended, run=run.id)


@pytest.mark.criterion("week1_assignment.no-rate-limit-violation")
def test_no_call_is_refused(assigning: FirstDays, observe: Observe) -> None:
    for run in assigning.runs:
        records = assigning.records[run.id]
        if not records:
            raise NoValueError(f"run {run.id} left no telemetry, so refusals would not be known")
        refused = sum(record.event == "rate_limited" for record in records)
        told = sum("rate limit" in line.lower() for line in assigning.logs[run.id].lines)
        observe("rate_limit_refusals", max(refused, told), at=run.ended, run=run.id)


@pytest.mark.criterion("week1_assignment.no-rate-limit-violation")
def test_what_remains_goes_down_by_the_calls(assigning: FirstDays) -> None:
    demand_falling(assigning.records.values())


@pytest.mark.criterion("week1_assignment.ai-usage-within-quota")
def test_telemetry_adds_up_to_what_was_billed(assigning: FirstDays, phase: Stage) -> None:
    told, window = read_all(phase.file("telemetry")), (assigning.enabled, assigning.end)
    figures = told_and_billed(phase.file("records"), told, *window)
    recount("AI units of a day", figures, within=1).demand(2)


@pytest.mark.criterion("week1_assignment.ai-usage-within-quota")
def test_the_quota_is_kept(assigning: FirstDays, phase: Stage, observe: Observe) -> None:
    records, telemetry = phase.file("records"), phase.file("telemetry")
    for day, share in shares_of_quota(records, telemetry, assigning.enabled, assigning.end):
        observe("ai_quota_used", share, at=day)


@pytest.mark.criterion("week1_assignment.label-state-machine")
def test_labels_follow_the_state_machine(assigning: FirstDays, observe: Observe) -> None:
    for issue in assigning.journal.work:
        for event, wrong in illegal(issue, assigning.enabled, assigning.end):
            observe("illegal_transition", wrong, at=event.at, issue=issue.number, to=event.subject)
        both = long_in_two_states(issue, assigning.journal.now)
        assert not both, f"issue {issue.number} was in two states for more than a minute"
        settled = min(assigning.end, assigning.journal.now - IN_TRANSITION)
        other = list(left_otherwise(issue, assigning.enabled, settled))
        assert not other, f"issue {issue.number}: {other[0]}"


@pytest.mark.criterion("week1_assignment.no-triage-drift")
def test_no_assigned_issue_keeps_triage(assigning: FirstDays, observe: Observe) -> None:
    assigned = 0
    for run in assigning.runs:
        assert run.ended is not None
        labels = [issue.labels_at(run.ended) for issue in assigning.journal.work]
        both = sum({TRIAGE, ASSIGNED} <= standing for standing in labels)
        assigned += len(moved(assigning.journal, run, ASSIGNED))
        observe("issues_with_triage_and_assigned", both, at=run.ended, run=run.id)
    if not assigned:
        raise NoValueError("no run assigned an issue, so none could keep its label")


@pytest.mark.criterion("week1_assignment.trigger-boundary")
def test_the_controller_stands_at_one_of_four(phase: Stage, observe: Observe) -> None:
    now = phase.now()
    for case, wrong, decision in errors(phase.file("commands"), run_sequences()):
        observe("trigger_boundary_error", wrong, at=now, case=case.words, decides=decision)
