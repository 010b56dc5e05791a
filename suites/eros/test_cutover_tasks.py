"""Phase 4, tasks after the switch: monitoring, jobs, revenue, lessons."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from pytest_rollout import Observe, Reported, Stage
from suites.eros.scenarios.widening import Step
from suites.eros.views.contract import demand_answer
from suites.eros.views.figures import differs
from suites.eros.views.journal import Run, runs, served
from suites.eros.views.records import logged, noted
from suites.eros.views.said import is_sentence, not_done
from suites.eros.views.samples import demand_true_samples

pytestmark = pytest.mark.cutover

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ON_TIME, SOON = timedelta(minutes=5), timedelta(seconds=5)


@pytest.mark.criterion("monitor-24h")
def test_monitoring_never_paused(widened: Step, observe: Observe) -> None:
    sampled = [line.moment("at") for line in logged(widened.logs, "eros.monitoring", "sample")]
    end = min(widened.begun + DAY, widened.now)
    moments = sorted([widened.begun, *(at for at in sampled if widened.begun < at < end), end])
    for hour in range(24):
        begin = widened.begun + hour * HOUR
        if begin >= end:
            break
        observe("monitoring_gap", _longest(moments, begin), at=begin + HOUR, hour=str(hour))


@pytest.mark.criterion("monitor-24h")
def test_monitoring_showed_what_ran(widened: Step) -> None:
    since = widened.begun - DAY  # so that each sample has its twenty runs
    before = served(runs(widened.service, since=since, pipeline="v5"))
    end = min(widened.begun + DAY, widened.now)
    demand_true_samples(widened.logs, before, widened.begun, end)


def _longest(moments: list[datetime], begin: datetime) -> float:
    """The longest stretch without a sample that reaches into an hour, in minutes."""
    pairs = pairwise(moments)
    inside = [(a, b) for a, b in pairs if a < begin + HOUR and b > begin]
    return max((b - a).total_seconds() / 60 for a, b in inside)


@pytest.mark.criterion("scheduled-jobs-execute")
def test_each_job_ran_on_time(phase: Stage, widened: Step, observe: Observe) -> None:
    """What is due is computed of the jobs; what ran is looked up in the journal."""
    since, until = widened.begun, widened.begun + DAY
    if widened.now < until:
        not_done("24 hours have not passed since the switch", "wait for them")
    answer = widened.service.get("/jobs", since=since, until=until)
    demand_answer("/jobs", answer)
    journal = runs(widened.service, since=since - HOUR, until=until + DAY)
    delivered = {run.request_id: run for run in journal if run.delivered}
    executed = {
        (execution.text("job"), execution.moment("due")): execution
        for execution in answer.each("executions")
    }
    covered = set()
    for job in answer.each("jobs"):
        for due in _due(job, since, until):
            ran = executed.get((job.text("job"), due))
            run = delivered.get(ran.text("request_id")) if ran is not None else None
            missed = ran is None or run is None or not _on_time(ran, due, run)
            observe("job_missed", missed, at=widened.now, job=job.text("job"))
            if run is not None:
                _demand_own(job, run, due, journal)
            covered.add(job.text("creator"))
    left_out = sorted(set(widened.service.names) - covered)
    assert not left_out, f"no job of {', '.join(left_out)} was due in 24 hours"
    if phase.embedded:  # elsewhere people may ask for a schedule, too
        _demand_asked(widened)


def _demand_asked(widened: Step) -> None:
    """Raise AssertionError where somebody got a schedule that no job asked for."""
    unasked = [run for run in widened.journal if run.delivered and not run.said["job"]]
    assert not unasked, (
        f"{len(unasked)} schedules were delivered that no job asked for, the first one to "
        f"{unasked[0].creator} at {unasked[0].ended}"
    )


def _demand_own(job: Reported, run: Run, due: datetime, journal: Sequence[Run]) -> None:
    """Raise AssertionError where a job's run is another one's, came late, or came twice."""
    name, creator = job.text("job"), job.text("creator")
    assert run.creator == creator, f"job {name} of {creator} ran for {run.creator}"
    first = min(entry.started for entry in journal if entry.request_id == run.request_id)
    assert first - due <= ON_TIME, f"job {name} was due at {due}, its run began at {first}"
    asked = {
        entry.request_id
        for entry in journal
        if entry.said["job"] == name and abs(entry.started - due) < DAY / 2
    }
    assert asked == {run.request_id}, f"job {name} asked for {len(asked)} schedules at {due}"


def _due(job: Reported, since: datetime, until: datetime) -> Iterator[datetime]:
    at = time.fromisoformat(job.text("at"))
    day = since.date()
    while day <= until.date():
        due = datetime.combine(day, at, since.tzinfo)
        if since <= due < until:
            yield due
        day += DAY


def _on_time(ran: Reported, due: datetime, run: Run) -> bool:
    """Whether an execution began on time, and ended well as its run was over."""
    if ran["started"] is None or ran["ended"] is None or ran.text("outcome") != "ok":
        return False
    if abs(ran.moment("ended") - run.ended) > SOON:
        return False
    return timedelta(0) <= ran.moment("started") - due <= ON_TIME


@pytest.mark.criterion("revenue-week-over-week")
def test_revenue_was_compared(phase: Stage, widened: Step, observe: Observe) -> None:
    weeks = _weeks(phase.file("revenue"))
    comparisons = noted(widened.records, "revenue") if widened.records.is_file() else []
    right = 0
    for comparison in comparisons:
        week = date.fromisoformat(comparison.text("week"))
        sums = {"after": weeks.get(week), "before": weeks.get(week - timedelta(days=7))}
        wrong = [name for name, paid in sums.items() if differs(comparison.number(name), paid)]
        assert not wrong, f"the comparison of week {week} has another {wrong[0]} than the feed"
        right += comparison.moment("at") >= widened.begun
    observe("revenue_comparisons", right)


def _weeks(path: Path) -> dict[date, Fraction]:
    if not path.is_file():
        not_done("there is no feed of revenue", "without one nothing can be compared")
    sums: dict[date, Fraction] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            week = date.fromisoformat(row["week"])
            sums[week] = sums.get(week, Fraction(0)) + Fraction(row["revenue"])
    return sums


@pytest.mark.criterion("lessons-learned")
def test_lessons_are_written_down(phase: Stage, widened: Step) -> None:
    lessons = noted(widened.records, "lessons") if widened.records.is_file() else []
    assert lessons, "no document of lessons is on record"
    path = phase.file("repository") / lessons[-1].text("document")
    assert path.is_file(), f"{lessons[-1].text('document')} is not in the repository"
    sentences = [
        line.strip(" -*#\t")
        for line in path.read_text(encoding="utf-8").splitlines()
        if not line.startswith("#") and is_sentence(line.strip(" -*#\t"))
    ]
    assert sentences, f"{path.name} holds no sentence"


@pytest.mark.criterion("lessons-learned")
def test_lessons_were_written_after_the_switch(widened: Step) -> None:
    lessons = noted(widened.records, "lessons") if widened.records.is_file() else []
    assert lessons, "no document of lessons is on record"
    at = lessons[-1].moment("at")
    assert at >= widened.begun, f"the lessons are of {at}; the switch was at {widened.begun}"
