"""The time before a phase, and its week: what happened, by the journal of GitHub and telemetry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from pytest_rollout import NoValueError, Stage, scenario
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import Journal, Run, days
from suites.pipeline.views.runs import Log
from suites.pipeline.views.schedules import ASSIGN, WorkflowFile, active
from suites.pipeline.views.telemetry import Record, read_all

WEEK, SECOND = timedelta(days=7), timedelta(seconds=1)


@dataclass(frozen=True)
class Seen:
    """A stretch of the pipeline's life."""

    begin: datetime
    end: datetime  # until when it counts; the journal may know more
    hub: Hub
    journal: Journal
    records: tuple[Record, ...]  # all that there are, not only of that time
    files: Mapping[str, WorkflowFile]  # active workflows as main has them at the end
    checkout: Path
    kept: Path  # the records of people
    telemetry: Path

    @property
    def days(self) -> list[tuple[datetime, datetime]]:
        """Its UTC days."""
        return days(self.begin, round((self.end - self.begin) / timedelta(days=1)))

    @cached_property
    def by_run(self) -> dict[int, list[Record]]:
        """Telemetry by run."""
        by_run: dict[int, list[Record]] = {}
        for record in self.records:
            by_run.setdefault(record.run, []).append(record)
        return by_run

    def file(self, name: str) -> WorkflowFile:
        """An active workflow; raises NoValueError where main has none of that name."""
        if name not in self.files:
            raise NoValueError(f"main has no active workflow {name}")
        return self.files[name]

    def scheduled(self, file: str) -> list[Run]:
        """The runs of a workflow that its schedule started in this time."""
        return self.journal.scheduled(file, self.begin, self.end)

    def runs(self) -> list[Run]:
        """All runs that began in this time."""
        return [run for run in self.journal.runs if self.begin <= run.begun < self.end]

    def within(self) -> list[Record]:
        """Telemetry of this time."""
        return [record for record in self.records if self.begin <= record.at < self.end]

    def given(self, run: Run, command: str) -> dict[str, str]:
        """The flags with which a run started a command, by its log."""
        return Log.of(self.hub, run).flags(command)

    def parameters(self, run: Run) -> Mapping[str, object]:
        """The parameters of a run's command, by its telemetry."""
        for record in self.by_run.get(run.id, ()):
            if record.event == "run_started":
                told: Mapping[str, object] = record.detail.get("parameters") or {}
                return told
        raise NoValueError(f"run {run.id} did not say with what it began")


def look(
    phase: Stage,
    begin: datetime,
    end: datetime,
    known: Seen | None = None,
    since: datetime | None = None,
) -> Seen:
    """Read all that there is, for a stretch of time; with ``since`` only what came from then on.

    What is ``known`` of the time before is not read again.
    """
    hub, checkout = Hub.of(phase), phase.file("checkout")
    folder, now = phase.file("telemetry"), phase.target("github").clock.now()
    journal = hub.journal(now, known.journal if known else None, since)
    runs = {run.id for run in journal.runs} if since else None
    return Seen(
        begin=begin,
        end=end,
        hub=hub,
        journal=journal,
        records=tuple(read_all(folder, known.records if known else (), runs)),
        files=active(checkout),
        checkout=checkout,
        kept=phase.file("records"),
        telemetry=folder,
    )


def first_day(journal: Journal) -> datetime:
    """Day 1: the UTC day of the first run that a schedule of assignment started."""
    runs = journal.scheduled(ASSIGN)
    if not runs:
        raise NoValueError("no schedule has started an assignment yet, so there is no day 1")
    return runs[0].begun.replace(hour=0, minute=0, second=0, microsecond=0)


def so_far(phase: Stage) -> Seen:
    """From day 1 until the phase begins."""
    begin = phase.window[0]
    seen = look(phase, begin, begin)
    return Seen(**{**seen.__dict__, "begin": first_day(seen.journal)})


def last_moment(begin: datetime) -> datetime:
    """The last second of the week that begins then: what the next week changes is not made yet."""
    return begin + WEEK - SECOND


@scenario()
def before(phase: Stage) -> Seen:
    """What was there when the phase began: all days from day 1 on."""
    return so_far(phase)


@scenario()
def week(phase: Stage, before: Seen) -> Seen:
    """The seven days of the phase; in a rehearsal they pass now."""
    begin = before.end
    if phase.embedded:
        phase.target("github").clock.to(last_moment(begin))
    return look(phase, begin, begin + WEEK, before)
