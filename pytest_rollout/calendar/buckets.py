"""Days and nights in a plan's zone, as buckets for what is judged by the day or the night."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from pytest_rollout.calendar.instants import DAY_US, from_us, resolved
from pytest_rollout.calendar.windows import MIDNIGHT, ends_on
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.windows import Hours

NIGHT = Hours(time(22, 0), time(6, 0))


MOST_BUCKETS = 100_000  # 69 days of minutes, 27 hours of seconds


class Bucketing(StrEnum):
    """What time is divided into."""

    DAY = "day"
    NIGHT = "night"


@dataclass(frozen=True, slots=True)
class Bucket:
    """One day, night or span; the end is excluded."""

    start_us: int
    end_us: int
    name: str  # the day on which it starts, as 2025-11-10; of a span 2025-11-10T14:05:00Z


def buckets(
    kind: Bucketing, zone: str, hours: Hours | None, from_us_: int, to_us_: int
) -> tuple[Bucket, ...]:
    """The days or nights that lie whole in a span, and so are over at its end, in their order.

    A day is from midnight to midnight, a night has its hours (22:00 to 06:00 unless told) and
    the name of the day on which it starts. In the zone, so a day has 23, 24 or 25 hours.
    """
    clocks = ZoneInfo(zone)
    day = from_us(from_us_).astimezone(clocks).date() - timedelta(days=1)
    last = from_us(to_us_).astimezone(clocks).date()
    whole = []
    while day <= last:
        bucket = _bucket(kind, clocks, hours, day)
        if from_us_ <= bucket.start_us < bucket.end_us <= to_us_:
            whole.append(bucket)
        day += timedelta(days=1)
    return tuple(whole)


def newest(
    kind: Bucketing, zone: str, hours: Hours | None, count: int, at_us: int
) -> tuple[Bucket, ...]:
    """The newest days or nights that are over at an instant, in their order."""
    clocks = ZoneInfo(zone)
    day = from_us(at_us).astimezone(clocks).date()
    over: list[Bucket] = []
    while len(over) < count:
        bucket = _bucket(kind, clocks, hours, day)
        if bucket.end_us <= at_us:
            over.append(bucket)
        day -= timedelta(days=1)
    return tuple(reversed(over))


def closed_since(
    kind: Bucketing, zone: str, hours: Hours | None, since_us: int, at_us: int
) -> tuple[Bucket, ...]:
    """The days or nights that were not over at one instant and are at another, in their order."""
    day = from_us(since_us).astimezone(ZoneInfo(zone)).date() - timedelta(days=2)
    first = _bucket(kind, ZoneInfo(zone), hours, day).start_us
    return tuple(
        bucket for bucket in buckets(kind, zone, hours, first, at_us) if bucket.end_us > since_us
    )


def span_buckets(length_us: int, from_us_: int, to_us_: int) -> tuple[Bucket, ...]:
    """Return the buckets of one length that lie whole in a span, in their order.

    They are aligned to midnight in UTC. As of days and nights, the first may start where the
    span does, and the last is over at its end. All in microseconds. Raises ValueError where the
    length does not divide a day, and where there are more than ``MOST_BUCKETS``: to leave some
    out would be to forget what was seen in them.
    """
    if length_us <= 0 or DAY_US % length_us:
        raise ValueError(f"{length_us} microseconds do not divide a day evenly")
    first, last = -(-from_us_ // length_us), to_us_ // length_us
    if last - first > MOST_BUCKETS:
        raise ValueError(f"more than {MOST_BUCKETS} buckets of {length_us / 1_000_000:g}s")
    starts = range(first * length_us, last * length_us, length_us)
    return tuple(Bucket(start, start + length_us, _named(start)) for start in starts)


def _named(start_us: int) -> str:
    return from_us(start_us).isoformat().replace("+00:00", "Z")


def _bucket(kind: Bucketing, clocks: ZoneInfo, hours: Hours | None, day: date) -> Bucket:
    edges = Hours(MIDNIGHT, MIDNIGHT) if kind is Bucketing.DAY else hours or NIGHT
    start = resolved(clocks, datetime.combine(day, edges.since))
    end_day = ends_on(day, edges.since, edges.until)
    end = resolved(clocks, datetime.combine(end_day, edges.until))
    return Bucket(start, end, day.isoformat())
