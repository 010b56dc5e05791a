"""Change windows and freezes as a plan states them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from pytest_rollout.model.windows import EVERY_DAY, Hours, Window
from pytest_rollout.plan import terms
from pytest_rollout.plan.reader import Reader
from pytest_rollout.plan.spec.plan_keys import PlanKeys, WindowKeys, WindowsKeys
from pytest_rollout.plan.tree import Tree

_DAY = timedelta(days=1)
_MIDNIGHT = time(0, 0)
_Dates = tuple[date | None, date | None]


def read_windows(reader: Reader) -> tuple[tuple[Window, ...], tuple[Window, ...]]:
    """Return the change windows and the freezes under `windows`."""
    tree = reader.get(PlanKeys.windows)
    if tree is None:
        return (), ()
    inner = reader.inner(tree, WindowsKeys, "windows")
    changes, freezes = inner.get(WindowsKeys.change) or (), inner.get(WindowsKeys.freeze) or ()
    change = tuple(_window(inner, item, "a change window") for item in changes)
    freeze = tuple(_window(inner, item, "a freeze") for item in freezes)
    inner.done()
    return change, freeze


def _window(reader: Reader, tree: Tree, name: str) -> Window:
    inner = reader.inner(tree, WindowKeys, name)
    days = _days(inner)
    hours = inner.get(WindowKeys.hours)
    since, until = inner.get(WindowKeys.from_), inner.get(WindowKeys.to)
    day = inner.get(WindowKeys.date)
    stretch, dates = _stretch(inner, since, until), _dates(inner, day, since, until)
    window = Window(
        days=days,
        hours=hours,
        risk=inner.get(WindowKeys.risk),
        why=inner.get(WindowKeys.why) or "",
        first=None if stretch else dates[0],
        last=None if stretch else dates[1],
        stretch=stretch,
        zone=inner.get(WindowKeys.zone),
    )
    inner.done()
    _never(inner, window)
    return window


def read_nights(reader: Reader) -> Hours | None:
    """Return the hours of a night, where the plan says them."""
    return reader.get(PlanKeys.nights)


def _days(reader: Reader) -> frozenset[int]:
    days: set[int] = set()
    words = reader.get(WindowKeys.days) or ()
    for word in words:
        try:
            days |= terms.days(word)
        except ValueError as error:
            reader.problem(reader.line_of(WindowKeys.days), f"{reader.what}: `days`: {error}")
    if reader.has(WindowKeys.days) and not words:
        reader.problem(reader.line_of(WindowKeys.days), f"{reader.what}: `days` names none")
    return frozenset(days) or EVERY_DAY


def _dates(
    reader: Reader, day: date | None, since: date | datetime | None, until: date | datetime | None
) -> _Dates:
    """The first and the last day, where the window has any."""
    if day is not None:
        for key in (WindowKeys.from_, WindowKeys.to, WindowKeys.days):
            if reader.has(key):
                reader.problem(reader.line_of(key), f"{reader.what}: `{key.name}` besides `date`")
        return day, day
    first, last = (edge if type(edge) is date else None for edge in (since, until))
    if first and last and last < first:
        reader.problem(reader.line_of(WindowKeys.to), f"{reader.what} ends before it begins")
    return first, last


def _stretch(
    reader: Reader, since: date | datetime | None, until: date | datetime | None
) -> tuple[datetime, datetime] | None:
    """One stretch of time, where an edge has a time of day; a day as an edge lies whole in it."""
    if not (isinstance(since, datetime) or isinstance(until, datetime)):
        return None
    for key in (WindowKeys.days, WindowKeys.hours):
        if reader.has(key):
            problem = f"{reader.what}: `{key.name}` besides `from` or `to` with a time of day"
            reader.problem(reader.line_of(key), problem, "give `from` and `to` days without times")
    if since is None or until is None:
        missing = "from" if since is None else "to"
        reader.problem(reader.line, f"{reader.what}: a time of day, but no `{missing}`")
        return None
    start = since if isinstance(since, datetime) else datetime.combine(since, _MIDNIGHT)
    end = until if isinstance(until, datetime) else datetime.combine(until + _DAY, _MIDNIGHT)
    if end <= start:
        reader.problem(reader.line_of(WindowKeys.to), f"{reader.what} ends before it begins")
        return None
    return start, end


def _never(reader: Reader, window: Window) -> None:
    """A window between two dates that holds none of its days would be lost without a word."""
    if window.first is None or window.last is None or window.last < window.first:
        return
    count = min((window.last - window.first).days + 1, 7)
    if not any((window.first + step * _DAY).weekday() in window.days for step in range(count)):
        problem = f"{reader.what}: none of its `days` lies between {window.first} and {window.last}"
        reader.problem(reader.line_of(WindowKeys.days), problem)
