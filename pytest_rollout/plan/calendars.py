"""Shared calendars that a plan includes: files in iCalendar, read into instants."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from pytest_rollout.calendar import to_us
from pytest_rollout.extras import install, missing
from pytest_rollout.model.errors import Problem
from pytest_rollout.model.plan import Phase
from pytest_rollout.model.windows import SharedCalendar
from pytest_rollout.plan.calendar_events import read_events
from pytest_rollout.plan.reader import Reader
from pytest_rollout.plan.spec.plan_keys import CalendarKeys, PlanKeys
from pytest_rollout.plan.tree import MAX_BYTES, Tree

_BACK = timedelta(days=200)
_AHEAD = timedelta(days=500)  # further than openings are looked for
_AROUND = timedelta(days=31)  # before the first and after the last phase
_LIBRARIES = ("icalendar", "recurring_ical_events")


def read_calendars(
    reader: Reader, path: Path, zone: str, phases: Iterable[Phase]
) -> tuple[SharedCalendar, ...]:
    """The calendars under `calendars`; their files stand beside the plan or at a path from it.

    They are read from half a year before now to more than a year after, and around all phases.
    """
    trees = reader.get(PlanKeys.calendars) or ()
    known = _known(phases) if trees else (0, 0)
    calendars = (_calendar(reader, tree, path, zone, known) for tree in trees)
    return tuple(shared_calendar for shared_calendar in calendars if shared_calendar is not None)


def _known(phases: Iterable[Phase]) -> tuple[int, int]:
    today = datetime.now(UTC).date()
    days = [day for phase in phases for day in (phase.date, phase.until) if day]
    since = min(today - _BACK, *(day - _AROUND for day in days), today)
    until = max(today + _AHEAD, *(day + _AROUND for day in days), today)
    start, end = (datetime.combine(day, time(0, 0), UTC) for day in (since, until))
    return to_us(start), to_us(end)


def _calendar(
    reader: Reader, tree: Tree, path: Path, zone: str, known: tuple[int, int]
) -> SharedCalendar | None:
    inner = reader.inner(tree, CalendarKeys, "a calendar")
    file, use = inner.get(CalendarKeys.file), inner.get(CalendarKeys.as_)
    risk, own_zone = inner.get(CalendarKeys.risk), inner.get(CalendarKeys.zone)
    inner.done()
    fetched = inner.has(CalendarKeys.url)
    if file is None and inner.is_mapping and not fetched:
        inner.problem(tree.line, "a calendar has no `file`")
    if fetched or file is None or use is None:
        return None
    library = missing(*_LIBRARIES)
    if library:
        problem = f"a calendar: {file} cannot be read: {library} is not installed"
        inner.problem(tree.line, problem, install("calendars"))
        return None
    text = _text(inner, path.parent / file, file)
    if text is None:
        return None
    shown = (Path(reader.file).parent / file).as_posix()
    events, doubts = read_events(text, use, own_zone or zone, known)
    reader.problems += [Problem(shown, *doubt) for doubt in doubts]
    digest = hashlib.sha256(text.encode()).hexdigest()
    return SharedCalendar(file, digest, use, known, tuple(events), risk)


def _text(reader: Reader, path: Path, file: str) -> str | None:
    """The text of a calendar's file."""
    line = reader.line_of(CalendarKeys.file)
    try:
        if path.stat().st_size > MAX_BYTES:
            reader.problem(line, f"a calendar: {file} is larger than {MAX_BYTES} bytes")
            return None
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"a calendar: {file} is not text in UTF-8: {error.reason} at byte {error.start}"
        reader.problem(line, problem)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        reader.problem(line, f"a calendar: {file} cannot be read: {why}")
    return None
