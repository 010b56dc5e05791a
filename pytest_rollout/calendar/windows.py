"""The instants of windows, exactly, also where clocks are changed.

A change window is open whenever the clock of its zone reads a time of it: hours that come
twice are open twice, hours that are skipped are not there. A freeze is as long as it can be:
from the first instant that its start may mean to the last that its end may mean. So whatever
is doubtful about a change of clocks stands against a change.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pytest_rollout.calendar.instants import from_us, offset_us, reading_us, readings
from pytest_rollout.calendar.intervals import Span, intersect, union
from pytest_rollout.model.windows import Window

MIDNIGHT = time(0, 0)
_DAY = timedelta(days=1)


def spans(window: Window, zone: str, within: Span, *, wide: bool) -> list[Span]:
    """The instants of a window inside of a span; ``wide`` as a freeze has them.

    ``zone`` is that of the plan, for a window without its own.
    """
    clocks = ZoneInfo(window.zone or zone)
    if window.stretch is not None:
        starts, ends = (readings(clocks, edge) for edge in window.stretch)
        instants = [(min(starts), max(ends)) if wide else (max(starts), min(ends))]
    else:
        instants = []
        for since, until in _on_days(window, clocks, within):
            if wide:
                instants.append((readings(clocks, since)[0], readings(clocks, until)[1]))
            else:
                instants += _read(clocks, since, until)
    return intersect(union(instants), [within])


def ends_on(day: date, since: time, until: time) -> date:
    """The day on which hours of a day end."""
    return day if until > since else day + _DAY


def _on_days(window: Window, clocks: ZoneInfo, within: Span) -> Iterator[tuple[datetime, datetime]]:
    """The readings at which a window begins and ends, of each day that may reach into a span."""
    # two days before: a window may reach into the next day, and a whole day may be skipped
    day = from_us(within[0]).astimezone(clocks).date() - 2 * _DAY
    last = from_us(within[1]).astimezone(clocks).date() + _DAY
    day = max(day, window.first or day)
    last = min(last, window.last or last)
    since = window.hours.since if window.hours else MIDNIGHT
    until = window.hours.until if window.hours else MIDNIGHT
    while day <= last:
        if day.weekday() in window.days:
            end = ends_on(day, since, until)
            yield datetime.combine(day, since), datetime.combine(end, until)
        day += _DAY


def _read(clocks: ZoneInfo, since: datetime, until: datetime) -> list[Span]:
    """The instants at which clocks read ``since`` or later, but not yet ``until``.

    The readings are at most a day or so apart, so clocks are changed at most once between.
    """
    instants = []
    edges = (*readings(clocks, since), *readings(clocks, until))
    wanted = (since, since, until, until)
    for offset in {reading_us(clock) - edge for clock, edge in zip(wanted, edges, strict=True)}:
        start, end = reading_us(since) - offset, reading_us(until) - offset
        at_start = offset_us(clocks, start) == offset
        at_end = offset_us(clocks, end - 1) == offset
        if at_start and at_end:
            instants.append((start, end))
        elif at_start:
            instants.append((start, _change(clocks, start, end)))
        elif at_end:
            instants.append((_change(clocks, start, end), end))
    return instants


def _change(clocks: ZoneInfo, start: int, end: int) -> int:
    """The instant in a span at which clocks are changed."""
    before = offset_us(clocks, start)
    while end - start > 1:
        middle = (start + end) // 2
        if offset_us(clocks, middle) == before:
            start = middle
        else:
            end = middle
    return end
