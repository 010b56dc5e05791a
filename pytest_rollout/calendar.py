"""Windows, freezes, zones and the edges of scopes; pure.

Instants are integers, microseconds since the epoch; ``bounds`` is the one source of window
edges, for the fetch from the ledger and for the cut in the judge.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pytest_rollout.model.plan import Phase, Plan, Risk, Window
from pytest_rollout.model.rule import Scope, ScopeKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MIDNIGHT = time(0, 0)


def to_us(moment: datetime) -> int:
    """An aware moment as microseconds since the epoch; raises ValueError without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no zone")
    return (moment - _EPOCH) // timedelta(microseconds=1)


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


def bounds(scope: Scope, at_us: int, begun_us: int | None) -> tuple[int | None, int | None]:
    """The event times a scope reaches, as (excluded start, included end); None is open.

    A window is (at - span, at]: what is exactly span old has left it. Since the begin of a
    phase that was not begun there is nothing: an empty window.
    """
    match scope.kind:
        case ScopeKind.SPAN:
            return at_us - scope.span_us, at_us
        case ScopeKind.SINCE:
            return (begun_us - 1 if begun_us is not None else at_us), at_us
        case _:
            return None, None


def phase_window(plan: Plan, phase: Phase) -> tuple[datetime, datetime] | None:
    """When the phase is to happen, as UTC moments (end excluded); None where it has no date."""
    if phase.date is None:
        return None
    zone = ZoneInfo(plan.timezone)
    last = phase.until or phase.date
    since = phase.hours.since if phase.hours else _MIDNIGHT
    until = phase.hours.until if phase.hours else _MIDNIGHT
    end_day = last + timedelta(days=1) if until == _MIDNIGHT else last
    return (
        datetime.combine(phase.date, since, zone).astimezone(UTC),
        datetime.combine(end_day, until, zone).astimezone(UTC),
    )


def window_words(plan: Plan, phase: Phase) -> str:
    """The phase's window as a reader would say it, or ``no date``."""
    window = phase_window(plan, phase)
    if window is None:
        return "no date"
    start, end = (moment.astimezone(ZoneInfo(plan.timezone)) for moment in window)
    last = (end - timedelta(microseconds=1)).date()
    if phase.hours is None:
        return f"{start:%a %Y-%m-%d}" + (f" to {last:%a %Y-%m-%d}" if phase.until else "")
    if start.date() == last:
        return f"{start:%a %Y-%m-%d %H:%M}-{end:%H:%M} {end.tzname()}"
    return f"{start:%a %Y-%m-%d %H:%M} to {end:%a %Y-%m-%d %H:%M} {end.tzname()}"


def within(window: Window, moment: datetime, zone: str) -> bool:
    """Whether an aware moment lies in a weekly window, in the plan's zone."""
    local = moment.astimezone(ZoneInfo(zone))
    if local.weekday() not in window.days:
        return False
    if window.hours is None:
        return True
    clock = local.time()
    until = window.hours.until
    return window.hours.since <= clock and (until == _MIDNIGHT or clock < until)


def end_of_day(day: date, zone: str) -> int:
    """The instant at which a day of a zone is over: the midnight after it."""
    return to_us(datetime.combine(day + timedelta(days=1), _MIDNIGHT, ZoneInfo(zone)))


def frozen(plan: Plan, moment: datetime) -> Window | None:
    """The freeze that a moment falls into, if any."""
    return next((window for window in plan.freezes if within(window, moment, plan.timezone)), None)


def admitted(plan: Plan, phase: Phase, moment: datetime) -> bool:
    """Whether a change window admits a phase's change at a moment.

    A window for changes up to some risk admits none whose risk the plan does not say.
    """
    return any(
        within(window, moment, plan.timezone) and _bearable(window.risk, phase.risk)
        for window in plan.change_windows
    )


def _bearable(limit: Risk | None, risk: Risk | None) -> bool:
    order = list(Risk)
    return limit is None or (risk is not None and order.index(risk) <= order.index(limit))
