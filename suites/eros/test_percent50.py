"""Phase 3: 50 percent of the creators are on v5."""

from __future__ import annotations

import pytest

from suites.eros.checks.routed import (
    test_each_decision_was_made_with_the_percentage,
    test_everybody_gets_what_is_due,
    test_no_change_touched_another_flag,
    test_nobody_is_back_on_v4,
    test_the_other_flags_stay,
    test_the_percentage_is_set,
    test_the_step_before_stands,
    test_those_on_v5_are_those_selected,
)
from suites.eros.checks.running import (
    test_each_creator_on_v5_is_looked_at,
    test_no_condition_of_the_rollback_held,
    test_no_run_violates_a_hard_gate,
    test_runs_are_quick,
    test_runs_succeed,
    test_schedules_are_good,
    test_the_controller_logged_no_trigger,
    test_the_step_before_was_as_quick,
    test_the_step_holds,
    test_waiting_counts,
    test_what_succeeded_was_delivered,
)
from suites.eros.checks.timed import test_times_are_told_as_they_were

__all__ = [
    "test_each_creator_on_v5_is_looked_at",
    "test_each_decision_was_made_with_the_percentage",
    "test_everybody_gets_what_is_due",
    "test_no_change_touched_another_flag",
    "test_no_condition_of_the_rollback_held",
    "test_no_run_violates_a_hard_gate",
    "test_nobody_is_back_on_v4",
    "test_runs_are_quick",
    "test_runs_succeed",
    "test_schedules_are_good",
    "test_the_controller_logged_no_trigger",
    "test_the_other_flags_stay",
    "test_the_percentage_is_set",
    "test_the_step_before_stands",
    "test_the_step_before_was_as_quick",
    "test_the_step_holds",
    "test_those_on_v5_are_those_selected",
    "test_times_are_told_as_they_were",
    "test_waiting_counts",
    "test_what_succeeded_was_delivered",
]

pytestmark = pytest.mark.percent50
