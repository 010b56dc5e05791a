"""Days and nights in a plan's zone."""

from __future__ import annotations

from datetime import UTC, datetime, time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rollout import calendar
from pytest_rollout.calendar import NIGHT, Bucket, Bucketing, buckets, span_buckets, to_us
from pytest_rollout.calendar.buckets import MOST_BUCKETS
from pytest_rollout.model.windows import Hours

NEW_YORK = "America/New_York"
HOUR = 3_600_000_000


def us(text: str) -> int:
    return calendar.to_us(datetime.fromisoformat(text))


def found(kind: Bucketing, zone: str, since: str, until: str) -> list[tuple[str, float]]:
    """The names and lengths in hours of what lies between two moments."""
    some = buckets(kind, zone, None, us(since), us(until))
    return [(one.name, (one.end_us - one.start_us) / HOUR) for one in some]


@pytest.mark.parametrize(
    ("zone", "since", "until", "days"),
    [
        (
            NEW_YORK,
            "2026-03-07T00:00-05:00",
            "2026-03-10T00:00-04:00",
            [("2026-03-07", 24), ("2026-03-08", 23), ("2026-03-09", 24)],
        ),
        (NEW_YORK, "2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00", [("2026-11-01", 25)]),
        ("Europe/Berlin", "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00", [("2026-03-29", 23)]),
        ("Europe/Berlin", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", [("2026-10-25", 25)]),
        (  # its midnight is skipped: the day begins at one
            "America/Santiago",
            "2026-09-05T00:00-04:00",
            "2026-09-07T00:00-03:00",
            [("2026-09-05", 24), ("2026-09-06", 23)],
        ),
        ("Asia/Kolkata", "2026-03-08T00:00+05:30", "2026-03-09T00:00+05:30", [("2026-03-08", 24)]),
        (  # 2011-12-30 was left out
            "Pacific/Apia",
            "2011-12-29T00:00-10:00",
            "2012-01-01T00:00+14:00",
            [("2011-12-29", 24), ("2011-12-31", 24)],
        ),
    ],
)
def test_a_day_is_as_long_as_its_zone_has_it(
    zone: str, since: str, until: str, days: list[tuple[str, float]]
) -> None:
    assert found(Bucketing.DAY, zone, since, until) == days


def test_a_night_has_the_name_of_the_day_on_which_it_starts() -> None:
    nights = found(Bucketing.NIGHT, NEW_YORK, "2026-03-06T12:00-05:00", "2026-03-09T12:00-04:00")
    assert nights == [("2026-03-06", 8), ("2026-03-07", 7), ("2026-03-08", 8)]
    nights = found(Bucketing.NIGHT, NEW_YORK, "2026-10-31T12:00-04:00", "2026-11-01T12:00-05:00")
    assert nights == [("2026-10-31", 9)]


def test_only_what_is_over_and_was_seen_whole_counts() -> None:
    kind, zone = Bucketing.NIGHT, "UTC"
    assert found(kind, zone, "2026-07-01T22:00Z", "2026-07-02T06:00Z") == [("2026-07-01", 8)]
    assert found(kind, zone, "2026-07-01T22:00Z", "2026-07-02T05:59:59.999999Z") == []
    assert found(kind, zone, "2026-07-01T22:00:00.000001Z", "2026-07-02T06:00Z") == []
    assert found(kind, zone, "2026-07-02T06:00Z", "2026-07-01T00:00Z") == []


def test_a_plan_says_what_its_nights_are() -> None:
    around = us("2026-07-01T00:00Z"), us("2026-07-02T23:00Z")
    early = Hours(time(1), time(4))
    names = [one.name for one in buckets(Bucketing.NIGHT, "UTC", early, *around)]
    assert names == ["2026-07-01", "2026-07-02"]
    assert Hours(time(22), time(6)) == NIGHT


@given(
    st.sampled_from([NEW_YORK, "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe"]),
    st.integers(0, 365 * 24),
    st.integers(0, 40 * 24),
)
def test_days_leave_no_gap_and_nights_never_overlap(zone: str, start: int, length: int) -> None:
    since = us("2026-01-01T00:00Z") + start * HOUR
    days = buckets(Bucketing.DAY, zone, None, since, since + length * HOUR)
    nights = buckets(Bucketing.NIGHT, zone, None, since, since + length * HOUR)
    assert all(one.end_us == after.start_us for one, after in pairwise(days))
    assert all(one.end_us < after.start_us for one, after in pairwise(nights))
    assert len(days) >= length // 24 - 2
    assert all(inside(one, since, since + length * HOUR) for one in (*days, *nights))


def inside(one: Bucket, since: int, until: int) -> bool:
    return since <= one.start_us < one.end_us <= until


MINUTE = 60_000_000


def test_spans_lie_whole_between_two_instants_and_are_aligned_to_midnight() -> None:
    noon = to_us(datetime(2025, 11, 10, 12, tzinfo=UTC))
    found = span_buckets(5 * MINUTE, noon - 7 * MINUTE, noon + 9 * MINUTE)
    assert [one.name for one in found] == [
        "2025-11-10T11:55:00Z",
        "2025-11-10T12:00:00Z",
    ]
    assert [one.start_us for one in found] == [noon - 5 * MINUTE, noon]
    assert {one.end_us - one.start_us for one in found} == {5 * MINUTE}


def test_a_span_that_starts_or_ends_at_an_edge_is_whole() -> None:
    assert [one.start_us for one in span_buckets(MINUTE, 0, 2 * MINUTE)] == [0, MINUTE]
    assert [one.start_us for one in span_buckets(MINUTE, 1, 2 * MINUTE)] == [MINUTE]
    assert [one.start_us for one in span_buckets(MINUTE, 0, 2 * MINUTE - 1)] == [0]
    assert span_buckets(MINUTE, 5 * MINUTE, 0) == ()


def test_spans_before_the_epoch_are_aligned_too() -> None:
    assert [one.start_us for one in span_buckets(MINUTE, -90_000_000, 0)] == [-MINUTE]


@pytest.mark.parametrize("length", [0, -MINUTE, 7 * MINUTE, 2 * 86_400_000_000])
def test_a_length_that_does_not_divide_a_day(length: int) -> None:
    with pytest.raises(ValueError, match="do not divide a day evenly"):
        span_buckets(length, 0, 86_400_000_000)


def test_too_many_spans_are_refused_not_cut() -> None:
    assert len(span_buckets(1_000_000, 0, MOST_BUCKETS * 1_000_000)) == MOST_BUCKETS
    with pytest.raises(ValueError, match="more than 100000 buckets of 1s"):
        span_buckets(1_000_000, 0, (MOST_BUCKETS + 1) * 1_000_000)
