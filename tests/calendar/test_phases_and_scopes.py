"""Phase windows, instants and the edges of scopes, also where clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from pytest_rollout import calendar
from pytest_rollout.model.plan import Phase, Plan
from pytest_rollout.model.rule import Scope, ScopeKind
from pytest_rollout.model.windows import Hours

NEW_YORK = "America/New_York"
SPRING = date(2026, 3, 8)  # 02:00 EST becomes 03:00 EDT
AUTUMN = date(2026, 11, 1)  # 02:00 EDT becomes 01:00 EST


def plan(zone: str = NEW_YORK) -> Plan:
    return Plan("p", "P", zone, (), {})


def phase(
    day: date | None, since: time | None = None, until: time | None = None, last: date | None = None
) -> Phase:
    hours = Hours(since, until) if since is not None and until is not None else None
    return Phase("one", "One", ("one",), date=day, until=last, hours=hours)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_span_excludes_its_start_and_includes_the_instant_of_judging() -> None:
    scope = Scope(ScopeKind.SPAN, 1, span_us=300)
    assert calendar.bounds(scope, 1000, None, "UTC") == (700, 1000)


def test_since_begin_includes_what_was_seen_at_the_begin() -> None:
    assert calendar.bounds(Scope(ScopeKind.SINCE, 1), 1000, 400, "UTC") == (399, 1000)


def test_since_begin_of_a_phase_that_was_not_begun_is_an_empty_window() -> None:
    start, end = calendar.bounds(Scope(ScopeKind.SINCE, 1), 1000, None, "UTC")
    assert start == end == 1000


@pytest.mark.parametrize("kind", [ScopeKind.RUN, ScopeKind.LAST])
def test_scopes_without_edges_are_open(kind: ScopeKind) -> None:
    assert calendar.bounds(Scope(kind, 1, last=3), 1000, 400, "UTC") == (None, None)


@pytest.mark.parametrize(
    ("day", "since", "until", "start", "end"),
    [
        (SPRING, time(1), time(4), "2026-03-08T06:00", "2026-03-08T08:00"),  # two hours long
        (AUTUMN, time(0), time(3), "2026-11-01T04:00", "2026-11-01T08:00"),  # four hours long
        (date(2026, 3, 7), time(22), time(0), "2026-03-08T03:00", "2026-03-08T05:00"),
        (date(2026, 7, 1), time(9), time(11), "2026-07-01T13:00", "2026-07-01T15:00"),
        (date(2026, 7, 1), time(22), time(2), "2026-07-02T02:00", "2026-07-02T06:00"),
        (date(2026, 10, 31), time(22), time(2), "2026-11-01T02:00", "2026-11-01T07:00"),
    ],
)
def test_a_phase_window_follows_the_clocks_of_the_zone(
    day: date, since: time, until: time, start: str, end: str
) -> None:
    window = calendar.phase_window(plan(), phase(day, since, until))
    assert window == (local(start).replace(tzinfo=UTC), local(end).replace(tzinfo=UTC))


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), (date(2026, 7, 1), 24)])
def test_a_whole_day_is_as_long_as_it_is_in_the_zone(day: date, hours: int) -> None:
    window = calendar.phase_window(plan(), phase(day))
    assert window is not None
    assert (window[1] - window[0]).total_seconds() == hours * 3600


def test_a_phase_of_several_days_ends_on_the_last() -> None:
    one = phase(date(2026, 3, 7), time(9), time(17), last=date(2026, 3, 9))
    window = calendar.phase_window(plan(), one)
    assert window == (
        datetime(2026, 3, 7, 14, tzinfo=UTC),
        datetime(2026, 3, 9, 21, tzinfo=UTC),
    )


def test_a_phase_without_date_has_no_window() -> None:
    assert calendar.phase_window(plan(), phase(None)) is None
    assert calendar.window_words(plan(), phase(None)) == "no date"


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (phase(AUTUMN), "Sun 2026-11-01"),
        (phase(AUTUMN, time(9), time(11)), "Sun 2026-11-01 09:00-11:00 EST"),
        (phase(AUTUMN, time(22), time(0)), "Sun 2026-11-01 22:00-00:00 EST"),
        (
            phase(date(2026, 10, 31), time(22), time(2)),
            "Sat 2026-10-31 22:00 to Sun 2026-11-01 02:00 EST",
        ),
        (phase(SPRING, last=date(2026, 3, 10)), "Sun 2026-03-08 to Tue 2026-03-10"),
        (
            phase(date(2026, 3, 7), time(9), time(17), last=SPRING),
            "Sat 2026-03-07 09:00 to Sun 2026-03-08 17:00 EDT",
        ),
    ],
)
def test_a_window_is_said_in_wall_clock_time(one: Phase, words: str) -> None:
    assert calendar.window_words(plan(), one) == words


def test_instants_are_whole_microseconds_and_come_back() -> None:
    moment = datetime(2026, 7, 1, 9, 0, 0, 1, tzinfo=UTC)
    assert calendar.from_us(calendar.to_us(moment)) == moment
    assert calendar.to_us(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1
    assert calendar.stamp(calendar.to_us(moment)) == "2026-07-01T09:00:00.000001Z"


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no zone"):
        calendar.to_us(datetime(2026, 7, 1))


@pytest.mark.parametrize(
    ("moment", "words"),
    [("2026-11-01T05:30:00+00:00", "01:30:00 EDT"), ("2026-11-01T06:30:00+00:00", "01:30:00 EST")],
)
def test_the_two_hours_of_one_name_are_told_apart(moment: str, words: str) -> None:
    assert calendar.wall(calendar.to_us(local(moment)), NEW_YORK) == f"2026-11-01 {words}"
