"""What the checks of the pipeline stand on: its scenarios."""

from __future__ import annotations

from suites.pipeline.scenarios.asked import people_asked
from suites.pipeline.scenarios.by_hand import assigned_by_hand
from suites.pipeline.scenarios.capacity import (
    capacity_week,
    low_rate,
    processing_week,
)
from suites.pipeline.scenarios.daily_week import daily_week
from suites.pipeline.scenarios.decision_days import decision_day
from suites.pipeline.scenarios.first_days import assigning, processing
from suites.pipeline.scenarios.live_pipeline import followed, full_week, live_week
from suites.pipeline.scenarios.overdue import copilot_held, tracked_week
from suites.pipeline.scenarios.planted import violations_planted
from suites.pipeline.scenarios.processing_by_hand import processed_by_hand
from suites.pipeline.scenarios.rehearsal import rehearsed
from suites.pipeline.scenarios.timetable import coordinated, started_beside
from suites.pipeline.scenarios.triggers import (
    daily_failing,
    processing_failing,
    rate_used_up,
    runs_failing,
    states_conflicting,
)
from suites.pipeline.scenarios.way_back import way_back
from suites.pipeline.scenarios.weeks import before, week
from suites.pipeline.scenarios.whole_journal import first_days_lived, lived, two_runs_of_each

__all__ = [
    "assigned_by_hand",
    "assigning",
    "before",
    "capacity_week",
    "coordinated",
    "copilot_held",
    "daily_failing",
    "daily_week",
    "decision_day",
    "first_days_lived",
    "followed",
    "full_week",
    "live_week",
    "lived",
    "low_rate",
    "people_asked",
    "processed_by_hand",
    "processing",
    "processing_failing",
    "processing_week",
    "rate_used_up",
    "rehearsed",
    "runs_failing",
    "started_beside",
    "states_conflicting",
    "tracked_week",
    "two_runs_of_each",
    "violations_planted",
    "way_back",
    "week",
]
