"""The first 48 hours of a schedule, as GitHub, the telemetry and the rota have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TypeVar

from pytest_rollout import NoValueError, Stage, scenario
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import Journal, Run
from suites.pipeline.views.on_main import enabled_at, workflow_at
from suites.pipeline.views.runs import Log, completed
from suites.pipeline.views.schedules import ASSIGN, PROCESS, WorkflowFile
from suites.pipeline.views.telemetry import Record, read_all

WINDOW = timedelta(hours=48)
T = TypeVar("T")


@dataclass(frozen=True)
class FirstDays:
    """What the first 48 hours of one workflow's schedule left."""

    phase: Stage
    hub: Hub
    journal: Journal
    name: str

    @cached_property
    def file(self) -> WorkflowFile:
        """The workflow as main has it."""
        return workflow_at(self.hub, self.name)

    @cached_property
    def enabled(self) -> datetime:
        """Since when main has the schedule; raises NoValueError without one."""
        return enabled_at(self.hub, self.name)

    @property
    def end(self) -> datetime:
        """When the 48 hours end."""
        return self.enabled + WINDOW

    @cached_property
    def runs(self) -> list[Run]:
        """The scheduled runs of the window that came to an end; raises NoValueError without any."""
        runs = completed(self.journal.scheduled(self.name, self.enabled, self.end))
        if not runs:
            raise NoValueError(f"no scheduled run of {self.name} ended since {self.enabled}")
        return runs

    @cached_property
    def records(self) -> Mapping[int, list[Record]]:
        """The telemetry of each of these runs, empty where one left none."""
        by_run: dict[int, list[Record]] = {run.id: [] for run in self.runs}
        for record in read_all(self.phase.file("telemetry")):
            if record.run in by_run:
                by_run[record.run].append(record)
        return by_run

    @cached_property
    def logs(self) -> Mapping[int, Log]:
        """What each of these runs said."""
        return {run.id: Log.of(self.hub, run) for run in self.runs}

    def each_run(self, take: Callable[[Run], T]) -> list[tuple[Run, T]]:
        """What is taken of each run, with the run."""
        return [(run, take(run)) for run in self.runs]

    @property
    def observed_hours(self) -> float:
        """How long the schedule has been on by now."""
        return (self.phase.now() - self.enabled) / timedelta(hours=1)


def _lived(phase: Stage, name: str) -> FirstDays:
    # A busy first morning: only where ten issues wait is a limit of ten ever met.
    phase.operate("github", "seed-issues", count=24, state="triage")
    phase.operate("github", "days", days=2.05)
    hub = Hub.of(phase)
    return FirstDays(phase, hub, hub.journal(phase.now()), name)


@scenario(effect="observe")
def assigning(phase: Stage) -> FirstDays:
    """The first 48 hours of assignment; in a rehearsal they pass now."""
    return _lived(phase, ASSIGN)


@scenario(effect="observe")
def processing(phase: Stage) -> FirstDays:
    """The first 48 hours of processing; in a rehearsal they pass now."""
    return _lived(phase, PROCESS)
