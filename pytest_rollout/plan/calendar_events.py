"""The events of an iCalendar text (RFC 5545), each understood or named as an offence.

An event that is dropped is a freeze that is lost.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pytest_rollout.calendar import from_us, to_us
from pytest_rollout.model.windows import CalendarUse, Occurrence
from pytest_rollout.plan.calendar_doubts import Doubt, doubts_of, name_of, said, text_of

MOST_OCCURRENCES = 20_000
_PASSED_OVER = ("VTIMEZONE", "VTODO", "VJOURNAL")  # no event is lost with them
_LINES = re.compile(r"\r?\n")


def read_events(
    text: str, use: CalendarUse, zone: str, known_us: tuple[int, int]
) -> tuple[list[Occurrence], list[Doubt]]:
    """What takes place in a span, and what of the text cannot be understood.

    ``zone`` is that of whole days and of times that name none.
    """
    lines, doubts = _outline(text)
    if doubts:
        return [], doubts
    import icalendar

    try:
        calendars: list[Any] = icalendar.Calendar.from_ical(text, multiple=True)
        events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
        if len(events) != len(lines):
            problem = f"{len(lines)} events begin in it, {len(events)} can be read"
            return [], [(1, problem, "")]
        placed = list(zip(lines, events, strict=True))
        doubts = doubts_of(calendars, placed)
    except Exception as error:  # a reader of foreign text raises what it likes
        return [], [(1, f"cannot be read: {said(error)}", "")]
    if doubts:
        return [], doubts
    return _expanded(calendars, placed, _Taking(use, ZoneInfo(zone), known_us))


def _outline(text: str) -> tuple[list[int], list[Doubt]]:
    """The lines where events begin; that every component ends, and is one that is known."""
    begins: list[int] = []
    inside: list[str] = []
    for line, content in enumerate(_LINES.split(text), 1):
        word, _, name = content.strip().upper().partition(":")
        if content[:1] in (" ", "\t") or word not in ("BEGIN", "END"):
            if content.strip() and not inside:
                problem = "is no iCalendar: it does not begin with BEGIN:VCALENDAR"
                return [], [(line, problem, "")]
        elif word == "BEGIN":
            depth = {"VCALENDAR": 0, "VEVENT": 1}.get(name, len(inside) or 1)
            if len(inside) != depth:
                return [], [(line, f"BEGIN:{name:.40} stands in the wrong place", "")]
            if len(inside) == 1 and name not in ("VEVENT", *_PASSED_OVER):
                fix = "only events are read; leave it out of the file"
                return [], [(line, f"{name:.40} is not understood", fix)]
            begins += [line] if name == "VEVENT" else []
            inside.append(name)
        elif not inside or inside.pop() != name:
            return [], [(line, f"END:{name:.40} ends nothing", "")]
    if inside:
        problem = f"{inside[-1]:.40} does not end: the file is cut off"
        return [], [(len(_LINES.split(text)), problem, "fetch it again")]
    if not text.strip():
        return [], [(1, "is empty", "a calendar without events still is a VCALENDAR")]
    return begins, []


class _Taking:
    """Which occurrences are taken, and as which instants."""

    def __init__(self, use: CalendarUse, zone: ZoneInfo, known_us: tuple[int, int]) -> None:
        self._use = use
        self._zone = zone
        self._known_us = known_us
        # what lies over an edge is asked with a margin, because of zones
        self.start = from_us(known_us[0]) - timedelta(days=2)
        self.end = from_us(known_us[1]) + timedelta(days=2)

    def occurrence(self, event: Any) -> Occurrence | None:
        """An occurrence as instants, where it counts and lies in the span."""
        status = str(event.get("STATUS", "CONFIRMED")).upper()
        if status == "CANCELLED" or (status == "TENTATIVE" and self._use is CalendarUse.CHANGE):
            return None
        since, until = self._instants(event["DTSTART"].dt), self._instants(event["DTEND"].dt)
        wide = self._use is CalendarUse.FREEZE
        span = (min(since), max(until)) if wide else (max(since), min(until))
        if span[1] <= self._known_us[0] or span[0] >= self._known_us[1] or span[0] >= span[1]:
            return None
        return Occurrence(*span, why=" ".join(text_of(event.get("SUMMARY")).split())[:200])

    def _instants(self, moment: date) -> tuple[int, int]:
        """Both instants that a reading of the clock may mean; mostly they are one."""
        local = moment if isinstance(moment, datetime) else datetime.combine(moment, time(0, 0))
        if local.tzinfo is None:
            local = local.replace(tzinfo=self._zone)
        return to_us(local.replace(fold=0)), to_us(local.replace(fold=1))


def _expanded(
    calendars: list[Any], placed: list[tuple[int, Any]], taking: _Taking
) -> tuple[list[Occurrence], list[Doubt]]:
    """Every occurrence, one series after the other."""
    import recurring_ical_events
    from icalendar import Calendar

    line_of = {id(event): line for line, event in placed}
    occurrences: list[Occurrence] = []
    for calendar in calendars:
        series: dict[str, list[Any]] = {}
        for number, event in enumerate(calendar.walk("VEVENT")):
            series.setdefault(str(event.get("UID", number)), []).append(event)
        for events in series.values():
            alone = Calendar(calendar)
            alone.subcomponents = list(events)
            line = line_of[id(events[0])]
            try:
                happening = recurring_ical_events.of(alone).between(taking.start, taking.end)
                taken = [
                    occurrence for event in happening if (occurrence := taking.occurrence(event))
                ]
            except Exception as error:  # see above
                return [], [(line, f"{name_of(events[0])} cannot be read: {said(error)}", "")]
            occurrences += taken
            if len(occurrences) > MOST_OCCURRENCES:
                return [], [(line, f"more than {MOST_OCCURRENCES} occurrences", "")]
    return sorted(
        occurrences,
        key=lambda occurrence: (occurrence.since_us, occurrence.until_us, occurrence.why),
    ), []
