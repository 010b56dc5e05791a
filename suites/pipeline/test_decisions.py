"""The decisions of Days 7 to 35, their order, and the statuses of the weeks."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_rollout import NoValueError, Observe, Stage
from suites.pipeline.scenarios.decision_days import DecisionDay
from suites.pipeline.views.changes import first_changes
from suites.pipeline.views.people import decided, decisions, placeholder, spoke_for, start_date
from suites.pipeline.views.plan_days import DAY, begin_of
from suites.pipeline.views.statuses import status_of, week_figures

DAYS = (7, 14, 21, 28, 35)
OPTIONS = {
    7: ("proceed", "iterate"),
    14: ("proceed", "hold"),
    21: ("proceed", "hold"),
    28: ("success", "rollback"),
    35: ("close",),
}


def on(day: int, criterion: str) -> Any:
    """A check of the phase of a day."""
    marks = (
        getattr(pytest.mark, f"decision_day{day}"),
        pytest.mark.criterion(f"decision_day{day}.{criterion}"),
    )
    return pytest.param(day, marks=marks)


@pytest.mark.parametrize("day", [on(day, f"decision-day-{day}") for day in DAYS])
def test_the_day_was_decided(day: int, decision_day: DecisionDay) -> None:
    records = decision_day.records
    entry = decided(records, day)
    spoke_for(records, entry)
    begin = begin_of(start_date(records), day)
    assert begin <= entry.at < begin + DAY, f"Day {day} was decided at {entry.at}"
    assert entry.decision in OPTIONS[day], f"{entry.decision} is no decision of Day {day}"
    assert entry.lets_begin, f"Day {day} was decided: {entry.decision}"
    agrees = entry.gate == "GO" or not placeholder(entry.waiver)
    assert agrees, f"{entry.decision} was decided over {entry.gate or 'no gate'}, without a waiver"


@pytest.mark.parametrize("day", [on(day, "order-enforced") for day in DAYS])
def test_main_was_changed_after_the_decision(
    day: int, decision_day: DecisionDay, observe: Observe
) -> None:
    log = decisions(decision_day.records)
    for change in first_changes(decision_day.hub):
        before = [entry for entry in log if entry.day == change.after and entry.at <= change.at]
        go = bool(before) and before[-1].lets_begin
        observe("week_begun_without_go", not go, at=decision_day.now, change=change.says)


@pytest.mark.decision_day35
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


@pytest.mark.decision_day35
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
