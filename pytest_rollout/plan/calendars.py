"""Shared calendars that a plan includes: files in iCalendar, read into instants."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from importlib.util import find_spec
from pathlib import Path

from pytest_rollout.calendar import to_us
from pytest_rollout.model.errors import Problem
from pytest_rollout.model.plan import Phase
from pytest_rollout.model.windows import CalendarUse, Risk, SharedCalendar
from pytest_rollout.plan import terms
from pytest_rollout.plan.events import read_events
from pytest_rollout.plan.reader import Reader
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
    trees = reader.items("calendars")
    known = _known(phases) if trees else (0, 0)
    found = (_calendar(reader, tree, path, zone, known) for tree in trees)
    return tuple(one for one in found if one is not None)


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
    inner = reader.reader(tree, "a calendar")
    url, file = inner.word("url"), inner.word("file")
    use = inner.optional("as", CalendarUse)
    risk, own_zone = inner.optional("risk", Risk), inner.parsed("zone", terms.zone)
    inner.done()
    if url is not None:
        fix = "fetch it first (curl -fsS -o ops.ics URL) and give its `file`"
        inner.problem(inner.line_of("url"), "a calendar: plans are read without network", fix)
    elif file is None and isinstance(tree.value, dict):
        inner.problem(tree.line, "a calendar has no `file`")
    if use is None and isinstance(tree.value, dict):
        inner.problem(tree.line, "a calendar does not say what its events are", "as: freeze")
    if url is not None or file is None or use is None:
        return None
    if not all(find_spec(name) for name in _LIBRARIES):
        what = f"a calendar: {file} cannot be read, because a library is not installed"
        inner.problem(tree.line, what, "pip install 'pytest-rollout[calendars]'")
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
    line = reader.line_of("file")
    try:
        if path.stat().st_size > MAX_BYTES:
            reader.problem(line, f"a calendar: {file} is larger than {MAX_BYTES} bytes")
            return None
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"a calendar: {file} is not text in UTF-8: {error.reason} at byte {error.start}"
        reader.problem(line, what)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        reader.problem(line, f"a calendar: {file} cannot be read: {why}")
    return None
