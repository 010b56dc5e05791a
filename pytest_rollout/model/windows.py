"""Change windows and freezes: when changes may be made, and when they may not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from enum import StrEnum

from pytest_rollout.late_dataclass import dataclass

EVERY_DAY = frozenset(range(7))


class Risk(StrEnum):
    """How risky a phase's changes are; windows may admit a risk up to one of these."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    def admits(self, risk: Risk | None) -> bool:
        """Whether a change of some risk is within this limit; an unknown risk is not."""
        order = list(Risk)
        return risk is not None and order.index(risk) <= order.index(self)


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of a day; ``until`` is excluded, and on the next day where it is not after ``since``.

    Hours over midnight belong to the day on which they begin.
    """

    since: dt.time
    until: dt.time


@dataclass(frozen=True, slots=True)
class Window:
    """When changes may be made, or (as a freeze) may not.

    ``risk`` says the same in both: changes up to this risk may be made at that time.
    """

    days: frozenset[int] = EVERY_DAY  # Monday is 0
    hours: Hours | None = None
    risk: Risk | None = None  # None: a change window admits any, a freeze none
    why: str = ""
    first: dt.date | None = None  # only from this day on
    last: dt.date | None = None  # only up to this day
    stretch: tuple[dt.datetime, dt.datetime] | None = None  # instead of days: clocks' readings
    zone: str | None = None  # None: the plan's


class CalendarUse(StrEnum):
    """What the events of a shared calendar are."""

    FREEZE = "freeze"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time that an event of a shared calendar takes place; the end is excluded."""

    since_us: int
    until_us: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class SharedCalendar:
    """The events of a calendar file, as far as they were read."""

    file: str
    digest: str
    use: CalendarUse
    known_us: tuple[int, int]  # occurrences were read from here to there
    occurrences: tuple[Occurrence, ...] = ()
    risk: Risk | None = None


def admitting(windows: Iterable[Window], risk: Risk | None) -> tuple[Window, ...]:
    """The change windows that admit a change of some risk."""
    return tuple(window for window in windows if window.risk is None or window.risk.admits(risk))


def holding(freezes: Iterable[Window], risk: Risk | None) -> tuple[Window, ...]:
    """The freezes that hold up a change of some risk."""
    return tuple(
        freeze for freeze in freezes if freeze.risk is None or not freeze.risk.admits(risk)
    )
