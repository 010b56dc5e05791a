"""Change windows and freezes as a plan states them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from pytest_rollout.model.windows import EVERY_DAY, Hours, Risk, Window
from pytest_rollout.plan import terms
from pytest_rollout.plan.reader import Reader
from pytest_rollout.plan.tree import Tree

_DAY = timedelta(days=1)
_MIDNIGHT = time(0, 0)
_Dates = tuple[date | None, date | None]


def read_windows(reader: Reader) -> tuple[tuple[Window, ...], tuple[Window, ...]]:
    """The change windows and the freezes under `windows`."""
    tree = reader.tree("windows")
    if tree is None:
        return (), ()
    inner = reader.reader(tree, "windows")
    change = tuple(_window(inner, item, "a change window") for item in inner.items("change"))
    freeze = tuple(_window(inner, item, "a freeze") for item in inner.items("freeze"))
    inner.done()
    return change, freeze


def _window(reader: Reader, tree: Tree, what: str) -> Window:
    inner = reader.reader(tree, what)
    days = _days(inner)
    hours = inner.parsed("hours", terms.hours)
    since, until = inner.parsed("from", terms.reading), inner.parsed("to", terms.reading)
    day = inner.parsed("date", terms.day)
    stretch, dates = _stretch(inner, since, until), _dates(inner, day, since, until)
    window = Window(
        days=days,
        hours=hours,
        risk=inner.optional("risk", Risk),
        why=inner.text("why"),
        first=None if stretch else dates[0],
        last=None if stretch else dates[1],
        stretch=stretch,
        zone=inner.parsed("zone", terms.zone),
    )
    inner.done()
    _never(inner, window)
    return window


def read_nights(reader: Reader) -> Hours | None:
    """The hours of a night, where the plan says them."""
    return reader.parsed("nights", terms.hours)


def _days(reader: Reader) -> frozenset[int]:
    found: set[int] = set()
    for word in reader.words("days"):
        try:
            found |= terms.days(word)
        except ValueError as error:
            reader.problem(reader.line_of("days"), f"{reader.what}: `days`: {error}")
    if reader.has("days") and not reader.words("days"):
        reader.problem(reader.line_of("days"), f"{reader.what}: `days` names none")
    return frozenset(found) or EVERY_DAY


def _dates(
    reader: Reader, day: date | None, since: date | datetime | None, until: date | datetime | None
) -> _Dates:
    """The first and the last day, where the window has any."""
    if day is not None:
        for key in ("from", "to", "days"):
            if reader.has(key):
                reader.problem(reader.line_of(key), f"{reader.what}: `{key}` besides `date`")
        return day, day
    first, last = (one if type(one) is date else None for one in (since, until))
    if first and last and last < first:
        reader.problem(reader.line_of("to"), f"{reader.what} ends before it begins")
    return first, last


def _stretch(
    reader: Reader, since: date | datetime | None, until: date | datetime | None
) -> tuple[datetime, datetime] | None:
    """One stretch of time, where an edge has a time of day; a day as an edge lies whole in it."""
    if not (isinstance(since, datetime) or isinstance(until, datetime)):
        return None
    for key in ("days", "hours"):
        if reader.has(key):
            what = f"{reader.what}: `{key}` besides `from` or `to` with a time of day"
            reader.problem(reader.line_of(key), what, "give `from` and `to` days without times")
    if since is None or until is None:
        missing = "from" if since is None else "to"
        reader.problem(reader.line, f"{reader.what}: a time of day, but no `{missing}`")
        return None
    start = since if isinstance(since, datetime) else datetime.combine(since, _MIDNIGHT)
    end = until if isinstance(until, datetime) else datetime.combine(until + _DAY, _MIDNIGHT)
    if end <= start:
        reader.problem(reader.line_of("to"), f"{reader.what} ends before it begins")
        return None
    return start, end


def _never(reader: Reader, window: Window) -> None:
    """A window between two dates that holds none of its days would be lost without a word."""
    if window.first is None or window.last is None or window.last < window.first:
        return
    count = min((window.last - window.first).days + 1, 7)
    if not any((window.first + step * _DAY).weekday() in window.days for step in range(count)):
        what = f"{reader.what}: none of its `days` lies between {window.first} and {window.last}"
        reader.problem(reader.line_of("days"), what)
