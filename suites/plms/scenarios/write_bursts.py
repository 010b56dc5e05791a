"""Nightly: many starts at the same time, on a target of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx

from pytest_rollout import BeforeAfter, NotReportedError, Stage, scenario
from suites.plms.scenarios.malformed_starts import MALFORMED, Malformed
from suites.plms.views.answers import read
from suites.plms.views.dialect import spoken
from suites.plms.views.portfolio import LANES, Sample, rows, sample
from suites.plms.views.snapshots import snapshot
from suites.plms.views.watched import newest_row, run_rows

RETRIES, ROUNDS = 50, 3
STARTS, AT_ONCE = 144, 36
REPEATS = 12  # of each malformed start
WRITERS = (4, 8, 16)
WRITES = 64  # by so many writers together
_LOOK_EVERY = 3  # starts of one of those who write
_BURST, _RETRIED, _WRITTEN, _AFTER = 1000, 1400, 1500, 1600  # projects from these on
_WAIT_S = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """A start that was asked for, what was told, and when, in seconds of one clock."""

    project: int
    sent: float
    told_at: float
    status: int
    run_id: object
    replay: bool

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.told_at - self.sent


@dataclass(frozen=True, slots=True)
class Counted:
    """How many runs of a burst the registry had, by lane and status, when it was read."""

    begun: float
    ended: float
    runs: Mapping[tuple[str, str], int]

    def count(self, lane: str, status: str) -> int:
        """How many there were of a lane and a status."""
        return self.runs.get((lane, status), 0)

    @property
    def all(self) -> int:
        """How many there were."""
        return sum(self.runs.values())


@dataclass(frozen=True, slots=True)
class Retried:
    """Calls with one key at the same time, and the rows that came of them."""

    calls: tuple[Asked, ...]
    rows: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Garbage:
    """What malformed starts were told, and what they left behind."""

    told: Mapping[str, tuple[Asked, ...]]  # by what is wrong with them
    left: BeforeAfter
    after: tuple[Asked, ...]  # proper starts right afterwards


@dataclass(frozen=True, slots=True)
class Bursts:
    """What came of all bursts."""

    retried: tuple[Retried, ...]  # a round each
    written: tuple[Asked, ...]
    rows: tuple[Mapping[str, Any], ...]  # of what was written, in the order of the registry
    looks: tuple[Counted, ...]  # while it was written, and once after it
    told: Sample  # by the portfolio, right after it
    garbage: Garbage
    writers: Mapping[int, tuple[Asked, ...]]  # starts by how many wrote at the same time


@dataclass(slots=True)
class _Service:
    """The service, asked by many at once."""

    phase: Stage
    api: httpx.Client = field(init=False)
    registry: Path = field(init=False)

    def __post_init__(self) -> None:
        self.api, self.registry = self.phase.target("plms").client, self.phase.file("registry")

    def start(self, project: int, lane: str, key: str) -> Asked:
        """Ask for a run of one task."""
        work = {"run_kind": "baseline", "lane_name": lane, "tasks": 1, "task_seconds": 60}
        body = spoken().body("start", {**work, "tags": "drill"})
        return self.ask(project, {"json": body, "headers": {"Idempotency-Key": key}})

    def ask(self, project: int, request: Mapping[str, Any]) -> Asked:
        """Ask for a run in any words."""
        sent = time.monotonic()
        answer = self.api.post(f"/api/projects/{project}/start", **request)
        told_at = time.monotonic()
        run_id = None
        with suppress(NotReportedError):  # of what is refused there is nothing to read
            run_id = read(answer, "start", any_status=True).get("run_id")
        replay = answer.headers.get("Idempotent-Replay", "").lower() == "true"
        return Asked(project, sent, told_at, answer.status_code, run_id, replay)

    def count(self, after: int) -> Counted:
        """Count the runs by lane and status, of rows that came after another."""
        query = (
            "SELECT lane_name, status, COUNT(*) AS runs FROM project_runs"
            " WHERE rowid > ? GROUP BY lane_name, status"
        )
        begun = time.monotonic()
        read = rows(self.registry, query, after)
        ended = time.monotonic()
        counted = {(row["lane_name"], row["status"]): int(row["runs"]) for row in read}
        return Counted(begun, ended, counted)


@dataclass(frozen=True, slots=True)
class _Burst:
    """Starts of all lanes, and looks into the registry meanwhile."""

    service: _Service
    before: int  # the row that was the newest one
    looks: list[Counted] = field(default_factory=list)

    def start(self, number: int) -> Asked:
        """Ask for a run, and look into the registry now and then."""
        lane = sorted(LANES)[number % len(LANES)]
        key = f"{self.service.phase.id}/burst/{number}"
        asked = self.service.start(_BURST + number, lane, key)
        if number // AT_ONCE % _LOOK_EVERY == number % _LOOK_EVERY:
            self.looks.append(self.service.count(self.before))
        return asked


@scenario(effect="disrupt", own_target=True)
def write_bursts(phase: Stage) -> Bursts:
    """Retries with one key, starts of all lanes, malformed starts, and ever more writers."""
    service = _Service(phase)
    phase.operate("plms", "enable-lane-caps")
    burst = _Burst(service, newest_row(service.registry))
    written = _together(AT_ONCE, [partial(burst.start, number) for number in range(STARTS)])
    last, told = service.count(burst.before), sample(service.api)
    stored = run_rows(service.registry, [_BURST + n for n in range(STARTS)], burst.before)
    return Bursts(
        tuple(_retried(service, round_) for round_ in range(ROUNDS)),
        written,
        tuple(stored),
        (*burst.looks, last),
        told,
        _garbage(service),
        {writers: _written(service, writers) for writers in WRITERS},
    )


def _together(at_once: int, calls: Sequence[Callable[[], Asked]]) -> tuple[Asked, ...]:
    """Make calls, so many at the same time; the first of them all begin at once."""
    ready = Barrier(at_once)

    def worker(number: int) -> list[Asked]:
        ready.wait(_WAIT_S)
        return [call() for call in calls[number::at_once]]

    with ThreadPoolExecutor(at_once) as pool:
        return tuple(asked for part in pool.map(worker, range(at_once)) for asked in part)


def _retried(service: _Service, round_: int) -> Retried:
    project = _RETRIED + round_
    before, key = newest_row(service.registry), f"{service.phase.id}/retried/{round_}"
    call = partial(service.start, project, "Narrative", key)
    calls = _together(RETRIES, [call] * RETRIES)
    return Retried(calls, tuple(run_rows(service.registry, [project], before)))


def _garbage(service: _Service) -> Garbage:
    before = snapshot(service.registry)
    ask = [(name, partial(_malformed, service, MALFORMED[name])) for name in MALFORMED] * REPEATS
    told = _together(12, [call for _, call in ask])
    by_project = {_project(each): name for name, each in MALFORMED.items()}
    left = BeforeAfter.between(before, snapshot(service.registry))
    after = _together(10, [partial(_proper, service, number) for number in range(20)])
    grouped: dict[str, list[Asked]] = {name: [] for name in MALFORMED}
    for asked in told:
        grouped[by_project[asked.project]].append(asked)
    return Garbage({name: tuple(group) for name, group in grouped.items()}, left, after)


def _project(malformed: Malformed) -> int:
    """The project that a malformed start is asked of: one for each mistake."""
    return _AFTER + 100 + [*MALFORMED.values()].index(malformed)


def _malformed(service: _Service, malformed: Malformed) -> Asked:
    return service.ask(_project(malformed), malformed.request)


def _proper(service: _Service, number: int) -> Asked:
    return service.start(_AFTER + number, "Narrative", f"{service.phase.id}/after/{number}")


def _written(service: _Service, writers: int) -> tuple[Asked, ...]:
    """Start runs by so many writers, and cancel them."""
    project = _WRITTEN + writers
    calls = [
        partial(service.start, project, "Narrative", f"{service.phase.id}/{writers}/{number}")
        for number in range(WRITES)
    ]
    told = _together(writers, calls)
    service.api.post(f"/api/projects/{project}/cancel")
    return told
