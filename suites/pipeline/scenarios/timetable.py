"""Week 2: the schedules are coordinated, and a second run is tried beside the first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pytest_rollout import NoValueError, Stage, scenario
from suites.pipeline.scenarios.weeks import WEEK, Seen, look
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import Run
from suites.pipeline.views.schedules import ASSIGN, PROCESS

BUSY_DAY, BUSY_HOUR = timedelta(days=2), timedelta(hours=5, minutes=30)
LONGEST = timedelta(hours=3)  # until then runs that follow each other have ended


@scenario()
def coordinated(phase: Stage, before: Seen) -> Seen:
    """The timetable is set, and a week passes; on its third day many issues wait at 06:00."""
    begin = before.end
    if phase.embedded:
        clock = phase.target("github").clock
        phase.operate("github", "coordinate-schedules")
        clock.to(begin + BUSY_DAY + BUSY_HOUR)
        phase.operate("github", "seed-issues", count=20, state="triage")
        clock.to(begin + WEEK)
    return look(phase, begin, begin + WEEK)


@dataclass(frozen=True, slots=True)
class Beside:
    """A run that was under way, and the one that was started beside it."""

    file: str
    first: Run
    second: Run


@scenario(effect="change", own_target=True)
def runs_beside(phase: Stage) -> tuple[Beside, ...]:
    """While a scheduled run works, the same workflow is started by hand."""
    return (
        _started_beside(phase, ASSIGN, "triage", timedelta(minutes=2)),
        _started_beside(phase, PROCESS, "assigned", timedelta(hours=4, minutes=7)),
    )


def _started_beside(phase: Stage, file: str, state: str, after: timedelta) -> Beside:
    """Start a workflow ``after`` the begin of the phase, when its schedule has just started it."""
    hub, clock = Hub.of(phase), phase.target("github").clock
    clock.to(phase.window[0] + after - timedelta(minutes=10))
    phase.operate("github", "seed-issues", count=15, state=state)
    clock.to(phase.window[0] + after)
    known = hub.runs()
    working = [run for run in known if run.file == file and run.ended is None]
    if not working:
        raise NoValueError(f"no run of {file} is under way, so none can be beside it")
    path = f"/actions/workflows/{file}/dispatches"
    hub.ask("POST", path, json={"ref": "main"}).raise_for_status()
    clock.advance(LONGEST.total_seconds())
    ids = {run.id for run in known}
    later = {run.id: run for run in hub.runs() if run.file == file}
    second = [run for run in later.values() if run.id not in ids and not run.scheduled]
    if not second:
        raise NoValueError(f"{file} was started by hand, and no run of it is listed")
    return Beside(file, later[working[0].id], second[0])
