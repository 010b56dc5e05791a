"""The day of a decision, in the evening: the log of decisions, main, telemetry and mails."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from pytest_rollout import Message, Stage, read_inbox, scenario
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.telemetry import Record, read_all

EVENING = 0.95  # of a day


@dataclass(frozen=True)
class DecisionDay:
    """What is on record in the evening of the day."""

    phase: Stage
    hub: Hub
    now: datetime

    @property
    def records(self) -> Path:
        """What people keep."""
        return self.phase.file("records")

    @cached_property
    def telemetry(self) -> list[Record]:
        """All telemetry."""
        return read_all(self.phase.file("telemetry"))

    @cached_property
    def mails(self) -> list[Message]:
        """Every mail that arrived."""
        return [
            message for message in read_inbox(self.phase.file("inbox")) if message.service == "mail"
        ]


@scenario(effect="observe")
def decision_day(phase: Stage) -> DecisionDay:
    """The evening of the day; in a rehearsal the day passes now."""
    phase.operate("github", "days", days=EVENING)
    return DecisionDay(phase, Hub.of(phase), phase.now())
