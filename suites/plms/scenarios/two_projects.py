"""The scenarios of PLMS: work done once per phase, and what was seen of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from pytest_rollout import Event, Stage, every, scenario
from suites.plms.views.portfolio import LANES, PROJECTS, Sample, Start, caps, runs, sample, start


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What was seen while the two projects ran."""

    idle: Sample  # once the caps were enabled, before anything ran
    starts: dict[int, Start]
    samples: tuple[Sample, ...]
    caps: dict[str, int]
    runs: list[dict[str, Any]]
    snapshot: Path
    changes: tuple[Event, ...]
    actions: tuple[Event, ...]


@scenario(effect="change", own_target=True)
def two_projects(phase: Stage) -> Rehearsal:
    """Lane caps are enabled, 101 and 102 start, and are sampled every 5 s until both ended."""
    plms = phase.target("plms")
    phase.operate("plms", "enable-lane-caps")
    plms.clock.to(phase.window[0] + timedelta(minutes=5))
    idle = sample(plms.client)
    starts = {project: _start(phase, project) for project in PROJECTS}
    _retry(phase, 101)
    seen = tuple(_until_both_ended(phase))
    phase.operate("plms", "capture-snapshot")
    phase.operate("plms", "close-shift")
    registry = phase.file("registry")
    return Rehearsal(
        idle=idle,
        starts=starts,
        samples=seen,
        caps=caps(registry),
        runs=runs(registry),
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


def _retry(phase: Stage, project: int) -> None:
    """A start is repeated, as after an answer that got lost: by the operator, if there is one."""
    key = _key(phase, project)
    if phase.embedded:
        phase.operate("plms", "retry-start", project=project, key=key, body=_BASELINE)
    else:
        start(phase.target("plms").client, project, key)


def _until_both_ended(phase: Stage) -> Iterator[Sample]:
    """Samples every five seconds; ten minutes before the end of the slot it is over."""
    plms = phase.target("plms")
    for _ in every(plms.clock, 5, until=phase.window[1] - timedelta(minutes=10)):
        seen = sample(plms.client)
        if seen.ended():
            return
        yield seen


@dataclass(frozen=True, slots=True)
class Burst:
    """What was seen while every lane had three projects more than its cap."""

    starts: tuple[Start, ...]
    samples: tuple[Sample, ...]


@scenario(effect="disrupt", own_target=True)
def burst(phase: Stage) -> Burst:
    """Every lane gets three submissions more than its cap at once."""
    plms = phase.target("plms")
    phase.operate("plms", "enable-lane-caps")
    wanted = [lane for lane, cap in LANES.items() for _ in range(cap + 3)]
    starts = tuple(
        start(
            plms.client,
            900 + number,
            f"{phase.id}/burst/{number}",
            lane_name=lane,
            tasks=1,
            task_seconds=60,
        )
        for number, lane in enumerate(wanted)
    )
    until = plms.clock.now() + timedelta(minutes=2)
    return Burst(starts, tuple(sample(plms.client) for _ in every(plms.clock, 5, until)))


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What the rollback left behind."""

    caps: dict[str, int]
    cancelled: dict[int, int]  # project to HTTP status of the cancel
    later: Sample  # half a minute after


@scenario(effect="disrupt", own_target=True)
def rolled_back(phase: Stage) -> RolledBack:
    """Two projects run when the day's changes are rolled back."""
    plms = phase.target("plms")
    phase.operate("plms", "enable-lane-caps")
    for project in PROJECTS:
        start(plms.client, project, _key(phase, project))
    phase.operate("plms", "roll-back")
    cancelled = {
        project: plms.client.post(f"/api/projects/{project}/cancel").status_code
        for project in PROJECTS
    }
    plms.clock.advance(30)
    return RolledBack(caps(phase.file("registry")), cancelled, sample(plms.client))
