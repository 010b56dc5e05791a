"""Week 4: dashboards show true figures, or reports in their place do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pytest_rollout import NoValueError, Observe, Stage, recount
from suites.pipeline.scenarios.weeks import WEEK, Seen
from suites.pipeline.views import figures as true
from suites.pipeline.views.channels import heard, mails, text_of
from suites.pipeline.views.dashboard import Dashboard, figures
from suites.pipeline.views.figures import lines_of_report, week_figures
from suites.pipeline.views.journal import Run, demand
from suites.pipeline.views.runs import artifact
from suites.pipeline.views.schedules import LIVE
from suites.pipeline.views.telemetry import lines_of, read_run
from suites.pipeline.views.tree import commits, head

pytestmark = pytest.mark.week4_dashboard

REPORT = "ops-weekly-report.yml"
STAKEHOLDERS = "stakeholders@example.com"
DAY = timedelta(days=1)


@pytest.mark.criterion("telemetry-is-there")
@pytest.mark.parametrize("file", LIVE)
def test_each_run_left_telemetry(before: Seen, file: str) -> None:
    begin, end = before.days[-1]
    for run in demand(before.journal.scheduled(file, begin, end), f"run of {file}"):
        there = read_run(before.telemetry, run.id)
        assert any(r.event == "run_ended" for r in there), f"run {run.id} has no end in telemetry"
        assert any(r.event == "statistics" for r in there), f"run {run.id} left no statistics"


# What is ingested, and shown


@pytest.fixture(scope="session")
def dashboard(phase: Stage, week: Seen) -> Dashboard:
    """The dashboard once the week is over; raises NoValueError where there is none."""
    assert week.journal.runs
    try:
        return Dashboard(phase.file("dashboard"))
    except KeyError:
        raise NoValueError("no dashboard is configured") from None


@pytest.mark.criterion("telemetry-ingested")
def test_every_line_is_ingested(week: Seen, dashboard: Dashboard, observe: Observe) -> None:
    ingested, lines = dashboard.ingested(), lines_of(week.telemetry)
    begin, end = week.days[-1]
    for run in week.journal.runs:
        if begin <= run.begun < end and run.ended and run.file.startswith("ops-"):
            lost = lines.get(run.id, 0) - ingested.get(run.id, 0)
            observe("records_not_ingested", lost, at=run.ended, run=run.id)


@pytest.mark.criterion("telemetry-ingested")
def test_nothing_is_ingested_twice(week: Seen, dashboard: Dashboard) -> None:
    lines = lines_of(week.telemetry)
    figures_of_runs = [("records by run", dict(_texts(dashboard.ingested())), dict(_texts(lines)))]
    recount("records", figures_of_runs).demand(100, varied=True)


def _texts(numbers: dict[int, int]) -> list[tuple[str, int]]:
    return [(str(run), count) for run, count in numbers.items()]


def _agrees(dashboard: Dashboard, title: str, counted: dict[str, float], keys: int = 1) -> None:
    """Demand that a panel shows what was counted."""
    shown = figures(dashboard.rows(title), keys=keys)
    demand(list(counted), f"figure of {title}")
    there = {name: value for name, value in shown.items() if value or name in counted}
    recount(title, [("the week's end", there, counted)]).demand(len(counted))


@pytest.mark.criterion("dashboard-issue-flow")
def test_issue_flow(week: Seen, dashboard: Dashboard) -> None:
    _agrees(dashboard, "Issue flow", true.issue_flow(week))


@pytest.mark.criterion("dashboard-specialist-workload")
def test_specialist_workload(week: Seen, dashboard: Dashboard) -> None:
    _agrees(dashboard, "Specialist workload", true.specialist_workload(week))


@pytest.mark.criterion("dashboard-label-distribution")
def test_label_distribution(week: Seen, dashboard: Dashboard) -> None:
    shown = figures(dashboard.rows("Label distribution"), keys=2)
    counted = true.label_distribution(week, week.begin, 6)  # the last day may not be over
    told = {name: shown.get(name, 0) for name in counted}
    recount("labels by day", [("the week", told, counted)]).demand(30, varied=True)


@pytest.mark.criterion("dashboard-copilot-completion")
def test_copilot_completion(week: Seen, dashboard: Dashboard) -> None:
    shown = figures(dashboard.rows("Copilot completion"))
    counted = true.completed(week, week.begin, 6)
    told = {name: shown.get(name) for name in counted}
    recount("completed by day", [("the week", told, counted)]).demand(6, varied=True)


@pytest.mark.criterion("dashboard-api-usage")
@pytest.mark.parametrize(("column", "count"), [(1, true.api_calls), (2, true.least_remaining)])
def test_api_usage(
    week: Seen, dashboard: Dashboard, column: int, count: Callable[[Seen], dict[str, float]]
) -> None:
    shown, counted = figures(dashboard.rows("API usage"), column), count(week)
    days = [str((week.begin + number * DAY).date()) for number in range(6)]
    told = {day: shown.get(day) for day in days}
    recount("API usage", [("the week", told, {d: counted.get(d) for d in days})]).demand(6)


@pytest.mark.criterion("dashboard-error-rates")
def test_one_more_failure_is_shown(dashboard: Dashboard) -> None:
    shown = figures(dashboard.rows("Errors"))
    there = {name: value for name, value in shown.items() if value}
    with dashboard.copied() as copy:
        path = _with_a_failure(copy)
        more = figures(dashboard.rows("Errors", path))
    wanted = {**there, "processing": there.get("processing", 0) + 1}
    grown = {name: value for name, value in more.items() if value}
    recount("errors after one more failure", [("a copy", grown, wanted)]).demand(1)


@pytest.mark.criterion("dashboard-error-rates")
def test_errors_are_those_of_telemetry(week: Seen, dashboard: Dashboard) -> None:
    shown = figures(dashboard.rows("Errors"))
    differing = recount("errors", [("now", shown, true.errors(week))]).differences
    wrong = [difference for difference in differing if difference.said or difference.counted]
    assert not wrong, "; ".join(difference.words for difference in wrong)


def _with_a_failure(copy: sqlite3.Connection) -> Path:
    """The path of a copy to which one failed item was added."""
    columns = [row[1] for row in copy.execute("pragma table_info(records)")]
    known = {
        "ts": "2026-02-08T12:00:00+00:00",
        "run_id": 1,
        "workflow": "ops-issue-processing",
        "event": "item",
        "stage": "processing",
        "issue": 999999,
        "result": "failed",
        "severity": "error",
        "detail": "{}",
    }
    values = [known.get(name) for name in columns]
    marks = ", ".join("?" for _ in columns)
    copy.execute(f"insert into records values ({marks})", values)
    copy.commit()
    return Path(copy.execute("pragma database_list").fetchone()[2])


# Reports in their place


def _reports(week: Seen) -> list[Run]:
    """The runs of the weekly report that the week's schedule started."""
    return demand([r for r in week.scheduled(REPORT) if r.ended], "weekly report in this week")


def _week_before(run: Run) -> tuple[datetime, datetime]:
    """The calendar week that a report made on a Monday is about."""
    monday = run.begun.replace(hour=0, minute=0, second=0, microsecond=0)
    monday -= run.begun.weekday() * DAY
    return monday - WEEK, monday


def _agree_with(week: Seen, run: Run, told: dict[str, float]) -> None:
    counted = week_figures(week, *_week_before(run))
    shown = {name: told.get(name) for name in counted}
    recount("figures of the week", [(run.begun, shown, counted)]).demand(7, varied=True)


@pytest.mark.criterion("alt-weekly-report")
def test_the_weekly_report_has_true_figures(week: Seen) -> None:
    for run in _reports(week):
        assert run.good, f"run {run.id} ended in {run.conclusion}"
        text = artifact(week.hub, run, "weekly-report").get("report.md", b"").decode()
        _agree_with(week, run, lines_of_report(text))


@pytest.mark.criterion("alt-email-summary")
def test_the_figures_are_mailed(week: Seen, phase: Stage) -> None:
    run = _reports(week)[0]
    sent = mails(heard(phase, run.begun), "Pipeline metrics, week", STAKEHOLDERS)
    message = demand(sent, f"mail with the week's metrics to {STAKEHOLDERS}")[0]
    assert message.at <= run.begun + timedelta(hours=1), f"it was sent at {message.at}"
    _agree_with(week, run, lines_of_report(text_of(message)))


@pytest.mark.criterion("alt-markdown-metrics")
def test_a_report_is_committed(week: Seen) -> None:
    run = _reports(week)[0]
    year, number, _ = _week_before(run)[0].isocalendar()
    path = f"docs/metrics/{year}-W{number:02}.md"
    _agree_with(week, run, lines_of_report(head(week.checkout).text(path)))
    made = demand(commits(week.checkout, path), f"commit of {path}")[-1]
    assert timedelta() <= made.at - run.begun <= DAY, f"{path} was committed at {made.at}"
