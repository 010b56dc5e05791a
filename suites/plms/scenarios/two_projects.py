"""Day 3: lane caps are enabled, and two projects run at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from pytest_rollout import Event, Stage, every, scenario
from suites.plms.scenarios.steps import Steps
from suites.plms.views.portfolio import PROJECTS, Sample, Start, caps, sample, start
from suites.plms.views.tables import rows
from suites.plms.views.watched import Look, Seen, look, newest_row, run_rows, see

_SNAPSHOT_AFTER = 12  # looks: a minute into the run


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What was seen while the two projects ran."""

    idle: Sample  # once the caps were enabled, before anything ran
    started: datetime
    starts: dict[int, Start]
    retries: dict[int, Start]  # empty where nobody repeated a start
    seen: tuple[Seen, ...]
    after: Sample  # once both had ended, or nobody watched any more
    standup: tuple[tuple[datetime, Look], ...]  # the registry over the freeze
    caps: dict[str, int]
    runs: list[dict[str, Any]]  # of the registry, that began here
    receipts: list[dict[str, Any]]  # of their KPIs
    trouble: Mapping[str, str]  # by step, what went wrong where one could not be done
    snapshot: Path
    changes: tuple[Event, ...]
    actions: tuple[Event, ...]

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The portfolio at each look."""
        return tuple(now.sample for now in self.seen)

    def runs_of(self, project: int) -> list[dict[str, Any]]:
        """The runs of a project that were not cancelled."""
        mine = [run for run in self.runs if run["project_id"] == project]
        return [run for run in mine if run["status"] != "cancelled"]


@scenario(effect="change", own_target=True)
def two_projects(phase: Stage) -> Rehearsal:
    """Lane caps are enabled, 101 and 102 start, and are sampled every 5 s until both ended."""
    plms, registry = phase.target("plms"), phase.file("registry")
    steps = Steps(phase)
    steps.do("enable-lane-caps")
    plms.clock.to(phase.window[0] + timedelta(minutes=5))
    idle = sample(plms.client)
    known = newest_row(registry)
    started = plms.clock.now()
    starts = {project: _start(phase, project) for project in PROJECTS}
    retries = dict(_retries(phase, steps, starts))
    seen = tuple(_until_both_ended(phase, steps))
    after = sample(plms.client)
    standup = tuple(_over_the_standup(phase))
    steps.do("close-shift")
    return Rehearsal(
        idle=idle,
        started=started,
        starts=starts,
        retries=retries,
        seen=seen,
        after=after,
        standup=standup,
        caps=caps(registry),
        runs=run_rows(registry, PROJECTS, known),
        receipts=rows(registry, "SELECT run_id, kpi_name, value, passed FROM kpi_receipts"),
        trouble=steps.trouble,
        snapshot=phase.file("snapshot"),
        changes=phase.events("change"),
        actions=phase.events("action"),
    )


_BASELINE = {"run_kind": "baseline"}


def _key(phase: Stage, project: int) -> str:
    """The key of a start, the same whenever it is repeated."""
    return f"{phase.id}/{project}/1"


def _start(phase: Stage, project: int) -> Start:
    answer = start(phase.target("plms").client, project, _key(phase, project))
    if answer.status == httpx.codes.OK:
        phase.record("change", f"project {project} started")
    return answer


def _retries(
    phase: Stage, steps: Steps, starts: Mapping[int, Start]
) -> Iterator[tuple[int, Start]]:
    """Each start repeated; nobody goes on with that once it began a second run."""
    for project, first in starts.items():
        again = _retry(phase, steps, project)
        if again is not None:
            yield project, again
            good = first.status == again.status == httpx.codes.OK
            if good and again.body.get("run_id") != first.body.get("run_id"):
                return


def _retry(phase: Stage, steps: Steps, project: int) -> Start | None:
    """A start is repeated, as after an answer that got lost: by the operator, if there is one."""
    key = _key(phase, project)
    if not phase.embedded:
        return start(phase.target("plms").client, project, key)
    answer = steps.do("retry-start", project=project, key=key, body=_BASELINE)
    return Start(answer["status"], answer) if "status" in answer else None


def _until_both_ended(phase: Stage, steps: Steps) -> Iterator[Seen]:
    """Looks every five seconds; ten minutes before the end of the slot it is over.

    A minute into the run the portfolio is stored: while both run, not when nothing does any more.
    """
    plms, registry = phase.target("plms"), phase.file("registry")
    until = phase.window[1] - timedelta(minutes=10)
    for number, now in enumerate(every(plms.clock, 5, until=until)):
        seen = see(plms, registry, now, PROJECTS)
        if seen.sample.ended():
            return
        yield seen
        if number == _SNAPSHOT_AFTER:
            steps.do("capture-snapshot")


def _over_the_standup(phase: Stage) -> Iterator[tuple[datetime, Look]]:
    """The registry in each minute of the freeze that the slot spans, and at its end.

    Nobody waits for that in a real environment: there the looks while both run are what there is.
    """
    plms, registry = phase.target("plms"), phase.file("registry")
    begin, end = phase.window
    minutes = [
        begin + timedelta(minutes=m) for m in range(int((end - begin).total_seconds()) // 60)
    ]
    frozen = [minute for minute in minutes if phase.frozen(minute)]
    if phase.embedded and frozen and plms.clock.now() <= frozen[0]:
        for at in (*frozen, frozen[-1] + timedelta(seconds=59)):
            now = plms.clock.to(at)
            yield now, look(registry)
