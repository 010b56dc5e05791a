"""Instants, and what the clocks of a zone read at them.

Instants are integers, microseconds since the epoch.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)
_US = timedelta(microseconds=1)
MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US


def to_us(moment: datetime) -> int:
    """An aware moment as microseconds since the epoch; raises ValueError without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no zone")
    return (moment - _EPOCH) // _US


def from_us(microseconds: int) -> datetime:
    """The UTC moment of an instant."""
    return _EPOCH + timedelta(microseconds=microseconds)


def stamp(microseconds: int) -> str:
    """An instant as RFC 3339 text in UTC."""
    return from_us(microseconds).isoformat(timespec="microseconds").replace("+00:00", "Z")


def wall(microseconds: int, zone: str) -> str:
    """An instant as people of a zone read it: ``2025-11-10 09:07:15 EST``."""
    local = from_us(microseconds).astimezone(ZoneInfo(zone))
    return f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()}"


def end_of_day(day: date, zone: str) -> int:
    """The instant at which a day of a zone is over: the midnight after it."""
    return resolved(ZoneInfo(zone), datetime.combine(day + timedelta(days=1), time(0, 0)))


def day_and_time(moment: datetime, zone: str) -> str:
    """A moment as people say it: ``Monday 2025-11-10 09:00 EST``."""
    local = moment.astimezone(ZoneInfo(zone))
    clock = "%H:%M:%S" if local.second else "%H:%M"
    return f"{local:%A %Y-%m-%d} {local:{clock}} {local.tzname()}"


def length_words(microseconds: int) -> str:
    """A length of time in its two largest units: ``2 days 3 h``, ``6 h 30 min``."""
    days, rest = divmod(microseconds, DAY_US)
    hours, rest = divmod(rest, HOUR_US)
    minutes = rest // MINUTE_US
    counted = ((days, "day" if days == 1 else "days"), (hours, "h"), (minutes, "min"))
    first = next((place for place, (count, _) in enumerate(counted) if count), None)
    if first is None:
        return "less than a minute"
    return " ".join(f"{count} {unit}" for count, unit in counted[first : first + 2] if count)


def offset_us(zone: ZoneInfo, instant: int) -> int:
    """What a zone's clocks are ahead of UTC at an instant."""
    local = from_us(instant).astimezone(zone)
    return _whole(local.utcoffset())


def readings(zone: ZoneInfo, clock: datetime) -> tuple[int, int]:
    """The first and the last instant that a reading of the clock may mean.

    They differ where clocks are changed: a reading that comes twice means both instants, and
    one that is skipped is counted from before the change and from after it.
    """
    either = [
        (clock - _NAIVE_EPOCH) // _US - _whole(clock.replace(tzinfo=zone, fold=fold).utcoffset())
        for fold in (0, 1)
    ]
    return min(either), max(either)


def resolved(zone: ZoneInfo, clock: datetime) -> int:
    """The instant of a reading: the first one of two; one that is skipped, as if it were not."""
    return to_us(clock.replace(tzinfo=zone, fold=0))


def reading_us(clock: datetime) -> int:
    """A reading of the clock on the scale of instants, for adding offsets."""
    return (clock - _NAIVE_EPOCH) // _US


def _whole(offset: timedelta | None) -> int:
    assert offset is not None  # a ZoneInfo always has one
    return offset // _US
