"""Week 2: the schedules are coordinated, and a second run is tried beside the first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pytest_rollout import NoValueError, Stage, scenario
from suites.pipeline.scenarios.weeks import WEEK, Seen, last_moment, look
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import Journal, Run
from suites.pipeline.views.schedules import ASSIGN, PROCESS

BUSY_DAY, BUSY_HOUR = timedelta(days=2), timedelta(hours=5, minutes=30)
LONGEST = timedelta(hours=3)  # until then runs that follow each other have ended


@scenario()
def coordinated(phase: Stage, before: Seen) -> Seen:
    """The timetable is set, and a week passes; on its third day many issues wait at 06:00."""
    begin = before.end
    if phase.embedded:
        clock = phase.target("github").clock
        said = phase.operate("github", "coordinate-schedules")
        newest = next(Hub.of(phase).pages("/commits"))
        if said.get("commit") != newest["sha"]:
            raise NoValueError("the newest commit of main is not the one of the timetable")
        clock.to(begin + BUSY_DAY + BUSY_HOUR)
        phase.operate("github", "seed-issues", count=20, state="triage")
        clock.to(last_moment(begin))
    return look(phase, begin, begin + WEEK, before)


@dataclass(frozen=True, slots=True)
class Beside:
    """A run that was under way, and the one that was asked for meanwhile."""

    first: Run
    second: Run


def asked_meanwhile(journal: Journal, file: str) -> list[Beside]:
    """Each run of a workflow that was asked for while another one of it was at work."""
    runs = journal.runs_of(file)
    return [
        Beside(first, second)
        for first in runs
        for second in runs
        if first.begun < second.created and (first.ended is None or second.created < first.ended)
    ]


@scenario(effect="disrupt", own_target=True)
def started_beside(phase: Stage) -> Journal:
    """While a scheduled run works, the same workflow is started by hand, twice; two of them so."""
    hub, clock = Hub.of(phase), phase.target("github").clock
    tries = (
        (ASSIGN, "triage", timedelta(minutes=2)),
        (PROCESS, "assigned", timedelta(hours=4, minutes=7)),
    )
    for file, state, after in tries:
        clock.to(phase.window[0] + after - timedelta(minutes=10))
        phase.operate("github", "seed-issues", count=15, state=state)
        clock.to(phase.window[0] + after)
        path = f"/actions/workflows/{file}/dispatches"
        for _ in range(2):
            hub.ask("POST", path, json={"ref": "main"}).raise_for_status()
            clock.advance(10)
        clock.advance(LONGEST.total_seconds())
    return hub.journal(clock.now())
