"""Week 1: the daily run is dry."""

from __future__ import annotations

import pytest

from pytest_rollout import NoValueError, Observe, Stage
from suites.pipeline.daily_checks import (
    check_controller,
    demand_nothing_lost,
    test_a_daily_run_ends_in_time,
    test_a_run_takes_what_waits_up_to_its_limit,
    test_each_day_has_one_run,
    test_each_record_is_whole,
    test_nobody_else_works_on_its_issues,
    test_runs_leave_what_can_be_read,
    test_summaries_are_true,
    test_the_batch_is_ten,
    test_the_limit_is_twenty,
    test_the_run_starts_at_half_past_six,
    test_the_statistics_of_each_stage_are_true,
)
from suites.pipeline.scenarios.daily_week import STAGES, DailyWeek
from suites.pipeline.views.daily_figures import WOULD, Summary
from suites.pipeline.views.daily_stages import lone_events
from suites.pipeline.views.runs import dry

__all__ = [
    "test_a_daily_run_ends_in_time",
    "test_a_run_takes_what_waits_up_to_its_limit",
    "test_each_day_has_one_run",
    "test_each_record_is_whole",
    "test_nobody_else_works_on_its_issues",
    "test_runs_leave_what_can_be_read",
    "test_summaries_are_true",
    "test_the_batch_is_ten",
    "test_the_limit_is_twenty",
    "test_the_run_starts_at_half_past_six",
    "test_the_statistics_of_each_stage_are_true",
]

pytestmark = pytest.mark.week1_daily


@pytest.mark.criterion("w1-dry-run-summary")
def test_the_daily_run_writes_nothing(daily_week: DailyWeek, observe: Observe) -> None:
    would = 0.0
    for run in daily_week.runs:
        for stage, command in STAGES.items():
            flags = daily_week.logs[run.id].flags(command)
            assert dry(flags), f"{stage} of run {run.id} was no dry run"
        events = lone_events(daily_week.journal, daily_week.telemetry, run)
        observe("written_in_dry_run", len(events), at=run.ended, run=run.id)
        figures = Summary.of(daily_week.hub, run).figures
        would += sum(figures.number(name) for name in WOULD)
    if not would:
        raise NoValueError("no summary of the week says that anything would have been done")
    demand_nothing_lost(daily_week)


@pytest.mark.criterion("week1_daily.trigger-boundary")
def test_the_controller_stands_at_thirty_minutes(phase: Stage, observe: Observe) -> None:
    check_controller(phase, observe)
