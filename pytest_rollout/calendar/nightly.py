"""Which night an instant belongs to, for what runs once a night and may run again."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from pytest_rollout.calendar.instants import DAY_US, from_us
from pytest_rollout.model.rule import Nightly, Per, PerUnit

_NOON = timedelta(hours=12)


def night_of(per: Per, zone: str, t_us: int) -> int:
    """Return the number of the night in which an instant lies; the next night has the next one.

    A night is from noon to noon in a zone, a day from midnight to midnight, and any other length
    is counted from midnight in UTC.
    """
    if per.unit is PerUnit.SPAN:
        return t_us // per.length_us
    local = from_us(t_us).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return (local - _NOON if per.unit is PerUnit.NIGHT else local).toordinal()


def nights_reach_us(nightly: Nightly) -> int:
    """Return how long ago the nights began, at most, that are added up."""
    length_us = nightly.per.length_us if nightly.per.unit is PerUnit.SPAN else DAY_US
    return (nightly.latest + 1) * length_us
