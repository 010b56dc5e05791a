"""The phase's own weeks, lived through to a week after their end, for what people recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pytest_rollout import Reported, Stage, scenario
from suites.pas.views.lines import OFFICE
from suites.pas.views.people import accepted, later


@dataclass(frozen=True, slots=True)
class Weeks:
    """What was recorded by the end of a phase."""

    phase: str
    rows: Sequence[Reported]
    now: datetime
    embedded: bool

    def accepted(self) -> date:
        """The day on which the phase was accepted."""
        return accepted(self.rows, self.phase, self.now, embedded=self.embedded)

    def demand_by(self, last: date) -> None:
        """Raise AssertionError where the phase was accepted after a day."""
        day = self.accepted()
        assert day <= last, f"{self.phase} was accepted on {day}, and {last} was the last day"


@scenario()
def weeks(phase: Stage) -> Weeks:
    """The records of the phase; in a rehearsal its weeks pass, so it is asked for last."""
    last = phase.window[1].astimezone(OFFICE).date()
    now = phase.now()
    return Weeks(phase.id.rpartition(".")[2], later(phase, last), now, phase.embedded)
