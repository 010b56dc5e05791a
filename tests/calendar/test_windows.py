"""The instants of change windows and freezes, where clocks are changed and where not."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rollout.calendar import to_us
from pytest_rollout.calendar.intervals import Span
from pytest_rollout.calendar.windows import spans
from pytest_rollout.model.windows import Hours, Window

NEW_YORK = "America/New_York"
SUNDAY = frozenset({6})


def us(text: str) -> int:
    return to_us(datetime.fromisoformat(text))


def hours(text: str) -> Hours:
    since, until = (time.fromisoformat(part) for part in text.split("-"))
    return Hours(since, until)


def of_day(day: str, text: str, zone: str, *, wide: bool = False) -> list[str]:
    """The spans of a window of one day, as UTC clock times of that day or the ones beside it."""
    one = date.fromisoformat(day)
    window = Window(hours=hours(text), first=one, last=one)
    start = to_us(datetime.combine(one, time(0), UTC))
    around = (start - 3 * 86_400_000_000, start + 4 * 86_400_000_000)
    return [shown(span) for span in spans(window, zone, around, wide=wide)]


def shown(span: Span) -> str:
    start, end = (datetime.fromtimestamp(edge // 1_000_000, UTC) for edge in span)
    return f"{start:%d %H:%M}-{end:%H:%M}"


# New York: 2026-03-08 02:00 EST becomes 03:00 EDT; 2026-11-01 02:00 EDT becomes 01:00 EST.
# Berlin: 2026-03-29 02:00 CET becomes 03:00 CEST; 2026-10-25 03:00 CEST becomes 02:00 CET.
# Sydney: 2026-10-04 02:00 AEST becomes 03:00 AEDT; 2026-04-05 03:00 AEDT becomes 02:00 AEST.
# Lord Howe changes by half an hour: 2026-04-05 02:00 (+11) becomes 01:30 (+10:30).
@pytest.mark.parametrize(
    ("day", "text", "zone", "open_", "frozen"),
    [
        # hours that are skipped: not there for a change; a freeze of them is not lost
        ("2026-03-08", "02:00-04:00", NEW_YORK, ["08 07:00-08:00"], ["08 06:00-08:00"]),
        ("2026-03-08", "01:30-02:30", NEW_YORK, ["08 06:30-07:00"], ["08 06:30-07:30"]),
        ("2026-03-08", "02:15-02:45", NEW_YORK, [], ["08 06:15-07:45"]),
        ("2026-03-08", "01:00-04:00", NEW_YORK, ["08 06:00-08:00"], ["08 06:00-08:00"]),
        ("2026-03-29", "02:15-02:45", "Europe/Berlin", [], ["29 00:15-01:45"]),
        ("2026-03-29", "01:00-04:00", "Europe/Berlin", ["29 00:00-02:00"], ["29 00:00-02:00"]),
        ("2026-10-04", "02:15-02:45", "Australia/Sydney", [], ["03 15:15-16:45"]),
        # hours that come twice: open whenever the clock reads them; frozen also in between
        (
            "2026-11-01",
            "01:30-02:30",
            NEW_YORK,
            ["01 05:30-06:00", "01 06:30-07:30"],
            ["01 05:30-07:30"],
        ),
        (
            "2026-11-01",
            "00:30-01:30",
            NEW_YORK,
            ["01 04:30-05:30", "01 06:00-06:30"],
            ["01 04:30-06:30"],
        ),
        (
            "2026-11-01",
            "01:00-01:30",
            NEW_YORK,
            ["01 05:00-05:30", "01 06:00-06:30"],
            ["01 05:00-06:30"],
        ),
        ("2026-11-01", "00:00-03:00", NEW_YORK, ["01 04:00-08:00"], ["01 04:00-08:00"]),
        (
            "2026-10-25",
            "02:30-03:30",
            "Europe/Berlin",
            ["25 00:30-01:00", "25 01:30-02:30"],
            ["25 00:30-02:30"],
        ),
        (
            "2026-04-05",
            "02:30-03:30",
            "Australia/Sydney",
            ["04 15:30-16:00", "04 16:30-17:30"],
            ["04 15:30-17:30"],
        ),
        (
            "2026-04-05",
            "01:45-02:15",
            "Australia/Lord_Howe",
            ["04 14:45-15:00", "04 15:15-15:45"],
            ["04 14:45-15:45"],
        ),
        # over midnight, into the changed night: the day is the one on which it begins
        ("2026-10-31", "22:00-02:00", NEW_YORK, ["01 02:00-07:00"], ["01 02:00-07:00"]),
        ("2026-03-07", "22:00-03:00", NEW_YORK, ["08 03:00-07:00"], ["08 03:00-07:00"]),
        # nothing is changed there
        ("2026-03-08", "02:00-04:00", "Asia/Kolkata", ["07 20:30-22:30"], ["07 20:30-22:30"]),
        ("2026-11-01", "22:00-02:00", "Asia/Kolkata", ["01 16:30-20:30"], ["01 16:30-20:30"]),
        ("2026-07-01", "09:30-09:45", "UTC", ["01 09:30-09:45"], ["01 09:30-09:45"]),
        # a day that the zone left out
        ("2011-12-30", "09:00-16:00", "Pacific/Apia", [], ["29 19:00-02:00"]),
    ],
)
def test_hours_of_a_day(
    day: str, text: str, zone: str, open_: list[str], frozen: list[str]
) -> None:
    assert of_day(day, text, zone) == open_
    assert of_day(day, text, zone, wide=True) == frozen


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        (NEW_YORK, "2026-03-08", 23),
        (NEW_YORK, "2026-11-01", 25),
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("America/Santiago", "2026-09-06", 23),  # its midnight is skipped
        ("America/Santiago", "2026-04-04", 25),  # its last hour comes twice
        ("Asia/Kolkata", "2026-03-08", 24),
    ],
)
def test_a_whole_day_is_as_long_as_its_zone_has_it(zone: str, day: str, length: float) -> None:
    one = date.fromisoformat(day)
    middle = to_us(datetime.combine(one, time(12), UTC))
    around = (middle - 3 * 86_400_000_000, middle + 3 * 86_400_000_000)
    (span,) = spans(Window(first=one, last=one), zone, around, wide=False)
    assert (span[1] - span[0]) / 3_600_000_000 == length


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    window = Window(SUNDAY, hours("22:00-02:00"))
    week = (us("2026-07-01T00:00+00:00"), us("2026-07-08T00:00+00:00"))
    (span,) = spans(window, "UTC", week, wide=False)
    assert span == (us("2026-07-05T22:00+00:00"), us("2026-07-06T02:00+00:00"))


def test_what_began_before_the_span_reaches_into_it() -> None:
    window = Window(SUNDAY, hours("22:00-02:00"))
    night = (us("2026-07-06T01:00+00:00"), us("2026-07-06T01:30+00:00"))
    assert spans(window, "UTC", night, wide=False) == [night]


def test_a_zone_of_its_own() -> None:
    window = Window(hours=hours("09:00-10:00"), zone="Europe/Berlin")
    day = (us("2026-07-01T00:00+00:00"), us("2026-07-02T00:00+00:00"))
    (span,) = spans(window, NEW_YORK, day, wide=False)
    assert shown(span) == "01 07:00-08:00"


def test_some_days_between_two_dates() -> None:
    window = Window(SUNDAY, hours("09:00-10:00"), first=date(2026, 7, 5), last=date(2026, 7, 12))
    month = (us("2026-06-20T00:00+00:00"), us("2026-07-31T00:00+00:00"))
    assert [shown(span) for span in spans(window, "UTC", month, wide=False)] == [
        "05 09:00-10:00",
        "12 09:00-10:00",
    ]


def test_a_stretch_is_one_piece_and_doubt_about_its_edges_stands_against_a_change() -> None:
    stretch = (datetime(2026, 10, 30, 18), datetime(2026, 11, 1, 1, 30))
    around = (us("2026-10-01T00:00+00:00"), us("2026-12-01T00:00+00:00"))
    (shorter,) = spans(Window(stretch=stretch), NEW_YORK, around, wide=False)
    (longer,) = spans(Window(stretch=stretch), NEW_YORK, around, wide=True)
    assert shorter == (us("2026-10-30T18:00-04:00"), us("2026-11-01T01:30-04:00"))
    assert longer == (us("2026-10-30T18:00-04:00"), us("2026-11-01T01:30-05:00"))


ZONES = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"]
CLOCKS = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))
WINDOWS = st.builds(
    Window,
    days=st.frozensets(st.integers(0, 6), min_size=1),
    hours=st.none() | st.builds(Hours, CLOCKS, CLOCKS).filter(lambda h: h.since != h.until),
)
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(
    lambda moment: to_us(moment.replace(tzinfo=UTC))
)
CHANGES = ("2026-03-08T07:00Z", "2026-11-01T06:00Z", "2026-03-29T01:00Z", "2026-10-25T01:00Z")
NEAR_A_CHANGE = st.builds(
    lambda change, minutes: us(change) + minutes * 60_000_000,
    st.sampled_from(CHANGES),
    st.integers(-300, 300),
)


def reads(window: Window, zone: str, instant: int) -> bool:
    """Whether the clock on the wall reads a time of the window."""
    local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)).astimezone(
        ZoneInfo(zone)
    )
    if window.hours is None:
        return local.weekday() in window.days
    clock, hours = local.time(), window.hours
    today, yesterday = local.weekday() in window.days, (local.weekday() - 1) % 7 in window.days
    if hours.since < hours.until:
        return today and hours.since <= clock < hours.until
    return (today and clock >= hours.since) or (yesterday and clock < hours.until)


@given(WINDOWS, st.sampled_from(ZONES), INSTANTS | NEAR_A_CHANGE)
def test_a_change_window_is_open_exactly_when_the_clock_reads_it(
    window: Window, zone: str, instant: int
) -> None:
    inside = bool(spans(window, zone, (instant, instant + 1), wide=False))
    assert inside is reads(window, zone, instant)


@given(WINDOWS, st.sampled_from(ZONES), INSTANTS | NEAR_A_CHANGE)
def test_whatever_the_clock_reads_a_freeze_is_there(
    window: Window, zone: str, instant: int
) -> None:
    if reads(window, zone, instant):
        assert spans(window, zone, (instant, instant + 1), wide=True)


@given(WINDOWS, st.sampled_from(ZONES), INSTANTS | NEAR_A_CHANGE, st.integers(1, 20))
def test_a_span_is_read_the_same_in_parts(
    window: Window, zone: str, instant: int, days: int
) -> None:
    middle, end = instant + 7 * 3_600_000_000, instant + days * 86_400_000_000
    whole = spans(window, zone, (instant, end), wide=False)
    parts = [
        *spans(window, zone, (instant, middle), wide=False),
        *spans(window, zone, (middle, end), wide=False),
    ]
    assert sum(end - start for start, end in whole) == sum(end - start for start, end in parts)
