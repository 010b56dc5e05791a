"""Whether a moment is open for a phase's changes, why not, and when it is open next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from pytest_rollout.calendar.instants import (
    DAY_US,
    day_and_time,
    from_us,
    length_words,
    to_us,
    wall,
)
from pytest_rollout.calendar.intervals import Span, intersect, minus, union
from pytest_rollout.calendar.phases import phase_window, window_words
from pytest_rollout.calendar.windows import spans
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.plan import Phase, Plan
from pytest_rollout.model.waiver import WindowDemand
from pytest_rollout.model.windows import CalendarUse, Risk, SharedCalendar, admitting, holding

HORIZON_DAYS = 400
_NEAR_DAYS = 14  # most openings are within days, so that much is looked at first


@dataclass(frozen=True, slots=True)
class Opening:
    """When changes of a phase may be made, and what ends it; ``until`` is excluded."""

    since: datetime
    until: datetime | None  # None: not within the horizon
    then: str = ""


def frozen(plan: Plan, moment: datetime, risk: Risk | None = None) -> str | None:
    """The freeze that a moment falls into, as ``a freeze: daily stand-up``, or None.

    ``risk`` is that of the change; one that is not known is held by every freeze.
    """
    instant = to_us(moment)
    _known(plan, (instant, instant + 1))
    freeze = next(
        (freeze for freeze in _freezes(plan, risk, (instant, instant + 1)) if freeze[1]), None
    )
    return f"a freeze: {freeze[0]}" if freeze and freeze[0] else "a freeze" if freeze else None


def admitted(plan: Plan, phase: Phase, moment: datetime) -> bool:
    """Whether a change window admits a phase's change at a moment, or the plan states none.

    A window for changes up to some risk admits none whose risk the plan does not say.
    """
    instant = to_us(moment)
    return bool(_admitted(plan, phase.risk, (instant, instant + 1)))


def shut(plan: Plan, phase: Phase, moment: datetime) -> str | None:
    """Why a phase's changes may not be made at a moment, or None where they may."""
    at = wall(to_us(moment), plan.timezone)
    window = phase_window(plan, phase)
    if window and not window[0] <= moment < window[1]:
        return f"{at} is outside of {window_words(plan, phase)}"
    freeze = frozen(plan, moment, phase.risk)
    if freeze:
        return f"{at} is in {freeze}"
    if not admitted(plan, phase, moment):
        risk = f" of {phase.risk} risk" if phase.risk else ""
        return f"no change window admits a change{risk} at {at}"
    return None


def openings(plan: Plan, phase: Phase, within: Span) -> list[Span]:
    """The instants in a span at which a phase's changes may be made."""
    window = phase_window(plan, phase)
    reach = [within]
    if window:
        reach = intersect(reach, [(to_us(window[0]), to_us(window[1]))])
    if not reach:
        return []
    _known(plan, reach[0])
    open_ = intersect(reach, _admitted(plan, phase.risk, reach[0]))
    return minus(open_, _held(plan, phase.risk, reach[0]))


def closings(plan: Plan, phase: Phase, within: Span) -> dict[WindowDemand, int]:
    """The first instant of a span at which each demand on the moment of a change is not met.

    One that is met all the time is left out; one that is not met at the start has the start.
    """
    window = phase_window(plan, phase)
    _known(plan, within)
    own = minus([within], [(to_us(window[0]), to_us(window[1]))]) if window else []
    held = _held(plan, phase.risk, within)
    left_out = minus([within], _admitted(plan, phase.risk, within))
    closed = {WindowDemand.PHASE: own, WindowDemand.FREEZE: held, WindowDemand.CHANGE: left_out}
    return {demand: spans[0][0] for demand, spans in closed.items() if spans}


def next_opening(
    plan: Plan,
    phase: Phase,
    moment: datetime,
    lasting_us: int = 0,
    horizon_days: int = HORIZON_DAYS,
) -> Opening | None:
    """When changes of a phase may be made next, or are made already; None where never.

    Only openings count that last as long as asked. A phase with a date is looked at whole,
    wherever it lies; others up to the horizon.
    """
    start = to_us(moment)
    limit = start + horizon_days * DAY_US
    window = phase_window(plan, phase)
    if window:
        start, limit = max(start, to_us(window[0])), to_us(window[1])
        limit = min(limit, start + horizon_days * DAY_US)
    limit = min([limit, *(calendar.known_us[1] for calendar in plan.calendars)])
    for days in (_NEAR_DAYS, horizon_days):
        end = min(limit, start + days * DAY_US)
        open_spans = openings(plan, phase, (start, end)) if start < end else []
        open_spans = [span for span in open_spans if span[1] - span[0] >= lasting_us]
        if open_spans and (open_spans[0][1] < end or end == limit):
            return _opening(plan, phase, open_spans[0], limit)
    return None


def never_opens(plan: Plan, phase: Phase) -> bool:
    """Whether a phase has a date, and none of its window is open for its changes."""
    window = phase_window(plan, phase)
    return window is not None and not openings(plan, phase, (to_us(window[0]), to_us(window[1])))


def opening_words(plan: Plan, phase: Phase, moment: datetime, lasting_us: int = 0) -> str:
    """The next opening that lasts as long as asked, as people say it, seen from a moment."""
    opening = next_opening(plan, phase, moment, lasting_us)
    if opening is None and next_opening(plan, phase, moment):
        return f"never opens for {length_words(lasting_us)} at a stretch"
    if opening is None:
        return _never(plan, phase, moment)
    words = "open now"
    if opening.since > moment:
        ahead = length_words(to_us(opening.since) - to_us(moment))
        words = f"opens {day_and_time(opening.since, plan.timezone)} (in {ahead})"
    if opening.until is None:
        return f"{words}, with no end in sight"
    length = length_words(to_us(opening.until) - max(to_us(opening.since), to_us(moment)))
    return f"{words}, for {length}, then {opening.then}"


def _never(plan: Plan, phase: Phase, moment: datetime) -> str:
    window = phase_window(plan, phase)
    if window is None:
        return f"does not open within {HORIZON_DAYS} days"
    if window[1] <= moment:
        return "its window is over"
    return "does not open any more" if window[0] <= moment else "does not open in its window"


def _opening(plan: Plan, phase: Phase, span: Span, limit: int) -> Opening:
    since, until = (from_us(edge) for edge in span)
    window = phase_window(plan, phase)
    if window and until == window[1]:
        return Opening(since, until, "its window is over")
    if span[1] == limit:
        return Opening(since, None)
    freeze = frozen(plan, until, phase.risk)
    return Opening(since, until, freeze or "its change window is over")


def _known(plan: Plan, span: Span) -> None:
    """Raise RolloutError where a shared calendar was not read that far: no event is not none."""
    for calendar in plan.calendars:
        if span[0] < calendar.known_us[0] or span[1] > calendar.known_us[1]:
            zone = ZoneInfo(plan.timezone)
            since, until = (from_us(edge).astimezone(zone).date() for edge in calendar.known_us)
            at = from_us(span[0]).astimezone(zone).date()
            raise RolloutError(f"{calendar.file} was read from {since} to {until}, not for {at}")


def _admitted(plan: Plan, risk: Risk | None, within: Span) -> list[Span]:
    shared = [calendar for calendar in plan.calendars if calendar.use is CalendarUse.CHANGE]
    if not (plan.change_windows or shared):
        return [within]
    stated = admitting(plan.change_windows, risk)
    open_spans = [
        span for window in stated for span in spans(window, plan.timezone, within, wide=False)
    ]
    for shared_calendar in shared:
        if shared_calendar.risk is None or shared_calendar.risk.admits(risk):
            open_spans += [span for _, span in _events(shared_calendar, within)]
    return union(open_spans)


def _held(plan: Plan, risk: Risk | None, within: Span) -> list[Span]:
    return union(span for _, held in _freezes(plan, risk, within) for span in held)


def _freezes(plan: Plan, risk: Risk | None, within: Span) -> Iterator[tuple[str, list[Span]]]:
    """What each freeze that holds such a change takes of a span, and why."""
    for window in holding(plan.freezes, risk):
        yield window.why, spans(window, plan.timezone, within, wide=True)
    for calendar in plan.calendars:
        if calendar.use is CalendarUse.FREEZE and not (
            calendar.risk and calendar.risk.admits(risk)
        ):
            for why, span in _events(calendar, within):
                yield why, [span]


def _events(calendar: SharedCalendar, within: Span) -> Iterator[tuple[str, Span]]:
    for occurrence in calendar.occurrences:
        start, end = max(occurrence.since_us, within[0]), min(occurrence.until_us, within[1])
        if start < end:
            yield occurrence.why, (start, end)
