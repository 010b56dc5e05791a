"""Shared calendars: every event is understood, or an offence with its place."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_rollout.calendar import to_us, wall
from pytest_rollout.model.windows import CalendarUse, Occurrence, Risk
from pytest_rollout.plan import calendars
from pytest_rollout.plan.calendar_events import read_events
from pytest_rollout.plan.load import Loaded, load, parse
from pytest_rollout.plan.tree import MAX_BYTES

NEW_YORK = "America/New_York"
KNOWN = (to_us(datetime(2025, 1, 1, tzinfo=UTC)), to_us(datetime(2027, 1, 1, tzinfo=UTC)))
HEAD = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\n"
FOOT = "END:VCALENDAR\n"


def event(*lines: str, uid: str = "a") -> str:
    return "\n".join(["BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT", ""])


def calendar(*events: str) -> str:
    return HEAD + "".join(events) + FOOT


def read(
    text: str, use: CalendarUse = CalendarUse.FREEZE, zone: str = NEW_YORK
) -> list[Occurrence]:
    found, doubts = read_events(text, use, zone, KNOWN)
    assert not doubts
    return found


def doubts(text: str) -> list[tuple[int, str]]:
    found, doubts = read_events(text, CalendarUse.FREEZE, NEW_YORK, KNOWN)
    assert not found
    return [(line, what) for line, what, _ in doubts]


def spans(
    text: str, use: CalendarUse = CalendarUse.FREEZE, zone: str = NEW_YORK
) -> list[tuple[str, str]]:
    return [(wall(one.since_us, zone), wall(one.until_us, zone)) for one in read(text, use, zone)]


@pytest.mark.parametrize(
    ("lines", "since", "until"),
    [
        (
            ["DTSTART:20251110T150000Z", "DTEND:20251110T160000Z"],
            "2025-11-10 10:00:00 EST",
            "2025-11-10 11:00:00 EST",
        ),
        (
            ["DTSTART;TZID=Europe/Berlin:20251110T160000", "DURATION:PT1H30M"],
            "2025-11-10 10:00:00 EST",
            "2025-11-10 11:30:00 EST",
        ),
        (  # no zone: that of the plan
            ["DTSTART:20251110T100000", "DTEND:20251110T110000"],
            "2025-11-10 10:00:00 EST",
            "2025-11-10 11:00:00 EST",
        ),
        (  # Windows' name of a zone
            [
                "DTSTART;TZID=Eastern Standard Time:20251110T100000",
                "DTEND;TZID=Eastern Standard Time:20251110T110000",
            ],
            "2025-11-10 10:00:00 EST",
            "2025-11-10 11:00:00 EST",
        ),
        (
            ["DTSTART;VALUE=DATE:20251224", "DTEND;VALUE=DATE:20251227"],
            "2025-12-24 00:00:00 EST",
            "2025-12-27 00:00:00 EST",
        ),
        (["DTSTART;VALUE=DATE:20251102"], "2025-11-02 00:00:00 EDT", "2025-11-03 00:00:00 EST"),
        (  # hours that are skipped still freeze
            [
                "DTSTART;TZID=America/New_York:20260308T021500",
                "DTEND;TZID=America/New_York:20260308T024500",
            ],
            "2026-03-08 01:15:00 EST",
            "2026-03-08 03:45:00 EDT",
        ),
        (  # hours that come twice are frozen twice
            [
                "DTSTART;TZID=America/New_York:20251102T011500",
                "DTEND;TZID=America/New_York:20251102T014500",
            ],
            "2025-11-02 01:15:00 EDT",
            "2025-11-02 01:45:00 EST",
        ),
    ],
)
def test_one_event(lines: list[str], since: str, until: str) -> None:
    assert spans(calendar(event(*lines))) == [(since, until)]


def test_an_event_over_the_whole_span_is_there() -> None:
    assert len(read(calendar(event("DTSTART:20200101T000000Z", "DTEND:20300101T000000Z")))) == 1


def test_a_whole_day_that_reaches_into_the_span_is_there() -> None:
    text = calendar(event("DTSTART;VALUE=DATE:20241231"))  # until ten o'clock of UTC
    assert len(read(text, zone="Pacific/Honolulu")) == 1
    text = calendar(event("DTSTART;VALUE=DATE:20270101"))  # from two o'clock of the day before
    assert len(read(text, zone="Pacific/Kiritimati")) == 1
    assert read(text, zone="Pacific/Honolulu") == []


def test_events_that_repeat_follow_the_clock_of_their_zone() -> None:
    text = calendar(
        event(
            "DTSTART;TZID=Europe/Berlin:20251020T220000",
            "DTEND;TZID=Europe/Berlin:20251021T020000",
            "RRULE:FREQ=WEEKLY;COUNT=2",
        )
    )
    assert spans(text, zone="Europe/Berlin") == [
        ("2025-10-20 22:00:00 CEST", "2025-10-21 02:00:00 CEST"),
        ("2025-10-27 22:00:00 CET", "2025-10-28 02:00:00 CET"),
    ]


def test_exceptions_of_events_that_repeat() -> None:
    text = calendar(
        event(
            "DTSTART;TZID=America/New_York:20251110T100000",
            "DURATION:PT1H",
            "RRULE:FREQ=DAILY;COUNT=5",
            "EXDATE;TZID=America/New_York:20251111T100000",
            "SUMMARY:every day",
        ),
        event(
            "RECURRENCE-ID;TZID=America/New_York:20251112T100000",
            "DTSTART;TZID=America/New_York:20251112T150000",
            "DURATION:PT2H",
            "SUMMARY:moved",
        ),
        event(
            "RECURRENCE-ID;TZID=America/New_York:20251113T100000",
            "DTSTART;TZID=America/New_York:20251113T100000",
            "DURATION:PT1H",
            "STATUS:CANCELLED",
        ),
    )
    found = [(wall(one.since_us, NEW_YORK)[:16], one.why) for one in read(text)]
    assert found == [
        ("2025-11-10 10:00", "every day"),
        ("2025-11-12 15:00", "moved"),
        ("2025-11-14 10:00", "every day"),
    ]


def test_an_endless_rule_is_read_over_the_span_only() -> None:
    rule = event(
        "DTSTART;TZID=America/New_York:20200101T093000", "DURATION:PT15M", "RRULE:FREQ=WEEKLY"
    )
    found = read(calendar(rule))
    assert 104 <= len(found) <= 106
    assert KNOWN[0] < found[0].until_us
    assert found[-1].since_us < KNOWN[1]


def test_a_tentative_event_freezes_but_opens_nothing() -> None:
    text = calendar(event("DTSTART:20251110T150000Z", "DTEND:20251110T160000Z", "STATUS:TENTATIVE"))
    assert len(read(text, CalendarUse.FREEZE)) == 1
    assert read(text, CalendarUse.CHANGE) == []


def test_a_doubtful_hour_opens_nothing() -> None:
    text = calendar(
        event(
            "DTSTART;TZID=America/New_York:20251102T003000",
            "DTEND;TZID=America/New_York:20251102T013000",
        )
    )
    assert spans(text, CalendarUse.CHANGE) == [
        ("2025-11-02 00:30:00 EDT", "2025-11-02 01:30:00 EDT")
    ]
    assert spans(text, CalendarUse.FREEZE) == [
        ("2025-11-02 00:30:00 EDT", "2025-11-02 01:30:00 EST")
    ]


NOON = ("DTSTART:20251110T120000Z", "DTEND:20251110T130000Z")
START = "DTSTART;TZID=America/New_York:20251110T120000"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "is empty"),
        ("<html>\n", 1, "is no iCalendar"),
        (HEAD + "BEGIN:VEVENT\nUID:a\n", 6, "VEVENT does not end: the file is cut off"),
        (calendar(event(*NOON))[: -len(FOOT)], 9, "VCALENDAR does not end"),
        (calendar("END:VEVENT\n"), 4, "END:VEVENT ends nothing"),
        (calendar(event(*NOON).replace("BEGIN:", "BEGIN;X=1:")), 8, "END:VEVENT ends nothing"),
        (calendar("BEGIN;X=1:VEVENT\nEND;X=1:VEVENT\n"), 1, "0 events begin in it, 1 can be read"),
        (event(*NOON), 1, "BEGIN:VEVENT stands in the wrong place"),
        (calendar(event(event(*NOON), *NOON)), 6, "BEGIN:VEVENT stands in the wrong place"),
        (calendar("BEGIN:VFREEBUSY\nUID:b\nEND:VFREEBUSY\n"), 4, "VFREEBUSY is not understood"),
        (calendar(event("DTSTART:2025-11-10")), 4, "DTSTART cannot be read"),
        (calendar(event("DTEND:20251110T120000Z")), 4, "has no DTSTART"),
        (calendar(event("DTSTART:20251110T120000Z", "DTEND 1")), 4, "a line cannot be read"),
        (calendar(event("DTSTART:20251110T120000Z")), 4, "so it would take no time"),
        (calendar(event(*NOON, "DURATION:PT1H")), 4, "both DTEND and DURATION"),
        (calendar(event(START, "DURATION:-PT1H")), 4, "DURATION is not positive"),
        (calendar(event("DTSTART;VALUE=DATE:20251110", NOON[1])), 4, "is a day, the other"),
        (calendar(event(START, "DTEND:20251110T120000Z")), 4, "not after its DTSTART"),
        (calendar(event(START, "DTEND:20251110T200000")), 4, "not after its DTSTART"),
        (
            calendar(event("DTSTART;VALUE=DATE:20251110", "DTEND;VALUE=DATE:20251110")),
            4,
            "not after its DTSTART",
        ),
        (
            calendar(event("DTSTART;TZID=Nowhere/X:20251110T120000", "DURATION:PT1H")),
            4,
            "DTSTART: unknown time zone Nowhere/X",
        ),
        (
            calendar(event(*NOON, "RRULE:FREQ=DAILY", "EXDATE;TZID=Foo:20251111T120000")),
            4,
            "EXDATE: unknown time zone Foo",
        ),
        (calendar(event(*NOON, "RRULE:FREQ=DAILY", "EXDATE:soon")), 4, "EXDATE cannot be read"),
        (calendar(event("DTSTART:19601110T120000Z", "DURATION:PT1H")), 4, "in the year 1960"),
        (calendar(event(*NOON, NOON[0])), 4, "DTSTART more than once"),
        (calendar(event(*NOON, "EXRULE:FREQ=WEEKLY")), 4, "EXRULE is not understood"),
        (calendar(event(*NOON, "RRULE:FREQ=SOMETIMES")), 4, "RRULE cannot be read"),
        (calendar(event(*NOON, "RRULE:FREQ=SECONDLY")), 4, "FREQ=SECONDLY is not understood"),
        (calendar(event(*NOON, "RRULE:FREQ=DAILY;INTERVAL=0")), 4, "at least 1"),
        (calendar(event(*NOON, "RRULE:FREQ=DAILY;COUNT=3;UNTIL=20251212T000000Z")), 4, "both"),
        (calendar(event(*NOON, "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")), 4, "no such day"),
        (calendar(event(*NOON, "RRULE:FREQ=DAILY;BYMONTH=13")), 4, "no such day"),
        (
            calendar(event(*NOON, "RRULE:FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=1,2,3")),
            4,
            "more than 8 times a day",
        ),
        (calendar(event(*NOON), event(*NOON, "SUMMARY:other")), 9, "has the same UID"),
        (calendar("CALSCALE:JULIAN\n", event(*NOON)), 1, "not GREGORIAN"),
        (calendar("X-WR-TIMEZONE:Nowhere\n", event(*NOON)), 1, "X-WR-TIMEZONE Nowhere"),
    ],
)
def test_what_is_not_understood_is_an_offence(text: str, line: int, said: str) -> None:
    (found,) = doubts(text)
    assert found[0] == line
    assert said in found[1]


def test_an_offence_names_the_event() -> None:
    ((_, what),) = doubts(calendar(event("SUMMARY:year end", "DTSTART:20251110T120000Z", uid="u1")))
    assert what.startswith("event 'year end' (UID u1) has neither")


LINES = calendar(event(*NOON), event("DTSTART;VALUE=DATE:20251224", uid="b")).splitlines()
MORE = [*LINES, "", " x", "RRULE:X", "BEGIN:VTIMEZONE", "END:VTIMEZONE", "BEGIN:VALARM"]
PLACES = st.integers(0, len(LINES) - 1)
EDITS = st.lists(st.tuples(PLACES, PLACES, st.none() | st.sampled_from(MORE)), max_size=3)


@settings(deadline=None)
@given(EDITS)
def test_a_calendar_with_lines_out_of_place_loses_no_event_in_silence(
    edits: list[tuple[int, int, str | None]],
) -> None:
    lines = list(LINES)
    for here, there, line in edits:
        if line is None:
            lines[here], lines[there] = lines[there], lines[here]
        elif here < there:
            lines.insert(here, line)
        else:
            lines[here] = line
    found, doubts = read_events("\n".join(lines), CalendarUse.FREEZE, NEW_YORK, KNOWN)
    assert doubts or len(found) == lines.count("BEGIN:VEVENT")


def test_too_many_occurrences_are_an_offence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_rollout.plan.calendar_events.MOST_OCCURRENCES", 10)
    ((_, what),) = doubts(calendar(event(*NOON, "RRULE:FREQ=DAILY")))
    assert what == "more than 10 occurrences"


PLAN = "plan: x\ntimezone: America/New_York\nphases: [{id: a, date: 2029-05-05}]\n"


def project(folder: Path, entry: str, text: str | None = None) -> Loaded:
    if text is not None:
        (folder / "ops.ics").write_text(text)
    path = folder / "rollout.yaml"
    path.write_text(f"{PLAN}calendars: [{entry}]\n")
    return load(path, "s/x/rollout.yaml")


def test_a_plan_includes_a_calendar(tmp_path: Path) -> None:
    text = calendar(event("DTSTART:20290501T120000Z", "DURATION:PT1H", "SUMMARY:stop"))
    found = project(tmp_path, "{file: ops.ics, as: freeze, risk: low}", text)
    assert not found.problems
    assert found.plan
    (one,) = found.plan.calendars
    assert (one.file, one.use, one.risk) == ("ops.ics", CalendarUse.FREEZE, Risk.LOW)
    assert [occurrence.why for occurrence in one.occurrences] == ["stop"]
    assert one.digest == hashlib.sha256(text.encode()).hexdigest()


def test_whole_days_lie_in_the_zone_that_the_plan_gives_the_calendar(tmp_path: Path) -> None:
    text = calendar(event("DTSTART;VALUE=DATE:20290501"))
    found = project(tmp_path, "{file: ops.ics, as: freeze, zone: Europe/Berlin}", text)
    assert found.plan
    (occurrence,) = found.plan.calendars[0].occurrences
    assert wall(occurrence.since_us, "Europe/Berlin") == "2029-05-01 00:00:00 CEST"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{file: none.ics, as: freeze}", "none.ics cannot be read: No such file"),
        ("{file: ops.ics}", "does not say what its events are (as: freeze)"),
        ("{as: freeze}", "has no `file`"),
        ("{file: ops.ics, as: holiday}", "unknown as `holiday`"),
        ("{url: 'https://example.org/ops.ics', as: freeze}", "fetch it first"),
        ("ops.ics", "is not a mapping"),
        ("{file: ops.ics, as: freeze, zone: Mars}", "unknown timezone `Mars`"),
        ('{file: "a\\0b", as: freeze}', "cannot be read"),
    ],
)
def test_an_entry_that_cannot_be_read(tmp_path: Path, entry: str, said: str) -> None:
    found = project(tmp_path, entry, calendar())
    assert [one for one in found.problems if said in str(one)], found.problems


def test_an_offence_stands_at_its_line_of_the_calendar(tmp_path: Path) -> None:
    found = project(tmp_path, "{file: ops.ics, as: freeze}", calendar(event("DTSTART:never")))
    (problem,) = found.problems
    assert str(problem).startswith("s/x/ops.ics:4: an event (UID a): DTSTART cannot be read")


def test_a_calendar_that_is_too_large_or_no_text(tmp_path: Path) -> None:
    (tmp_path / "ops.ics").write_bytes(b"\xff\xfe")
    assert "is not text in UTF-8" in str(project(tmp_path, "{file: ops.ics, as: freeze}").problems)
    (tmp_path / "ops.ics").write_bytes(b"x" * (MAX_BYTES + 1))
    assert "is larger than" in str(project(tmp_path, "{file: ops.ics, as: freeze}").problems)


def test_without_the_libraries_a_calendar_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calendars, "missing", lambda *names: names[0])
    (problem,) = project(tmp_path, "{file: ops.ics, as: freeze}", calendar()).problems
    assert "pip install 'pytest-rollout[calendars]'" in str(problem)


def test_a_stored_plan_is_read_without_its_calendars() -> None:
    text = f"{PLAN}calendars: [{{file: gone.ics, as: freeze}}]\n"
    found = parse(text, Path("nowhere/rollout.yaml"), "x", calendars=False)
    assert not found.problems
    assert found.plan
    assert found.plan.calendars == ()
