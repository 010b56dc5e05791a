"""Week 3: monitoring and assignment of the daily run are live, and processing is dry."""

from __future__ import annotations

import pytest

from pytest_rollout import Observe, Stage
from suites.pipeline.daily_checks import (
    check_controller,
    check_stages,
    test_a_daily_run_ends_in_time,
    test_a_run_takes_what_waits_up_to_its_limit,
    test_at_midnight_it_only_watches,
    test_each_day_has_one_run,
    test_each_record_is_whole,
    test_flags_go_after_validation,
    test_nobody_else_works_on_its_issues,
    test_runs_leave_what_can_be_read,
    test_summaries_are_true,
    test_the_batch_is_ten,
    test_the_limit_is_twenty,
    test_the_run_starts_at_half_past_six,
    test_the_statistics_of_each_stage_are_true,
)
from suites.pipeline.scenarios.daily_week import DailyWeek
from suites.pipeline.views.people import demand_validated

__all__ = [
    "test_a_daily_run_ends_in_time",
    "test_a_run_takes_what_waits_up_to_its_limit",
    "test_at_midnight_it_only_watches",
    "test_each_day_has_one_run",
    "test_each_record_is_whole",
    "test_flags_go_after_validation",
    "test_nobody_else_works_on_its_issues",
    "test_runs_leave_what_can_be_read",
    "test_summaries_are_true",
    "test_the_batch_is_ten",
    "test_the_limit_is_twenty",
    "test_the_run_starts_at_half_past_six",
    "test_the_statistics_of_each_stage_are_true",
]

pytestmark = pytest.mark.week3_daily


@pytest.mark.criterion("stage-validated")
def test_the_stage_was_validated(phase: Stage) -> None:
    demand_validated(phase.file("records"), "assignment", 3)


@pytest.mark.criterion("w3-assignment-live")
def test_the_stages_of_the_week_are_live(daily_week: DailyWeek, observe: Observe) -> None:
    check_stages(daily_week, ["monitoring", "assignment"], observe)


@pytest.mark.criterion("week3_daily.trigger-boundary")
def test_the_controller_stands_at_thirty_minutes(phase: Stage, observe: Observe) -> None:
    check_controller(phase, observe)
