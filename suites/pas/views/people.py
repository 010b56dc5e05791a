"""What people wrote down: when phases began and were accepted, reviews, milestones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from pytest_rollout import NoValueError, Reported, Stage
from suites.pas.views.lines import OFFICE, day_of, lines, of_kind

_DAYS_MORE = 7  # after the last day of a phase, in which it may still be accepted


def records(phase: Stage) -> tuple[Reported, ...]:
    """All records so far."""
    return lines(phase.file("records"), "record of people")


def later(phase: Stage, last: date) -> tuple[Reported, ...]:
    """The records a week after a day: in a rehearsal that time passes, elsewhere as they are."""
    if phase.embedded:
        end = datetime.combine(last, datetime.min.time(), OFFICE) + timedelta(days=1 + _DAYS_MORE)
        phase.target("pas").clock.to(end)
    return records(phase)


def begun(rows: Sequence[Reported], phase: str) -> date:
    """The day on which work on a phase began; raises NoValueError where nobody wrote it down."""
    starts = of_kind(rows, "phase", phase=phase, state="started")
    if not starts:
        raise NoValueError(f"nobody recorded that work on {phase} began")
    return min(day_of(row) for row in starts)


def accepted(rows: Sequence[Reported], phase: str, now: datetime, *, embedded: bool) -> date:
    """The day on which a phase was accepted; before anybody recorded it, this one.

    Raises NoValueError in a rehearsal, in which it must have been recorded by then.
    """
    gates = of_kind(rows, "gate", phase=phase, verdict="GO")
    if gates:
        return min(day_of(row) for row in gates)
    if embedded:
        raise NoValueError(f"nobody recorded that {phase} was accepted")
    return now.astimezone(OFFICE).date()
