"""Changes of schedules: the five fields of cron, and the calendar expressions of systemd."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_rollout.mutants.edits import Edit

_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))  # minute, hour, day, month, weekday
_NAMES = "(?i:sun|mon|tue|wed|thu|fri|sat|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_FIELD = rf"(?:\*|\d{{1,2}}|{_NAMES})(?:-(?:\d{{1,2}}|{_NAMES}))?(?:/\d{{1,2}})?"
_FIELDS = rf"{_FIELD}(?:,{_FIELD})*"
CRON = re.compile(r"[ \t]+".join([f"({_FIELDS})"] * 5))
_OFTEN = {
    **{"minutely": "hourly", "hourly": "daily", "daily": "weekly", "midnight": "weekly"},
    **{"weekly": "monthly", "monthly": "weekly", "quarterly": "yearly", "semiannually": "yearly"},
    **{"yearly": "monthly", "annually": "monthly", "reboot": "daily"},
}
WORD = re.compile(rf"@({'|'.join(_OFTEN)})")
_CALENDAR = re.compile(
    r"(?P<days>[A-Z][a-z]{2}[\w.,]*[ \t]+)?"
    r"(?P<date>[\d*/,.~]+-[\d*/,.~]+(?:-[\d*/,.~]+)?[ \t]+)?"
    r"(?P<hour>[\d*/,.]+):(?P<minute>[\d*/,.]+)(?P<second>:[\d*/,.]+)?"
    r"(?P<zone>[ \t]+[A-Za-z][\w/+-]*)?"
)


def is_schedule(text: str) -> bool:
    """Return whether a text is a line of cron or a calendar expression with a date."""
    return any(True for _ in of_text(text))


def of_text(text: str) -> Iterator[Edit]:
    """Yield the changes of a text that is a schedule as a whole; none where it is something else.

    Five numbers are not taken for cron, nor one moment for a calendar expression.
    """
    if CRON.fullmatch(text) and "*" in text:
        yield from cron(text)
    elif WORD.fullmatch(text):
        yield Edit(1, len(text), _OFTEN[text[1:]], "cron")
    else:
        match = _CALENDAR.fullmatch(text)
        if match and (match["days"] or "*" in (match["date"] or "")):
            yield from calendar(text)


def cron(text: str) -> Iterator[Edit]:
    """Yield the changes of a text that begins with the fields of cron: each field by itself."""
    word = WORD.match(text)
    if word:
        yield Edit(1, word.end(), _OFTEN[word[1]], "cron")
    match = CRON.match(text)
    if match is None:
        return
    for place, (least, most) in enumerate(_RANGES, 1):
        start, end = match.span(place)
        field = match[place]
        if field == "*":
            yield Edit(start, end, str(max(least, 1)), "cron")
            continue
        if field.isdigit():
            following = int(field) + 1
            yield Edit(start, end, str(following if following <= most else least), "cron")
        step = re.search(r"/(\d+)$", field)
        if step:
            yield Edit(start + step.start(1), end, str(int(step[1]) * 2), "cron")
        yield Edit(start, end, "*", "cron")


def calendar(text: str) -> Iterator[Edit]:
    """Yield the changes of a calendar expression: its hour, minute, days and zone."""
    bare = text.strip()
    if bare in _OFTEN:
        start = text.find(bare)
        yield Edit(start, start + len(bare), _OFTEN[bare], "calendar")
    match = _CALENDAR.fullmatch(text)
    if match is None:
        return
    for name, most in (("hour", 24), ("minute", 60)):
        if match[name].isdigit():
            replacement = f"{(int(match[name]) + 1) % most:02}"
            yield Edit(*match.span(name), replacement, "calendar")
    if match["hour"].isdigit():
        yield Edit(*match.span("hour"), "*", "calendar")
    if match["days"]:
        yield Edit(*match.span("days"), "", "calendar")
    else:
        yield Edit(match.start(), match.start(), "Mon ", "calendar")
    if match["date"] and re.search(r"-\*\s*$", match["date"]):
        day = match.start("date") + match["date"].rindex("*")
        yield Edit(day, day + 1, "01", "calendar")
    if match["zone"]:
        yield Edit(*match.span("zone"), "", "time zone")
        zone = match["zone"].strip()
        replacement = "Asia/Tokyo" if zone == "UTC" else "UTC"
        yield Edit(match.end("zone") - len(zone), match.end("zone"), replacement, "time zone")
    else:
        yield Edit(match.end(), match.end(), " Asia/Tokyo", "time zone")
