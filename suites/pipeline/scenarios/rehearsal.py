"""The live rehearsal: its runs, its issues, its telemetry, and what people kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from pytest_rollout import Message, NoValueError, Reported, Stage, read_inbox, scenario
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import Issue, Journal, Run
from suites.pipeline.views.people import kept
from suites.pipeline.views.telemetry import Record, read_run

UNTIL_DAY_MINUS_1 = 4.9  # days, from Monday midnight to Friday evening


@dataclass(frozen=True)
class Rehearsal:
    """What the rehearsal left."""

    phase: Stage
    hub: Hub
    journal: Journal

    @property
    def records(self) -> Path:
        """What people keep."""
        return self.phase.file("records")

    @cached_property
    def stated(self) -> Reported:
        """What people say of it; raises NoValueError where they say nothing."""
        return kept(self.records, "rehearsal.yaml")

    @cached_property
    def runs(self) -> list[Run]:
        """Its runs as GitHub has them, in order; raises NoValueError where nobody names any."""
        named = self.stated.get("runs") or []
        runs = [run for run in self.journal.runs if run.id in named]
        if not runs:
            raise NoValueError("rehearsal.yaml names no run that GitHub knows")
        return runs

    @property
    def begun(self) -> datetime:
        """When its first run began."""
        return min(run.begun for run in self.runs)

    @property
    def ended(self) -> datetime:
        """When its last run ended; the last moment of all where one has not."""
        return max(run.ended or datetime.max.replace(tzinfo=UTC) for run in self.runs)

    @cached_property
    def issues(self) -> list[Issue]:
        """Its issues; raises NoValueError where nobody names any."""
        named = [self.journal.issues.get(number) for number in self.stated.get("issues") or []]
        issues = [issue for issue in named if issue]
        if not issues:
            raise NoValueError("rehearsal.yaml names no issue that GitHub knows")
        return issues

    @cached_property
    def telemetry(self) -> list[Record]:
        """The telemetry of its runs; raises NoValueError where one left none."""
        folder = self.phase.file("telemetry")
        return [record for run in self.runs for record in read_run(folder, run.id)]

    @cached_property
    def mails(self) -> list[Message]:
        """Every mail that arrived."""
        return [
            message for message in read_inbox(self.phase.file("inbox")) if message.service == "mail"
        ]


@scenario(effect="observe")
def rehearsed(phase: Stage) -> Rehearsal:
    """The evening of Day -1; in a rehearsal the days up to it pass now."""
    phase.operate("github", "days", days=UNTIL_DAY_MINUS_1)
    hub = Hub.of(phase)
    return Rehearsal(phase, hub, hub.journal(phase.now()))
