"""Day 1: the failure drill, what people heard of it, and the clean-up."""

from __future__ import annotations

import re

import pytest

from pytest_rollout import BeforeAfter, Observe, StepChange, run_checker
from suites.plms.scenarios.checker_rules import STRICT_PROBE
from suites.plms.scenarios.failure_drill import (
    CHANNEL,
    GENUINE,
    INVALID,
    PROJECT,
    TABLE,
    FailureDrill,
    Job,
    UnitRun,
    mailbox,
    says_fail,
)
from suites.plms.views.answers import not_done, recorded
from suites.plms.views.host import JobRun, configured

pytestmark = pytest.mark.day1

LOOKS_BAD = re.compile("FAIL|\N{CROSS MARK}")  # the marks of the plan's alerts of a failure
_MARKED = re.compile("\N{CROSS MARK}\\s*FAIL\\b")
NAMED = (str(PROJECT), "run_kind", INVALID)
RECORDED = recorded(
    "day1", "change", f"drill: row 12 planted, project {PROJECT}, run_kind {INVALID}"
)


def _planted(drill: FailureDrill) -> int:
    """The planted row; where nothing was planted nothing is known: the criterion is missing."""
    if drill.row is None:
        not_done("no row was planted, so nothing is known of what would be noticed", RECORDED)
    return drill.row


def _record(job: Job, which: str) -> JobRun:
    """The record of a run of the job; raises AssertionError where it left none."""
    assert job.record, f"the job left no record of its run {which}"
    return job.record


@pytest.mark.criterion("drill-row-accepted")
def test_registry_takes_the_row(drilled: FailureDrill) -> None:
    row = _planted(drilled)
    if drilled.planted is None:  # people took it away again: what the job saw is left
        if drilled.failed.record is None or _unnamed(drilled):
            not_done("no record of a failed run names the planted row", "run the job as a drill")
        return
    added = drilled.step.added(TABLE)
    planted = added.get(str(row), {})
    assert list(added) == [str(row)], f"the drill planted the rows {list(added)}, not {row} alone"
    told = (planted.get("project_id"), planted.get("run_kind"))
    assert told == (PROJECT, INVALID), f"the planted row has project and run_kind {told}"
    others = [str(change) for change in drilled.step.changes if change.place.key != str(row)]
    assert not others, f"planting also did this: {'; '.join(others)}"


def _unnamed(drill: FailureDrill) -> list[str]:
    """What the record of the failed run does not say of the row."""
    details = _record(drill.failed, "with the row").details
    return [name for name in NAMED if name not in details]


@pytest.mark.criterion("drill-detected")
def test_job_fails_with_the_row(drilled: FailureDrill) -> None:
    _planted(drilled)
    failed = _record(drilled.failed, "with the row")
    assert failed.status == "FAIL", f"the job says {failed.status}, not FAIL"
    assert failed.violations == 1, f"the job counts {failed.violations} violations, planted was one"
    assert failed.exit_status == 1, f"the checker exits {failed.exit_status}, not 1"
    assert not _unnamed(drilled), f"its record does not name {_unnamed(drilled)}: {failed.details}"
    status = drilled.failed.exit_status
    assert status is None or status == 1, f"the job exits {status} although its check failed"


@pytest.mark.criterion("drill-tagged")
def test_failed_run_is_on_record_as_a_drill(drilled: FailureDrill) -> None:
    _planted(drilled)
    failed = _record(drilled.failed, "with the row")
    cleaned = _record(drilled.cleaned, "after the clean-up")
    assert (failed.trigger, failed.drill) == ("manual", True), (
        f"the failed run is on record as {failed}"
    )
    assert not cleaned.drill, f"the run after the clean-up is on record as {cleaned}"


# What people heard


@pytest.mark.criterion("drill-slack-alert")
def test_slack_says_fail(drilled: FailureDrill) -> None:
    _planted(drilled)
    said = [message.text for message in drilled.failed.by("slack")]
    assert drilled.failed.alerts, (
        f"no message to Slack says FAIL, and FAIL alone; there were {said}"
    )
    unmarked = [alert.text for alert in drilled.failed.alerts if not _MARKED.search(alert.text)]
    assert not unmarked, f"the plan has ❌ FAIL; Slack was told {unmarked}"
    channels = {alert.channel for alert in drilled.failed.alerts}
    assert channels == {CHANNEL}, f"the alert went to {', '.join(channels)}, not to {CHANNEL}"


@pytest.mark.criterion("drill-slack-alert")
def test_slack_hears_of_no_failure_once_all_is_well(drilled: FailureDrill) -> None:
    _planted(drilled)
    said = [
        message.text for message in drilled.cleaned.by("slack") if LOOKS_BAD.search(message.text)
    ]
    assert not said, f"after the clean-up Slack heard {said}, which looks like a failure"


@pytest.mark.criterion("drill-slack-details")
def test_slack_says_what_is_wrong(drilled: FailureDrill) -> None:
    row = _planted(drilled)
    assert drilled.failed.alerts, "no message to Slack says FAIL"
    for alert in drilled.failed.alerts:
        missing = [word for word in NAMED if word not in alert.text]
        assert not missing, f"the alert about row {row} {alert.text!r} does not say {missing}"


@pytest.mark.criterion("drill-slack-latency")
def test_slack_is_quick(drilled: FailureDrill, observe: Observe) -> None:
    _planted(drilled)
    failed = _record(drilled.failed, "with the row")
    for alert in drilled.failed.alerts[:1]:
        late = (alert.at - failed.ended_at).total_seconds()
        assert late >= 0, f"Slack heard of it {-late:g} s before the check had ended"
        observe("alert_latency", late, at=alert.at, clock="target")
        if drilled.failed.took:  # what the clock of a rehearsal does not show
            observe("alert_latency", drilled.failed.took.total_seconds(), clock="wall")


@pytest.mark.criterion("drill-email-alert")
def test_failure_is_mailed(drilled: FailureDrill) -> None:
    _planted(drilled)
    mails = drilled.failed.by("mail")
    told = [mail for mail in mails if says_fail(str(mail.body.get("subject", "")))]
    assert told, f"{len(mails)} mails, none says FAIL in its subject"
    to = mailbox(drilled.host)
    assert {mail.channel for mail in told} == {to}, f"the mail went to {told[0].channel}, not {to}"
    missing = [word for word in NAMED if word not in told[0].text]
    assert not missing, f"the mail does not say {missing}"


@pytest.mark.criterion("drill-pagerduty-incident")
def test_failure_opens_an_incident(drilled: FailureDrill) -> None:
    _planted(drilled)
    events = drilled.failed.by("pagerduty")
    told = [event for event in events if says_fail(event.text)]
    assert told, f"{len(events)} events to PagerDuty, none says FAIL"
    action = told[0].body.get("event_action")
    assert action == "trigger", f"the event is {action!r}, it opens no incident"
    key = configured(drilled.host, "PD_ROUTING_KEY")
    assert told[0].channel == key, "the event has another routing key than the configured one"
    severity = told[0].body.get("payload", {}).get("severity")
    assert severity == "critical", f"the incident is {severity!r}, not critical"


@pytest.mark.parametrize(
    "service",
    [
        pytest.param("mail", marks=pytest.mark.criterion("drill-email-alert")),
        pytest.param("pagerduty", marks=pytest.mark.criterion("drill-pagerduty-incident")),
    ],
)
def test_nobody_is_called_once_all_is_well(drilled: FailureDrill, service: str) -> None:
    _planted(drilled)
    told = [message.text for message in drilled.cleaned.by(service)]
    assert not told, f"after the clean-up {service} was sent {told}"


# The clean-up


@pytest.mark.criterion("drill-cleanup-complete")
def test_planted_row_is_gone(drilled: FailureDrill) -> None:
    row = _planted(drilled)
    left = drilled.after.of_table(TABLE)
    assert str(row) not in left, f"the clean-up left row {row}: {dict(left[str(row)])}"
    like = {key: dict(run) for key, run in left.items() if INVALID in run.values()}
    assert not like, f"the clean-up left {like}"


@pytest.mark.criterion("drill-cleanup-no-collateral")
def test_nothing_else_is_gone(drilled: FailureDrill) -> None:
    row = _planted(drilled)
    whole: BeforeAfter = drilled.whole
    hurt = whole.changes if drilled.rehearsed else _lost(whole)
    others = [
        str(change)
        for change in hurt
        if change.place.key != str(row) and change.after.get("run_id") != GENUINE
    ]
    assert not others, f"the clean-up also did this: {'; '.join(others)}"
    runs = {run.get("run_id") for run in drilled.after.of_table(TABLE).values()}
    assert not drilled.rehearsed or GENUINE in runs, (
        "the clean-up also took a genuine run that came in after the planted row"
    )


def _lost(whole: BeforeAfter) -> list[StepChange]:
    """The runs that are gone, and those of the drill's project that changed.

    In production other work goes on beside the drill, so nothing else tells of it.
    """
    return [
        change
        for change in whole.harmed()
        if change.place.table == TABLE
        and (not change.after or change.before.get("project_id") == PROJECT)
    ]


@pytest.mark.criterion("manual-run-ok-after-cleanup")
def test_job_is_ok_again(drilled: FailureDrill) -> None:
    _planted(drilled)
    cleaned = _record(drilled.cleaned, "after the clean-up")
    failed = _record(drilled.failed, "with the row")
    assert cleaned.ended_at >= failed.ended_at, "the run that is OK was before the failed one"
    assert cleaned.trigger == "manual", f"the run was started by {cleaned.trigger}, not by hand"
    assert (cleaned.status, cleaned.violations, cleaned.exit_status) == ("OK", 0, 0), (
        f"the job says {cleaned.status}, {cleaned.violations} violations, "
        f"the checker exits {cleaned.exit_status}"
    )
    status = drilled.cleaned.exit_status
    assert status is None or status == 0, f"the job exits {status} although its check passed"


@pytest.mark.criterion("manual-run-ok-after-cleanup")
def test_checker_agrees_that_all_is_well(drilled: FailureDrill) -> None:
    _planted(drilled)
    host = drilled.host
    run_checker([host.checker, "--db", host.registry, "--strict", "--json"]).demand()


# What the timer will start every night


@pytest.mark.criterion("unit-runs-the-job")
def test_what_the_unit_executes_notices_and_tells(unit_run: UnitRun) -> None:
    failed = unit_run.failed
    if failed.exit_status is None and failed.record is None:
        not_done("nobody ran the job over a broken row, so nothing is known of it", RECORDED)
    record = _record(failed, "by the unit")
    seen = (record.trigger, record.drill, record.status, record.exit_status)
    if failed.exit_status is None:  # in production the same script, by hand and as a drill
        assert seen == ("manual", True, "FAIL", 1), f"the job's record is {record}"
        return
    assert failed.exit_status == 1, f"over broken rows what it executes exits {failed.exit_status}"
    assert seen == ("timer", False, "FAIL", 1), f"over broken rows its record is {record}"
    assert record.violations == 2, f"it counts {record.violations} violations, planted were two"
    assert failed.alerts, "what the unit executes tells Slack of no failure"
    said = " ".join(alert.text for alert in failed.alerts)
    assert re.search(r"\b2\b", said), f"two rows are broken; Slack is told {said!r}"
    missing = [word for word in (*NAMED, *STRICT_PROBE.names) if word not in said]
    assert not missing, f"what the unit executes does not tell {missing} of the broken rows"


@pytest.mark.criterion("unit-runs-the-job")
def test_what_the_unit_executes_is_ok_where_all_is_well(unit_run: UnitRun) -> None:
    cleaned = unit_run.cleaned
    record = _record(cleaned, "by the unit, once all is well")
    assert (record.status, record.violations, record.exit_status) == ("OK", 0, 0), (
        f"once all is well its record is {record}"
    )
    told = [message.text for message in cleaned.by("slack") if LOOKS_BAD.search(message.text)]
    assert not told, f"once all is well Slack hears {told}, which looks like a failure"
