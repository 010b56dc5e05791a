"""The days of the rollout: Day 1 is the first one with a schedule, and there is no Day 0."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

WEEK = timedelta(days=7)
DAY = timedelta(days=1)


def midnight(day: date) -> datetime:
    """The begin of a day in UTC."""
    return datetime.combine(day, time(), UTC)


def begin_of(start: date, day: int) -> datetime:
    """When Day N begins; Day -1 is the last working day before Day 1."""
    if day > 0:
        return midnight(start + (day - 1) * DAY)
    before = start - DAY
    while before.weekday() > 4:
        before -= DAY
    return midnight(before)


def week_of(start: date, number: int) -> tuple[datetime, datetime]:
    """From when to when Week N lasts."""
    begin = begin_of(start, 7 * number - 6)
    return begin, begin + WEEK
