"""The weeks of the rollout, and what leadership was told of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from pytest_rollout import Message, Reported, Stage, read_inbox, scenario
from suites.eros.scenarios.widening import flags_in
from suites.eros.views import journal
from suites.eros.views.journal import Run
from suites.eros.views.records import noted
from suites.eros.views.routing import Flags
from suites.eros.views.said import not_done
from suites.eros.views.service import Service

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Summaries:
    """Whole weeks, and their summaries."""

    service: Service
    now: datetime
    told: Sequence[Reported]
    inbox: Sequence[Message]

    @cached_property
    def weeks(self) -> Sequence[tuple[datetime, datetime]]:
        """Whole weeks since flags were first set; raises NoValueError where none has passed."""
        changes = self.service.get("/flags/changes").each("changes")
        first = changes[0].moment("at") if changes else self.now
        count = (self.now - first) // WEEK
        if not count:
            not_done("no week of the rollout has passed", "wait for one")
        return [(first + week * WEEK, first + (week + 1) * WEEK) for week in range(count)]

    @cached_property
    def _runs(self) -> tuple[Run, ...]:
        """Every run of v5."""
        return journal.runs(self.service, pipeline="v5")

    @cached_property
    def rollbacks(self) -> list[datetime]:
        """When v5 was rolled back."""
        return [rollback.moment("at") for rollback in self.service.get("/rollback").each("history")]

    def flags_at(self, moment: datetime) -> Flags:
        """The flags that stood up to a moment."""
        changes = self.service.get("/flags/changes").each("changes")
        return flags_in([change for change in changes if change.moment("at") < moment][-1], "after")

    def runs_of(self, week: tuple[datetime, datetime]) -> list[Run]:
        """The runs of v5 that a summary is of: those of the shadow where the week ends in it."""
        shadow = self.flags_at(week[1]).shadow
        return [
            run for run in self._runs if run.shadow == shadow and week[0] <= run.ended < week[1]
        ]


@scenario(own_target=True)
def summaries(phase: Stage) -> Summaries:
    """All phases pass, the last one a week longer; elsewhere what has passed is read."""
    phase.operate("eros", "rollout", before="final")
    phase.operate("eros", "phase", id="cutover", days=8)
    inbox, records = phase.file("inbox"), phase.file("records")
    told = noted(records, "summary") if records.is_file() else []
    sent = tuple(read_inbox(inbox)) if inbox.is_file() else ()
    return Summaries(Service(phase.target("eros").client), phase.now(), told, sent)
