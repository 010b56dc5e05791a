"""A week of daily runs, as GitHub, their logs, their artifacts and the telemetry have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from functools import cached_property

from pytest_rollout import NoValueError, Stage, scenario
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import Journal, Run
from suites.pipeline.views.on_main import workflow_at
from suites.pipeline.views.people import start_date
from suites.pipeline.views.plan_days import DAY, week_of
from suites.pipeline.views.runs import Log, completed
from suites.pipeline.views.schedules import DAILY, LATE, WorkflowFile
from suites.pipeline.views.telemetry import Record, read_all

DUE = time(6, 30)
_BEFORE_DUE = 0.268  # days from midnight on: 06:25:55
_MORNING = time(0, 45)  # a run before is the one of 00:00, late at the most by half an hour
_ODD, _BUSY = 1, 2
STAGES = {
    "monitoring": "pipeline-monitor",
    "assignment": "pipeline-assign",
    "processing": "pipeline-process",
}


@dataclass(frozen=True)
class DailyWeek:
    """What the daily runs of one week left."""

    phase: Stage
    hub: Hub
    journal: Journal
    number: int

    @cached_property
    def span(self) -> tuple[datetime, datetime]:
        """From when to when the week lasts."""
        return week_of(start_date(self.phase.file("records")), self.number)

    @cached_property
    def file(self) -> WorkflowFile:
        """The daily workflow as main has it."""
        return workflow_at(self.hub, DAILY)

    @property
    def days(self) -> list[datetime]:
        """The days of the week whose daily run is due by now."""
        begin, _ = self.span
        every = [begin + number * DAY for number in range(7)]
        return [day for day in every if due(day) + LATE <= self.journal.now]

    @cached_property
    def scheduled(self) -> list[Run]:
        """All scheduled runs of the daily workflow in the week."""
        return self.journal.scheduled(DAILY, *self.span)

    @cached_property
    def runs(self) -> list[Run]:
        """The daily runs of the week that ended, each of 06:30; raises NoValueError without any.

        From the coordinated timetable on a run of 00:00 monitors; it is no daily run.
        """
        runs = [run for run in completed(self.scheduled) if run.begun.time() >= _MORNING]
        if not runs:
            raise NoValueError(f"no daily run of week {self.number} has ended")
        return runs

    @cached_property
    def logs(self) -> Mapping[int, Log]:
        """What each daily run said."""
        return {run.id: Log.of(self.hub, run) for run in self.runs}

    @cached_property
    def telemetry(self) -> list[Record]:
        """All telemetry, whose times are in order."""
        return read_all(self.phase.file("telemetry"))

    def of_run(self, run: Run) -> list[Record]:
        """The telemetry of a run."""
        return [record for record in self.telemetry if record.run == run.id]


def due(day: datetime) -> datetime:
    """When the daily run of a day is due."""
    return datetime.combine(day.date(), DUE, day.tzinfo)


def week_number(phase: Stage) -> int:
    """The number of the week that a phase is about."""
    return int(phase.id.rpartition(".week")[2][0])


@scenario(effect="observe")
def daily_week(phase: Stage) -> DailyWeek:
    """The daily runs of the phase's week; in a rehearsal seven days pass now.

    On the second of them an issue fails, and a person hands one to Copilot that has no guidance;
    on the third more issues wait than a run may take.
    """
    for number in range(7) if phase.embedded else ():
        # What was not there at 05:50, when monitoring looked, is left for the daily run to find.
        phase.operate("github", "days", days=_BEFORE_DUE)
        phase.operate("github", "discover", count=3)
        if number == _ODD:
            said = phase.operate("github", "seed-issues", count=2, state="assigned")
            by_hand, fails = said["issues"]
            phase.operate("github", "step-in", issue=by_hand)
            phase.operate("github", "fail-item", issue=fails)
        if number == _BUSY:
            phase.operate("github", "seed-issues", count=22, state="triage")
            phase.operate("github", "seed-issues", count=12, state="assigned")
        phase.operate("github", "days", days=1 - _BEFORE_DUE)
    hub = Hub.of(phase)
    return DailyWeek(phase, hub, hub.journal(phase.now()), week_number(phase))
