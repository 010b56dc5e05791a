"""Day 3: more work than a lane may run, and the way back. Each on a target of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pytest_rollout import LiveTarget, Stage, every, scenario
from suites.plms.views.portfolio import LANES, PROJECTS, Start, caps, start
from suites.plms.views.watched import Look, Seen, look, see

LOWERED = "Data-Schema"  # whose cap is lowered while it runs more
RAISED = "Viz-Charts"  # whose cap is raised by one while its queue is full
UNLIMITED = 999
SURPLUS = 3
HOG, MANY, FEW = "Code-API", 32, 4  # without caps: the lane with most runs, and those of the others
_TASK_S = 60
NEIGHBOURS = (898, 899)  # two projects of one lane, each with more work than its cap


@dataclass(frozen=True, slots=True)
class Burst:
    """What was seen while every lane had more work than it may run."""

    starts: tuple[Start, ...]
    full: Seen  # exactly as many runs as the cap in each lane
    crowded: tuple[Seen, ...]  # three more than the cap in each lane
    raised: tuple[Seen, ...]  # the cap of one lane is one more, until all has run
    contended: tuple[Seen, ...]  # without caps: one lane has work for all slots there are
    shared: tuple[Seen, ...]  # once the tasks that ran when the others came have ended
    neighbours: tuple[Seen, ...]  # under the caps: one lane with two projects, each beyond its cap

    @property
    def capped(self) -> tuple[Seen, ...]:
        """What was seen under the caps."""
        return (self.full, *self.crowded, *self.raised)

    @property
    def looks(self) -> tuple[Seen, ...]:
        """All that was seen, in its order."""
        return (*self.capped, *self.contended, *self.shared)


@scenario(effect="disrupt", own_target=True)
def burst(phase: Stage) -> Burst:
    """Every lane gets as many runs as its cap, then three more; each run is one task.

    At last the caps are lifted and one lane gets more than its share, so that slots are short.
    """
    work = _Work(phase)
    phase.operate("plms", "enable-lane-caps")
    starts = [work.start(lane) for lane, cap in LANES.items() for _ in range(cap)]
    full = work.see()
    starts += [work.start(lane) for lane in LANES for _ in range(SURPLUS)]
    crowded = tuple(work.watch(30))
    set_caps(work.registry, {RAISED: LANES[RAISED] + 1})
    work.plms.clock.advance(5)
    raised = tuple(work.watch(_TASK_S * 3))
    set_caps(work.registry, dict.fromkeys(LANES, UNLIMITED))
    wanted = [HOG] * MANY + [lane for lane in LANES if lane != HOG for _ in range(FEW)]
    starts += [work.start(lane) for lane in wanted]
    contended = tuple(work.watch(_TASK_S))
    work.plms.clock.advance(5)
    shared = tuple(work.watch(_TASK_S - 10))
    neighbours = tuple(_neighbours(work))
    return Burst(tuple(starts), full, crowded, raised, contended, shared, neighbours)


def _neighbours(work: _Work) -> Iterator[Seen]:
    """Look at two projects of one lane for two minutes, once all older work has ended."""
    set_caps(work.registry, LANES)
    work.plms.clock.advance(_TASK_S * 10)
    for project in NEIGHBOURS:
        key = f"{work.phase.id}/neighbour/{project}"
        body = {"lane_name": HOG, "tasks": 6 * LANES[HOG], "task_seconds": _TASK_S // 2}
        start(work.plms.client, project, key, **body)
    yield from work.watch(_TASK_S * 2)


class _Work:
    """Runs of one task and one minute, each of a project of its own."""

    def __init__(self, phase: Stage) -> None:
        self.plms: LiveTarget = phase.target("plms")
        self.registry = phase.file("registry")
        self.phase = phase
        self._project = 900

    def start(self, lane: str, seconds: int = _TASK_S) -> Start:
        """Submit one more."""
        self._project += 1
        key = f"{self.phase.id}/burst/{self._project}"
        work = {"lane_name": lane, "tasks": 1, "task_seconds": seconds}
        return start(self.plms.client, self._project, key, **work)

    def see(self) -> Seen:
        """Look now."""
        return see(self.plms, self.registry, self.plms.clock.now(), PROJECTS)

    def watch(self, seconds: int) -> Iterator[Seen]:
        """Look now, and every five seconds for so long."""
        until = self.plms.clock.now() + timedelta(seconds=seconds)
        for now in every(self.plms.clock, 5, until):
            yield see(self.plms, self.registry, now, PROJECTS)


def set_caps(registry: Path, wanted: Mapping[str, int]) -> None:
    """Set caps in lane_configs, as the commands of the plan do."""
    with closing(sqlite3.connect(registry)) as db, db:
        query = "UPDATE lane_configs SET max_concurrent = ? WHERE lane_name = ?"
        db.executemany(query, [(cap, lane) for lane, cap in wanted.items()])


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What the rollback left behind."""

    before: Seen  # both run, under the caps of the plan
    lifted: Seen  # five seconds after the caps were lifted
    caps: dict[str, int]  # once they were lifted
    cancelled: dict[int, int]  # project to HTTP status of the cancel
    later: tuple[Seen, Seen]  # half a minute after, and once more
    apart: tuple[Look, Look]  # one of two projects in a lane was cancelled: at once, later
    freed: Mapping[str, int]  # of as many runs as the caps of the plan, all at once: how many run
    more: Mapping[str, tuple[int, int]]  # of one run more than the cap: how many run, how many wait
    earlier_caps: dict[str, int]  # before the day
    restored_caps: dict[str, int]
    again: Mapping[str, tuple[int, int]]  # the same under the restored caps
    lowered: tuple[Seen, ...]  # caps were restored while a lane ran more, and more was waiting


@scenario(effect="disrupt", own_target=True)
def rolled_back(phase: Stage) -> RolledBack:
    """Two projects run when the day's changes are rolled back; then lanes are given work again."""
    work = _Work(phase)
    earlier = caps(work.registry)
    phase.operate("plms", "enable-lane-caps")
    for project in PROJECTS:
        start(work.plms.client, project, f"{phase.id}/{project}/1")
    work.plms.clock.advance(30)
    before = work.see()
    phase.operate("plms", "roll-back")
    lifted_caps = caps(work.registry)
    work.plms.clock.advance(5)
    lifted = work.see()
    cancelled = {
        project: work.plms.client.post(f"/api/projects/{project}/cancel").status_code
        for project in PROJECTS
    }
    later = tuple(_looks_apart(work))
    apart = _one_of_two(work)
    freed = _at_once(work, LANES)
    more = {lane: _one_more(work, lane, cap) for lane, cap in LANES.items()}
    for _ in range(2 * earlier[LOWERED]):
        work.start(LOWERED)
    work.plms.clock.advance(5)
    phase.operate("plms", "restore-lane-caps")
    restored = caps(work.registry)
    lowered = tuple(_lowered(work))
    again = {lane: _one_more(work, lane, cap) for lane, cap in earlier.items()}
    return RolledBack(
        before,
        lifted,
        lifted_caps,
        cancelled,
        (later[0], later[1]),
        apart,
        freed,
        more,
        earlier,
        restored,
        again,
        lowered,
    )


def _lowered(work: _Work) -> Iterator[Seen]:
    """Look while a lane runs more than its new cap, and while what waits behind it runs."""
    yield work.see()
    for _ in range(SURPLUS):
        work.start(LOWERED)
    work.plms.clock.advance(5)
    yield from work.watch(_TASK_S * 3)
    work.plms.clock.advance(_TASK_S * 2)


def _looks_apart(work: _Work) -> Iterator[Seen]:
    for seconds in (30, 25):
        work.plms.clock.advance(seconds)
        yield work.see()


def _one_of_two(work: _Work) -> tuple[Look, Look]:
    """Start two projects in one lane and cancel the first; the other has ended afterwards."""
    for project in NEIGHBOURS:
        key = f"{work.phase.id}/apart/{project}"
        start(work.plms.client, project, key, lane_name=HOG, tasks=1, task_seconds=_TASK_S)
    work.plms.client.post(f"/api/projects/{NEIGHBOURS[0]}/cancel")
    looks = []
    for seconds in (5, _TASK_S * 2):
        work.plms.clock.advance(seconds)
        looks.append(look(work.registry, NEIGHBOURS))
    return looks[0], looks[1]


def _at_once(work: _Work, wanted: Mapping[str, int]) -> dict[str, int]:
    """Start so many runs in each lane: how many run, by the registry; all have ended afterwards."""
    had = {run["run_id"] for run in work.see().look.runs}
    for lane, count in wanted.items():
        for _ in range(count):
            work.start(lane)
    work.plms.clock.advance(5)
    mine = [run for run in work.see().look.runs if run["run_id"] not in had]
    running = [run["lane_name"] for run in mine if run["status"] == "executing"]
    work.plms.clock.advance(_TASK_S * 2)
    return {lane: running.count(lane) for lane in wanted}


def _one_more(work: _Work, lane: str, cap: int) -> tuple[int, int]:
    """Start one run more than a cap in a lane: how many run and how many wait, by the registry.

    What was there before is not counted, and all of it has ended afterwards.
    """
    had = {run["run_id"] for run in work.see().look.runs}
    for _ in range(cap + 1):
        work.start(lane)
    work.plms.clock.advance(5)
    mine = [run for run in work.see().look.runs if run["run_id"] not in had]
    counted = _count(mine, "executing"), _count(mine, "submitted")
    work.plms.clock.advance(_TASK_S * 2)
    return counted


def _count(runs: Collection[Mapping[str, object]], status: str) -> int:
    return sum(run["status"] == status for run in runs)
