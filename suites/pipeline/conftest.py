"""What the checks of the pipeline stand on: its scenarios."""

from __future__ import annotations

from suites.pipeline.scenarios.by_hand import assigned_by_hand, processed_by_hand
from suites.pipeline.scenarios.daily_week import daily_week
from suites.pipeline.scenarios.decision_days import decision_day
from suites.pipeline.scenarios.first_days import assigning, processing
from suites.pipeline.scenarios.rehearsal import rehearsed
from suites.pipeline.scenarios.whole_journal import lived

__all__ = [
    "assigned_by_hand",
    "assigning",
    "daily_week",
    "decision_day",
    "lived",
    "processed_by_hand",
    "processing",
    "rehearsed",
]
