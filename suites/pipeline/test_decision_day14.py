"""Day 14: what was decided, and whether all waited for it."""

from __future__ import annotations

import pytest

from pytest_rollout import Observe
from suites.pipeline.decision_checks import check_order, demand_decided
from suites.pipeline.scenarios.decision_days import DecisionDay

pytestmark = pytest.mark.decision_day14


@pytest.mark.criterion("decision-day-14")
def test_the_day_was_decided(decision_day: DecisionDay) -> None:
    demand_decided(decision_day, 14)


@pytest.mark.criterion("decision_day14.order-enforced")
def test_main_was_changed_after_the_decision(decision_day: DecisionDay, observe: Observe) -> None:
    check_order(decision_day, observe)
