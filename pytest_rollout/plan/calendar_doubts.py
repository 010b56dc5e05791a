"""What of an iCalendar cannot be understood.

Libraries drop quietly what they cannot read: properties, zones that they do not know, one of
two events with the same UID. So all of that is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from math import prod
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from icalendar import Calendar, Event

MOST_EVENTS = 5_000
MOST_RULES = 200  # events that repeat
_MOST_A_DAY = 8
_YEARS = range(1970, 2200)
_ONCE = ("DTSTART", "DTEND", "DURATION", "RRULE", "UID", "RECURRENCE-ID", "STATUS")
_DATED = ("DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE")
_RULE = {"FREQ", "UNTIL", "COUNT", "INTERVAL", "WKST", "BYSETPOS"} | {
    f"BY{unit}"
    for unit in ("SECOND", "MINUTE", "HOUR", "DAY", "MONTHDAY", "YEARDAY", "WEEKNO", "MONTH")
}
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
Doubt = tuple[int, str, str]  # line, what, how to fix it


def doubts_of(calendars: list[Any], placed: list[tuple[int, Any]]) -> list[Doubt]:
    """Everything that is not understood of calendars, and of their events with their lines."""
    doubts = [doubt for calendar in calendars for doubt in _of_calendar(calendar)]
    doubts += [(line, problem, fix) for line, event in placed for problem, fix in _of_event(event)]
    return doubts + _too_many([event for _, event in placed]) + list(_same(placed))


def _of_calendar(calendar: Calendar) -> Iterator[Doubt]:
    for name, error in calendar.errors:
        yield 1, f"{name or 'a line'} cannot be read: {said(error)}", ""
    if str(calendar.get("CALSCALE", "GREGORIAN")).upper() != "GREGORIAN":
        yield 1, "its CALSCALE is not GREGORIAN", ""
    named = calendar.get("X-WR-TIMEZONE")
    if named is not None and not _is_zone(str(named)):
        yield 1, f"its X-WR-TIMEZONE {named!s:.60} is not known", "write an IANA name"


def _of_event(event: Event) -> Iterator[tuple[str, str]]:
    """What cannot be understood in one event, and how to fix it."""
    named = name_of(event)
    for name, error in event.errors:
        yield f"{named}: {name or 'a line'} cannot be read: {said(error)}", ""
    if event.errors:
        return
    twice = [name for name in _ONCE if isinstance(event.get(name), list)]
    if twice:
        yield f"{named}: {', '.join(twice)} more than once", ""
        return
    if "EXRULE" in event:
        yield f"{named}: EXRULE is not understood", "list the days in EXDATE"
    if "DTSTART" not in event:
        yield f"{named} has no DTSTART", ""
        return
    dated = [doubt for name, value in _dates_of(event) for doubt in _of_date(named, name, value)]
    if dated:
        yield from dated
        return
    if "RECURRENCE-ID" in event and "UID" not in event:
        yield f"{named} has a RECURRENCE-ID and no UID", ""
    yield from _of_length(event, named)
    if "RRULE" in event:
        yield from (
            (f"{named}: RRULE: {problem}", fix) for problem, fix in _of_rule(event["RRULE"])
        )


def _dates_of(event: Event) -> Iterator[tuple[str, Any]]:
    for name in _DATED:
        values = event.get(name)
        for value in values if isinstance(values, list) else [values] if values else []:
            yield name, value


def _of_date(named: str, name: str, value: Any) -> Iterator[tuple[str, str]]:
    zone = value.params.get("TZID")
    stated = [dt.dt for dt in value.dts] if hasattr(value, "dts") else [value.dt]
    for moment in (part for dt in stated for part in (dt if isinstance(dt, tuple) else (dt,))):
        if isinstance(moment, timedelta):  # the length of a period
            continue
        if not isinstance(moment, date):
            yield f"{named}: {name} is neither a day nor a moment", ""
        elif moment.year not in _YEARS:
            yield f"{named}: {name} lies in the year {moment.year}", ""
        elif zone and isinstance(moment, datetime) and moment.tzinfo is None:
            fix = "write an IANA name, or put its VTIMEZONE into the file"
            yield f"{named}: {name}: unknown time zone {zone!s:.60}", fix


def _of_length(event: Event, named: str) -> Iterator[tuple[str, str]]:
    start, end, length = (event.get(name) for name in ("DTSTART", "DTEND", "DURATION"))
    day = not isinstance(start.dt, datetime)
    if end is not None and length is not None:
        yield f"{named} has both DTEND and DURATION", ""
    elif end is None and length is None and not day:
        yield f"{named} has neither DTEND nor DURATION, so it would take no time", ""
    elif length is not None and not timedelta(0) < length.dt:
        yield f"{named}: its DURATION is not positive", ""
    elif end is not None and day is isinstance(end.dt, datetime):
        yield f"{named}: one of DTSTART and DTEND is a day, the other a moment", ""
    elif end is not None and not _after(end.dt, start.dt):
        fix = "the DTEND of whole days is the day after the last" if day else ""
        yield f"{named}: its DTEND is not after its DTSTART", fix


def _after(end: date, start: date) -> bool:
    if _floats(end) is not _floats(start):
        return False
    return end > start


def _floats(moment: date) -> bool:
    return isinstance(moment, datetime) and moment.tzinfo is None


def _of_rule(rule: Any) -> Iterator[tuple[str, str]]:
    unknown = sorted(set(rule) - _RULE)
    frequency = str(rule.get("FREQ", [""])[0])
    if unknown:
        yield f"{', '.join(unknown):.60} is not understood", ""
    if frequency not in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY"):
        yield f"FREQ={frequency:.20} is not understood", "DAILY, WEEKLY, MONTHLY or YEARLY"
    if prod(len(rule.get(name, [0])) for name in ("BYHOUR", "BYMINUTE", "BYSECOND")) > _MOST_A_DAY:
        yield f"more than {_MOST_A_DAY} times a day", ""
    if any(int(value) < 1 for name in ("INTERVAL", "COUNT") for value in rule.get(name, [])):
        yield "INTERVAL and COUNT are at least 1", ""
    if "COUNT" in rule and "UNTIL" in rule:
        yield "both COUNT and UNTIL", "give one of them"
    if frequency == "DAILY" and "BYSETPOS" in rule:
        yield "BYSETPOS has no meaning with DAILY", "use WEEKLY, MONTHLY or YEARLY"
    if not _has_days(rule):
        yield "there is no such day", ""


def _has_days(rule: Any) -> bool:
    """Whether its days lie in its months: the search for a day that never comes takes long."""
    months = [int(month) for month in rule.get("BYMONTH", range(1, 13))]
    days = [abs(int(day)) for day in rule.get("BYMONTHDAY", [1])]
    lengths = [_LENGTHS[month - 1] for month in months if 0 < month <= len(_LENGTHS)]
    return any(0 < day <= length for length in lengths for day in days)


def _too_many(events: list[Any]) -> list[Doubt]:
    if len(events) > MOST_EVENTS:
        return [(1, f"has more than {MOST_EVENTS} events", "")]
    if sum("RRULE" in event for event in events) > MOST_RULES:
        return [(1, f"has more than {MOST_RULES} events that repeat", "")]
    return []


def _same(placed: list[tuple[int, Any]]) -> Iterator[Doubt]:
    """Events that share a UID, of which only one would count."""
    seen: Counter[tuple[str, str]] = Counter()
    for line, event in placed:
        if "UID" not in event:
            continue
        again = event.get("RECURRENCE-ID")
        key = str(event["UID"]), again.to_ical().decode() if hasattr(again, "to_ical") else ""
        seen[key] += 1
        if seen[key] == 2:
            problem = f"{name_of(event)}: another event has the same UID"
            yield line, problem + (" and RECURRENCE-ID" if key[1] else ""), "give each its own"


def name_of(event: Any) -> str:
    """An event by its summary and UID, as far as it has them."""
    uid, summary = text_of(event.get("UID")), text_of(event.get("SUMMARY"))
    shown = f"event {summary!r:.60}" if summary else "an event"
    return f"{shown} (UID {uid:.60})" if uid else shown


def text_of(value: Any) -> str:
    """A text property; the first, where it is stated more than once."""
    return str(value[0] if isinstance(value, list) else value) if value else ""


def said(error: object) -> str:
    """What an error says, in one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True
