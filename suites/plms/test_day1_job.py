"""Day 1: the invariants job where something around it is not well, and what it leaves of a run."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from suites.plms.scenarios.failure_drill import FailureDrill, Job, UnitRun, says_fail
from suites.plms.scenarios.job_trials import CONTRADICTIONS, PLACEHOLDER, JobTried
from suites.plms.test_day1_drill import LOOKS_BAD, NAMED
from suites.plms.views.host import JobRun

pytestmark = pytest.mark.day1

_STAMP = re.compile(r"(\d{8}T\d{6})Z")
_CLOCKS = timedelta(seconds=1)  # a time may be cut to whole seconds


def _left(job: Job) -> JobRun:
    """The record of a run; raises AssertionError where it left none."""
    assert job.record, "the job left no record of its run"
    return job.record


@pytest.mark.criterion("drill-slack-alert")
def test_slack_alone_is_told_where_nothing_else_is_configured(job_tried: JobTried | None) -> None:
    """Mail and PagerDuty are optional: who has neither is told by Slack all the same."""
    if job_tried is None:
        return  # rehearsed only: production's channels are left as they are
    job = job_tried.slack_only
    told = [message.service for message in job.messages]
    assert told == ["slack"], (
        f"configured is Slack alone, and {PLACEHOLDER} as a routing key; told were {told}"
    )
    assert job.alerts, f"Slack was told {job.messages[0].text!r}, which says no FAIL"
    assert job.exit_status == 1, f"the job exits {job.exit_status} although its check failed"


@pytest.mark.criterion("drill-detected")
def test_job_fails_also_where_nobody_can_be_told(job_tried: JobTried | None) -> None:
    if job_tried is None:
        return  # as above
    job, log = job_tried.unreachable, job_tried.unreachable_log
    assert not job.messages, f"channels at which nobody listens took {job.messages}"
    record = _left(job)
    assert (record.status, record.violations, job.exit_status) == ("FAIL", 1, 1), (
        f"where nobody listens at any channel its record is {record}, it exits {job.exit_status}"
    )
    silent = [name for name in ("slack", "mail", "pagerduty") if name not in log.casefold()]
    assert not silent, f"its log says nothing of {', '.join(silent)}, which took no message: {log}"


@pytest.mark.criterion("manual-run-ok-after-cleanup")
def test_job_is_ok_also_where_no_channel_is_configured(job_tried: JobTried | None) -> None:
    if job_tried is None:
        return  # as above
    job = job_tried.untold
    record = _left(job)
    assert (record.status, record.violations, job.exit_status) == ("OK", 0, 0), (
        f"without any channel its record is {record}, it exits {job.exit_status}"
    )
    assert (record.trigger, record.drill) == ("manual", False), (
        f"called by hand, as the plan does, its record is: {record}"
    )


@pytest.mark.criterion("manual-run-ok-after-cleanup")
@pytest.mark.parametrize("what", CONTRADICTIONS)
def test_job_is_not_ok_where_the_checker_contradicts_itself(
    job_tried: JobTried | None, what: str
) -> None:
    """An OK is worth something where status, count and exit of the checker must agree."""
    if job_tried is None:
        return  # as above
    job = job_tried.contradicting[what]
    record = _left(job)
    assert record.status in ("FAIL", "ERROR"), f"over a checker that {what} its record is {record}"
    exits = CONTRADICTIONS[what][1]
    assert record.exit_status == exits, f"over a checker that {what} its record is {record}"
    said = [message.text for message in job.by("slack")]
    assert any(LOOKS_BAD.search(text) for text in said), (
        f"over a checker that {what} Slack was told {said}, which looks as if all were well"
    )


@pytest.mark.criterion("drill-detected")
@pytest.mark.parametrize("which", ["failed", "cleaned"])
def test_record_says_when_the_job_ran(drilled: FailureDrill, unit_run: UnitRun, which: str) -> None:
    """Nights and thresholds go by these times."""
    for job in (getattr(drilled, which), getattr(unit_run, which)):
        if job.during is None:  # in production nobody looked on
            continue
        record, (since, until) = _left(job), job.during
        began = record.started_at or record.ended_at
        assert since - _CLOCKS <= began <= record.ended_at <= until + _CLOCKS, (
            f"the job ran between {since} and {until}; "
            f"on record it began at {began} and ended at {record.ended_at}"
        )


@pytest.mark.criterion("log-dir-writable")
def test_log_of_a_failure_says_which_rows(drilled: FailureDrill) -> None:
    record = drilled.failed.record
    if record is None:
        return  # that the job left no record is said elsewhere
    of_it = {name: text for name, text in drilled.logs.items() if "FAIL" in text}
    whole = [text for text in of_it.values() if all(word in text for word in NAMED)]
    assert whole, f"no log of {', '.join(drilled.logs)} names the rows of the failure"
    stamps = [datetime.strptime(at, "%Y%m%dT%H%M%S") for at in _STAMP.findall(" ".join(of_it))]
    began = (record.started_at or record.ended_at).astimezone(UTC).replace(tzinfo=None)
    assert not stamps or any(abs(stamp - began) <= _CLOCKS for stamp in stamps), (
        f"the failure began at {began} UTC; its logs are called {', '.join(of_it)}"
    )


@pytest.mark.criterion("unit-runs-the-job")
def test_a_failure_of_the_night_is_not_told_as_a_drill(unit_run: UnitRun) -> None:
    if unit_run.failed.during is None:
        return  # in production the drill by hand stands for it
    told = [message.text for message in unit_run.failed.messages if says_fail(message.text)]
    drills = [text for text in told if "drill" in text.casefold()]
    assert not drills, f"what the unit executes tells of a drill: {drills}"
