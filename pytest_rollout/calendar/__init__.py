"""Windows, freezes, zones, nights and the edges of scopes; pure."""

from pytest_rollout.calendar.buckets import (
    NIGHT,
    Bucket,
    Bucketing,
    buckets,
    closed_since,
    newest,
    span_buckets,
)
from pytest_rollout.calendar.instants import end_of_day, from_us, length_words, stamp, to_us, wall
from pytest_rollout.calendar.nightly import night_of, nights_reach_us
from pytest_rollout.calendar.openings import (
    Opening,
    admitted,
    closings,
    frozen,
    never_opens,
    next_opening,
    opening_words,
    openings,
    shut,
)
from pytest_rollout.calendar.phases import phase_window, window_words
from pytest_rollout.calendar.scopes import CLOSED, bounds

__all__ = [
    "CLOSED",
    "NIGHT",
    "Bucket",
    "Bucketing",
    "Opening",
    "admitted",
    "bounds",
    "buckets",
    "closed_since",
    "closings",
    "end_of_day",
    "from_us",
    "frozen",
    "length_words",
    "never_opens",
    "newest",
    "next_opening",
    "night_of",
    "nights_reach_us",
    "opening_words",
    "openings",
    "phase_window",
    "shut",
    "span_buckets",
    "stamp",
    "to_us",
    "wall",
    "window_words",
]
