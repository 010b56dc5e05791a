"""Whether a moment is open for a phase's changes, and when it is open next."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_rollout import calendar
from pytest_rollout.calendar.instants import length_words
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.plan import Phase, Plan
from pytest_rollout.model.windows import (
    CalendarUse,
    Hours,
    Occurrence,
    Risk,
    SharedCalendar,
    Window,
)

NEW_YORK = "America/New_York"
MON_TO_THU, MON_TO_FRI = frozenset(range(4)), frozenset(range(5))
NINE_TO_FOUR = Window(MON_TO_THU, Hours(time(9), time(16)))
WEEKEND = Window(frozenset({5, 6}), risk=Risk.LOW)
STAND_UP = Window(MON_TO_FRI, Hours(time(9, 30), time(9, 45)), why="daily stand-up")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def us(text: str) -> int:
    return calendar.to_us(moment(text))


def plan(**more: Any) -> Plan:
    stated: dict[str, Any] = {
        "change_windows": (NINE_TO_FOUR, WEEKEND),
        "freezes": (STAND_UP,),
        **more,
    }
    return Plan("p", "P", stated.pop("zone", NEW_YORK), (), {}, **stated)


def phase(risk: Risk | None = Risk.MEDIUM, day: str = "", hours: str = "") -> Phase:
    since, _, until = hours.partition("-")
    return Phase(
        "one",
        "One",
        ("one",),
        date=date.fromisoformat(day) if day else None,
        hours=Hours(time.fromisoformat(since), time.fromisoformat(until)) if hours else None,
        risk=risk,
    )


def shared(
    *occurrences: Occurrence, use: CalendarUse = CalendarUse.FREEZE, **more: Any
) -> SharedCalendar:
    known = (us("2025-01-01T00:00Z"), us("2028-01-01T00:00Z"))
    return SharedCalendar("ops.ics", "", use, known, occurrences, **more)


def event(since: str, until: str, why: str = "") -> Occurrence:
    return Occurrence(us(since), us(until), why)


@pytest.mark.parametrize(
    ("at", "frozen"),
    [
        ("2026-07-01T09:29:59.999999-04:00", False),
        ("2026-07-01T09:30:00-04:00", True),
        ("2026-07-01T09:44:59.999999-04:00", True),
        ("2026-07-01T09:45:00-04:00", False),
        ("2026-07-04T09:35:00-04:00", False),  # a Saturday
        ("2026-07-01T13:35:00+00:00", True),  # the same clock, said elsewhere
        ("2026-12-01T13:35:00+00:00", False),  # 08:35 in winter
        ("2026-12-01T14:35:00+00:00", True),
    ],
)
def test_a_freeze_has_exact_ends_in_the_zone_of_the_plan(at: str, frozen: bool) -> None:
    found = calendar.frozen(plan(), moment(at))
    assert found == ("a freeze: daily stand-up" if frozen else None)


@pytest.mark.parametrize(
    ("at", "risk", "why"),
    [
        ("2026-07-01T10:00-04:00", Risk.HIGH, None),
        ("2026-07-01T10:00-04:00", None, None),
        ("2026-07-01T09:40-04:00", Risk.NONE, "is in a freeze: daily stand-up"),
        ("2026-07-01T16:00-04:00", Risk.LOW, "no change window admits a change of low risk at"),
        ("2026-07-03T10:00-04:00", Risk.NONE, "no change window admits"),  # a Friday
        ("2026-07-04T10:00-04:00", Risk.LOW, None),
        ("2026-07-04T10:00-04:00", Risk.MEDIUM, "no change window admits a change of medium"),
        ("2026-07-04T10:00-04:00", None, "no change window admits a change at"),
    ],
)
def test_why_a_moment_is_not_open(at: str, risk: Risk | None, why: str | None) -> None:
    found = calendar.shut(plan(), phase(risk), moment(at))
    assert (found is None) is (why is None)
    assert (why or "") in (found or "")


def test_a_freeze_up_to_some_risk_lets_smaller_changes_pass() -> None:
    fridays = Window(frozenset({4}), risk=Risk.LOW, why="nobody is there on Saturday")
    one = plan(change_windows=(), freezes=(fridays,))
    friday = moment("2026-07-03T10:00-04:00")
    assert calendar.shut(one, phase(Risk.LOW), friday) is None
    assert "nobody is there" in str(calendar.shut(one, phase(Risk.MEDIUM), friday))
    assert "nobody is there" in str(calendar.shut(one, phase(None), friday))


@pytest.mark.parametrize(
    ("one", "at", "words"),
    [
        (
            phase(),
            "2025-11-08T06:00-05:00",
            "opens Monday 2025-11-10 09:00 EST (in 2 days 3 h), for 30 min, "
            "then a freeze: daily stand-up",
        ),
        (
            phase(),
            "2025-11-10T09:40-05:00",
            "opens Monday 2025-11-10 09:45 EST (in 5 min), for 6 h 15 min, "
            "then its change window is over",
        ),
        (phase(), "2025-11-10T15:30-05:00", "open now, for 30 min, then its change window is over"),
        (
            phase(Risk.LOW),
            "2025-11-07T20:00-05:00",
            "opens Saturday 2025-11-08 00:00 EST (in 4 h), for 2 days, "
            "then its change window is over",
        ),
        (  # from daylight saving time into standard time
            phase(),
            "2026-11-01T00:00-04:00",
            "opens Monday 2026-11-02 09:00 EST (in 1 day 10 h), for 30 min, "
            "then a freeze: daily stand-up",
        ),
        (
            phase(day="2025-11-10", hours="09:00-11:00"),
            "2025-11-10T10:00-05:00",
            "open now, for 1 h, then its window is over",
        ),
        (  # far beyond the horizon, but its date is known
            phase(day="2030-01-07", hours="10:00-11:00"),
            "2025-11-10T10:00-05:00",
            "opens Monday 2030-01-07 10:00 EST (in 1519 days), for 1 h, then its window is over",
        ),
        (phase(day="2025-11-10"), "2025-11-11T00:00-05:00", "its window is over"),
        (phase(day="2025-11-14"), "2025-11-10T00:00-05:00", "does not open in its window"),
        (phase(day="2025-11-10"), "2025-11-10T16:00-05:00", "does not open any more"),
    ],
)
def test_the_next_opening_in_words(one: Phase, at: str, words: str) -> None:
    assert calendar.opening_words(plan(), one, moment(at)) == words


def test_a_plan_without_windows_is_always_open() -> None:
    free = plan(change_windows=(), freezes=())
    at = moment("2025-11-10T10:00-05:00")
    assert calendar.next_opening(free, phase(), at) == calendar.Opening(at, None)
    assert calendar.opening_words(free, phase(), at) == "open now, with no end in sight"


def test_a_plan_that_never_opens_says_how_far_it_was_looked() -> None:
    at = moment("2025-11-10T10:00-05:00")
    assert calendar.next_opening(plan(change_windows=(WEEKEND,)), phase(), at) is None
    words = calendar.opening_words(plan(change_windows=(WEEKEND,)), phase(), at)
    assert words == "does not open within 400 days"


def test_a_freeze_of_weeks_is_looked_past() -> None:
    freeze = Window(first=date(2025, 12, 15), last=date(2026, 1, 4), why="year end")
    found = calendar.next_opening(
        plan(freezes=(freeze,)), phase(), moment("2025-12-12T00:00-05:00")
    )
    assert found is not None
    assert found.since == moment("2026-01-05T09:00-05:00")


def test_a_dated_window_is_an_exception_for_one_day() -> None:
    tuning = Window(
        hours=Hours(time(11), time(12, 30)), first=date(2025, 11, 14), last=date(2025, 11, 14)
    )
    one = phase(Risk.LOW, "2025-11-14", "11:00-12:30")
    assert calendar.never_opens(plan(), one)
    assert not calendar.never_opens(plan(change_windows=(NINE_TO_FOUR, tuning)), one)
    assert not calendar.never_opens(plan(), phase(Risk.LOW))


def test_events_of_a_shared_calendar_freeze() -> None:
    outage = event("2025-11-10T10:00-05:00", "2025-11-10T12:00-05:00", "bank test")
    one = plan(calendars=(shared(outage),))
    assert calendar.frozen(one, moment("2025-11-10T10:00-05:00")) == "a freeze: bank test"
    assert calendar.frozen(one, moment("2025-11-10T12:00-05:00")) is None
    words = calendar.opening_words(one, phase(), moment("2025-11-10T11:00-05:00"))
    assert words.startswith("opens Monday 2025-11-10 12:00 EST (in 1 h), for 4 h, then")
    low = plan(calendars=(shared(outage, risk=Risk.LOW),))
    assert calendar.shut(low, phase(Risk.LOW), moment("2025-11-10T11:00-05:00")) is None
    assert calendar.shut(low, phase(), moment("2025-11-10T11:00-05:00"))


def test_events_of_a_shared_calendar_open() -> None:
    night = event("2025-11-14T22:00-05:00", "2025-11-15T02:00-05:00")
    alone = plan(change_windows=(), calendars=(shared(night, use=CalendarUse.CHANGE),))
    at = moment("2025-11-14T12:00-05:00")
    assert "no change window" in str(calendar.shut(alone, phase(), at))
    found = calendar.next_opening(alone, phase(), at)
    assert found is not None
    assert (found.since, found.until) == (from_us(night.since_us), from_us(night.until_us))
    low = plan(change_windows=(), calendars=(shared(night, use=CalendarUse.CHANGE, risk=Risk.LOW),))
    assert calendar.next_opening(low, phase(), at) is None


def from_us(instant: int) -> datetime:
    return calendar.from_us(instant)


def test_where_a_shared_calendar_was_not_read_nothing_is_said_to_be_free() -> None:
    one = plan(calendars=(shared(),))
    with pytest.raises(RolloutError, match=r"ops\.ics was read from .* not for 2031-01-01"):
        calendar.frozen(one, moment("2031-01-01T12:00Z"))
    with pytest.raises(RolloutError, match=r"not for 2024-12-30"):
        calendar.shut(one, phase(), moment("2024-12-30T12:00-05:00"))
    with pytest.raises(RolloutError, match=r"not for 2029-05-07"):
        calendar.never_opens(one, phase(day="2029-05-07"))


def test_an_opening_is_not_looked_for_beyond_what_was_read() -> None:
    freeze = event("2027-12-01T00:00Z", "2028-01-01T00:00Z")
    one = plan(calendars=(shared(freeze),))
    at = moment("2027-12-02T00:00Z")
    assert calendar.next_opening(one, phase(), at) is None


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(days=2, hours=3, minutes=59), "2 days 3 h"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=1, minutes=5), "1 day"),
        (timedelta(hours=6, minutes=30), "6 h 30 min"),
        (timedelta(minutes=5, seconds=59), "5 min"),
        (timedelta(seconds=59), "less than a minute"),
    ],
)
def test_lengths_in_words(length: timedelta, words: str) -> None:
    assert length_words(length // timedelta(microseconds=1)) == words


CLOCKS = st.sampled_from([time(0), time(1, 30), time(2, 15), time(3), time(9), time(22, 30)])
HOURS = st.builds(Hours, CLOCKS, CLOCKS).filter(lambda hours: hours.since != hours.until)
WINDOWS = st.builds(
    Window,
    days=st.frozensets(st.integers(0, 6), min_size=1, max_size=4),
    hours=st.none() | HOURS,
    risk=st.none() | st.sampled_from(Risk),
)
PLANS = st.builds(
    lambda change, freezes, zone: plan(
        change_windows=tuple(change), freezes=tuple(freezes), zone=zone
    ),
    st.lists(WINDOWS, max_size=3),
    st.lists(WINDOWS, max_size=3),
    st.sampled_from([NEW_YORK, "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"]),
)
MOMENTS = st.sampled_from(
    ["2026-03-08T07:00Z", "2026-11-01T06:00Z", "2026-03-29T01:00Z", "2026-10-25T01:00Z"]
).flatmap(
    lambda change: st.integers(-5000, 5000).map(
        lambda minutes: moment(change) + timedelta(minutes=minutes)
    )
)


@settings(deadline=None)
@given(PLANS, st.sampled_from(Risk), MOMENTS, st.floats(0, 1))
def test_the_next_opening_is_open_and_nothing_before_it_is(
    one: Plan, risk: Risk, at: datetime, part: float
) -> None:
    found = calendar.next_opening(one, phase(risk), at, horizon_days=30)
    end = found.since if found else at + timedelta(days=30)
    between = at + part * (end - at)
    if at <= between < end:
        assert calendar.shut(one, phase(risk), between)
    if found is None:
        return
    assert calendar.shut(one, phase(risk), found.since) is None
    assert found.since == at or calendar.shut(
        one, phase(risk), found.since - timedelta(microseconds=1)
    )
    if found.until is not None:
        assert calendar.shut(one, phase(risk), found.until)
        inside = found.since + part * (found.until - found.since)
        if inside < found.until:
            assert calendar.shut(one, phase(risk), inside) is None
