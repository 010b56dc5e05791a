"""When a phase is to happen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pytest_rollout.calendar.windows import MIDNIGHT, ends_on
from pytest_rollout.model.plan import Phase, Plan


def phase_window(plan: Plan, phase: Phase) -> tuple[datetime, datetime] | None:
    """When the phase is to happen, as UTC moments (end excluded); None where it has no date."""
    if phase.date is None:
        return None
    zone = ZoneInfo(plan.timezone)
    since = phase.hours.since if phase.hours else MIDNIGHT
    until = phase.hours.until if phase.hours else MIDNIGHT
    end_day = ends_on(phase.until or phase.date, since, until)
    return (
        datetime.combine(phase.date, since, zone).astimezone(UTC),
        datetime.combine(end_day, until, zone).astimezone(UTC),
    )


def window_words(plan: Plan, phase: Phase) -> str:
    """The phase's window as a reader would say it, or ``no date``."""
    window = phase_window(plan, phase)
    if window is None:
        return "no date"
    start, end = (moment.astimezone(ZoneInfo(plan.timezone)) for moment in window)
    last = (end - timedelta(microseconds=1)).date()
    if phase.hours is None:
        return f"{start:%a %Y-%m-%d}" + (f" to {last:%a %Y-%m-%d}" if phase.until else "")
    if start.date() == last:
        return f"{start:%a %Y-%m-%d %H:%M}-{end:%H:%M} {end.tzname()}"
    return f"{start:%a %Y-%m-%d %H:%M} to {end:%a %Y-%m-%d %H:%M} {end.tzname()}"
