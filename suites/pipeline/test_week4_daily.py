"""Week 4: all three stages of the daily run are live."""

from __future__ import annotations

import pytest

from pytest_rollout import Observe, Stage
from suites.pipeline.daily_checks import (
    check_controller,
    check_stages,
    test_a_daily_run_ends_in_time,
    test_a_run_takes_what_waits_up_to_its_limit,
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
from suites.pipeline.views.on_main import workflow_at
from suites.pipeline.views.people import demand_validated
from suites.pipeline.views.schedules import LIVE

__all__ = [
    "test_a_daily_run_ends_in_time",
    "test_a_run_takes_what_waits_up_to_its_limit",
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

pytestmark = pytest.mark.week4_daily


@pytest.mark.criterion("stage-validated")
def test_the_stage_was_validated(phase: Stage) -> None:
    demand_validated(phase.file("records"), "processing", 4)


@pytest.mark.criterion("w4-processing-live")
def test_the_stages_of_the_week_are_live(daily_week: DailyWeek, observe: Observe) -> None:
    check_stages(daily_week, ["monitoring", "assignment", "processing"], observe)


@pytest.mark.criterion("no-schedule-conflicts")
def test_what_takes_the_same_issues_is_in_one_group(daily_week: DailyWeek) -> None:
    groups = {file: workflow_at(daily_week.hub, file).group for file in LIVE}
    assert len(set(groups.values())) == 1, f"the concurrency groups are {groups}"


@pytest.mark.criterion("week4_daily.trigger-boundary")
def test_the_controller_stands_at_thirty_minutes(phase: Stage, observe: Observe) -> None:
    check_controller(phase, observe)
