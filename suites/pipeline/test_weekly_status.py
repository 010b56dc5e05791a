"""The statuses of the five weeks, looked at on Day 35."""

from __future__ import annotations

import re

import pytest

from pytest_rollout import NoValueError, Observe, Stage
from suites.pipeline.scenarios.decision_days import DecisionDay
from suites.pipeline.views.people import start_date
from suites.pipeline.views.plan_days import DAY, begin_of
from suites.pipeline.views.statuses import status_of, week_figures

pytestmark = pytest.mark.decision_day35


@pytest.mark.criterion("weekly-status-sent")
def test_each_week_had_its_status(decision_day: DecisionDay, observe: Observe) -> None:
    for week in range(1, 6):
        status = status_of(decision_day.mails, week)
        lacking = status.unfilled if status else ["the mail"]
        observe(
            "week_without_complete_status",
            bool(lacking),
            at=decision_day.now,
            week=week,
            lacking=", ".join(lacking) or "nothing",
        )


@pytest.mark.criterion("weekly-status-sent")
def test_each_status_is_of_its_week(decision_day: DecisionDay) -> None:
    start = start_date(decision_day.records)
    for week in range(1, 6):
        status = status_of(decision_day.mails, week)
        if status is None:
            raise NoValueError(f"there is no status of week {week} in the inbox")
        begin, last = begin_of(start, 7 * week - 6), begin_of(start, 7 * week)
        named = re.findall(r"\d{4}-\d\d-\d\d", status.dates)
        due = [f"{begin:%Y-%m-%d}", f"{last:%Y-%m-%d}"]
        assert named == due, f"the status of week {week} is of {status.dates}, not of {due}"
        assert last <= status.at < last + 2 * DAY, f"that of week {week} was sent at {status.at}"


@pytest.mark.criterion("weekly-figures-true")
def test_the_figures_of_the_statuses_are_true(
    decision_day: DecisionDay, phase: Stage, observe: Observe
) -> None:
    since = begin_of(start_date(decision_day.records), 1)
    for week in range(1, 6):
        status = status_of(decision_day.mails, week)
        if status is None:
            raise NoValueError(f"there is no status of week {week} in the inbox")
        truly = week_figures(decision_day.telemetry, since, status.at)
        for name, value in truly.items():
            said = status.figures.get(name)
            wrong = said is None or abs(said - value) > 0.05 + 1e-9
            observe(
                "status_figure_wrong", wrong, at=phase.now(), week=week, figure=name,
                said=said, counted=round(value, 2),
            )  # fmt: skip
        since = status.at
