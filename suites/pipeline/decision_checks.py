"""The checks of a decision day that are the same on each of them."""

from __future__ import annotations

from pytest_rollout import Observe
from suites.pipeline.scenarios.decision_days import DecisionDay
from suites.pipeline.views.changes import first_changes
from suites.pipeline.views.people import (
    decided,
    decisions,
    demand_priorities,
    demand_whole,
    placeholder,
    spoke_for,
    start_date,
)
from suites.pipeline.views.plan_days import DAY, begin_of

OPTIONS = {
    7: ("proceed", "iterate"),
    14: ("proceed", "hold"),
    21: ("proceed", "hold"),
    28: ("success", "rollback"),
    35: ("close",),
}


def demand_decided(decision_day: DecisionDay, day: int) -> None:
    """Demand that the Rollout Lead decided on that day that all goes on, as the gates say."""
    records = decision_day.records
    entry = decided(records, day)
    spoke_for(records, entry)
    demand_whole(records)
    demand_priorities(records, entry)
    begin = begin_of(start_date(records), day)
    assert begin <= entry.at < begin + DAY, f"Day {day} was decided at {entry.at}"
    assert entry.decision in OPTIONS[day], f"{entry.decision} is no decision of Day {day}"
    assert entry.lets_begin, f"Day {day} was decided: {entry.decision}"
    agrees = entry.gate == "GO" or not placeholder(entry.waiver)
    assert agrees, f"{entry.decision} was decided over {entry.gate or 'no gate'}, without a waiver"


def check_order(decision_day: DecisionDay, observe: Observe) -> None:
    """Observe for each change of main that waits for a decision whether it came before it."""
    log = decisions(decision_day.records)
    for change in first_changes(decision_day.hub):
        before = [entry for entry in log if entry.day == change.after and entry.at <= change.at]
        go = bool(before) and before[-1].lets_begin
        observe("week_begun_without_go", not go, at=decision_day.now, change=change.says)
