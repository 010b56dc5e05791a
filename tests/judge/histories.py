"""Histories of runs as they are written to a real ledger, and their interruptions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any
from unittest import mock

from hypothesis import strategies as st

from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import Batch, Observation, RecordKind, seal_digest
from pytest_rollout.evidence.sqlite import sqlite_store
from pytest_rollout.evidence.world import read_world
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.plan import Address, Plan
from tests.evidence import memory
from tests.evidence.runs import Place, append, opened, tamper
from tests.judge.drawn_plans import BASE, by_days, gate_of, rules_of
from tests.judge.drawn_values import values
from tests.judge.drawn_worlds import DAY, END, NIGHTS, NOONS
from tests.judge.worlds import NINE, SECOND, decided

PHASE = "p.one"
PASS = (("pass", ""),)
FAIL = (("fail", "it broke"),)
_MANIFEST = RecordKind.MANIFEST


@dataclass(frozen=True)
class Told:
    """One thing that a run tells the ledger, ``at`` seconds after nine."""

    run: str
    kind: RecordKind
    at: int
    worker: str = "main"
    item: str = ""
    body: Any = None
    attempts: tuple[tuple[str, str], ...] = PASS
    observed: tuple[Observation, ...] = ()


History = tuple[Told, ...]


def begin(plan: Plan) -> int:
    """When the phase was begun, in seconds after nine: a day ago where a day is to be over."""
    return -DAY if any(map(by_days, rules_of(plan))) else 0


@st.composite
def histories(draw: st.DrawFn, plan: Plan) -> History:
    """A phase was begun; perhaps a run was, and then the run that decides.

    Where a rule asks for a day that is over, the first run was on the day before.
    """
    at = begin(plan)
    begun = Told(
        "cli", RecordKind.EVENT, at - 1, body={"type": "begin", "t_us": NINE + at * SECOND}
    )
    before = draw(st.sampled_from((NOONS[-1], NIGHTS[-1]))) if at else END - 300
    earlier = draw(runs(plan, "r0", before)) if draw(st.integers(0, 3)) else ()
    return (begun, *earlier, *draw(runs(plan, "r1", END - 100)))


@st.composite
def runs(draw: st.DrawFn, plan: Plan, run: str, at: int) -> History:
    """A sealed run of one or two workers, for the most part good."""
    items = {f"{PHASE}.{one.id}": [f"t.py::test_{one.id}"] for one in plan.phases[0].criteria}
    items[f"{PHASE}.c0"].append("t.py::test_c0_too")
    workers = draw(st.sampled_from((("main",), ("gw0", "gw1"))))
    told = [Told(run, RecordKind.RUN, at), _release(run, at, "start")]
    for worker in workers:
        listed = {name: draw(st.permutations(bound)) for name, bound in items.items()}
        manifest = {"items": listed, "phases": {}, "dropped": {}, "broken": [], "absent": []}
        told.append(Told(run, _MANIFEST, at + 1, worker, body=manifest))
    names = [*(name for bound in items.values() for name in bound), "t.py::test_else"]
    for index, name in enumerate(draw(st.permutations(names))):
        when = at + 5 + 5 * index
        told.append(
            Told(
                run,
                RecordKind.BATCH,
                when,
                draw(st.sampled_from(workers)),
                name,
                attempts=draw(st.sampled_from((PASS,) * 12 + (FAIL, FAIL + PASS))),
                observed=draw(observed(plan, when)),
            )
        )
    told += [_release(run, at + 60, "end"), Told(run, RecordKind.SEAL, at + 60, body=())]
    return tuple(told)


def _release(run: str, at: int, when: str) -> Told:
    body = {"when": when, "release": "v1", "configuration": None, "reference": None, "error": None}
    return Told(run, RecordKind.RELEASE, at, body=body)


@st.composite
def observed(draw: st.DrawFn, plan: Plan, at: int) -> tuple[Observation, ...]:
    """What one check observed of both sides; most of it is good, and seldom it is to come yet."""
    found: list[Observation] = []
    for rule in rules_of(plan):
        for index in range(draw(st.integers(0, 2))):
            other = rule.versus if draw(st.booleans()) else None
            value = draw(values(rule, good=bool(draw(st.integers(0, 6))), other=other is not None))
            t = at - draw(st.sampled_from((0, 1, 60, 200) * 5 + (-200,)))
            if other is not None and other.frozen:
                t = begin(plan) - 60
            site = BASE if other is not None and other.where else "x"
            lane = (("lane", draw(st.sampled_from("AB"))),) if rule.each else ()
            metric = rule.metric if other is None else other.metric
            slot = (metric, (*lane, ("site", site)), NINE + t * SECOND, NINE + at * SECOND, index)
            found.append(Observation("p", "one", *slot, "lost" if value is None else value))
    return tuple(found)


IN_MEMORY = Path(":memory:")


def decision_of(
    plan: Plan, history: Iterable[Told], change: str = "", store: str = "sqlite"
) -> Decision:
    """The decision of the run r1 from a ledger that was told a history, and then changed."""
    changes = (change,) if change else ()
    if store == "memory":
        with memory.fresh() as address:
            return _decision_of(plan, history, address, *changes)
    if not change:
        return _decision_of(plan, history, IN_MEMORY)
    with TemporaryDirectory() as folder:
        return _decision_of(plan, history, Path(folder, "ledger.db"), change)


def _decision_of(plan: Plan, history: Iterable[Told], path: Place, *changes: str) -> Decision:
    with opened(path) as ledger:
        for told in history:
            with _clock(told.at):
                _write(ledger, plan, told)
        if changes:
            tamper(path, *changes)
        address = Address("p", "one", gate_of(plan))
        reading = read_world(ledger, "r1", address, plan.phases[0])
        return decided(plan, reading.world, gate_of(plan), reading.at_us)


@contextmanager
def _clock(at: int) -> Any:
    fake = SimpleNamespace(time_ns=lambda: (NINE + at * SECOND) * 1000)
    with mock.patch.object(sqlite_store, "time", fake), mock.patch.object(memory, "time", fake):
        yield


def _write(ledger: Ledger, plan: Plan, told: Told) -> None:
    body: Any = told.body
    match told.kind:
        case RecordKind.BATCH:
            batch = Batch(told.item, PHASE, told.attempts, told.observed)
            ledger.append_batch(told.run, "prod", batch, told.worker)
            return
        case RecordKind.RUN:
            body = {
                "plans": {"p": plan.digest},
                "gates": [f"{PHASE}/entry", f"{PHASE}/exit"],
                "partial": [],
                "drill": None,
                "configured": {"KEY": True},
                "zone_data": "2025b",
                "versions": {},
            }
        case RecordKind.SEAL:
            before = ledger.of_run(told.run)
            digest = seal_digest(record.hash for record in before)
            body = {"problems": list(told.body), "records": len(before), "digest": digest}
        case RecordKind.MANIFEST:
            body = {"worker": told.worker, **told.body}
    phased = told.kind in (RecordKind.RELEASE, RecordKind.EVENT)
    where = ("p", PHASE, "prod") if phased else ("", "", "prod")
    append(ledger, told.kind, told.run, body, *where)


def places(history: History, run: str) -> list[int]:
    """Where the records of a run stand."""
    return [index for index, told in enumerate(history) if told.run == run]


def _a_run(draw: st.DrawFn, history: History) -> str:
    return draw(st.sampled_from(sorted({told.run for told in history} - {"cli"})))


def cut(draw: st.DrawFn, plan: Plan, history: History) -> History:
    """A run was killed between two of its records; before its manifest it has run nothing."""
    run = _a_run(draw, history)
    mine = places(history, run)
    least = next(n for n, place in enumerate(mine, 1) if history[place].kind is _MANIFEST)
    gone = set(mine[draw(st.integers(least, max(least, len(mine) - 1))) :])
    return tuple(told for index, told in enumerate(history) if index not in gone)


def stopped(draw: st.DrawFn, plan: Plan, history: History) -> History:
    """A run was stopped, and said so."""
    run = _a_run(draw, history)
    left = [told for told in history if told.run != run or told.kind is not RecordKind.SEAL]
    last = places(tuple(left), run)[-1]
    left.insert(last + 1, Told(run, RecordKind.STOP, left[last].at, body={"why": "stopped"}))
    return tuple(left)


def lost_worker(draw: st.DrawFn, plan: Plan, history: History) -> History:
    """A worker died before some of its checks, and the run says so in its seal."""
    run = _a_run(draw, history)
    workers = sorted({told.worker for told in history if told.run == run and told.item})
    if not workers:
        return history
    worker = draw(st.sampled_from(workers))
    its = [i for i in places(history, run) if history[i].item and history[i].worker == worker]
    gone = set(its[draw(st.integers(0, len(its))) :])
    said = (f"worker {worker} was lost",)
    return tuple(
        dataclasses.replace(told, body=said)
        if (told.run, told.kind) == (run, RecordKind.SEAL)
        else told
        for index, told in enumerate(history)
        if index not in gone
    )


def lost_report(draw: st.DrawFn, plan: Plan, history: History) -> History:
    """A bound check never reported, and nobody says why."""
    bound = [index for index, told in enumerate(history) if told.item.startswith("t.py::test_c")]
    if not bound:
        return history
    gone = draw(st.sampled_from(bound))
    return history[:gone] + history[gone + 1 :]


def failed(draw: st.DrawFn, plan: Plan, history: History) -> History:
    """An attempt of a check failed, before those that are known or after."""
    batches = [index for index, told in enumerate(history) if told.item]
    if not batches:
        return history
    place = draw(st.sampled_from(batches))
    told = history[place]
    attempts = draw(st.sampled_from((FAIL + told.attempts, told.attempts + FAIL, FAIL)))
    return (
        *history[:place],
        dataclasses.replace(told, attempts=attempts),
        *history[place + 1 :],
    )


def undecodable(draw: st.DrawFn, plan: Plan, history: History) -> History:
    """A value arrived as something that is no number."""
    full = [index for index, told in enumerate(history) if told.observed]
    if not full:
        return history
    place = draw(st.sampled_from(full))
    told = history[place]
    seen = list(told.observed)
    one = draw(st.integers(0, len(seen) - 1))
    text = draw(st.sampled_from(("", "NaN", "{")))
    seen[one] = dataclasses.replace(seen[one], value=text)
    changed = dataclasses.replace(told, observed=tuple(seen))
    return (*history[:place], changed, *history[place + 1 :])


Interruption = Callable[[st.DrawFn, Plan, History], History]
INTERRUPTIONS: Sequence[Interruption] = (
    cut,
    cut,
    stopped,
    lost_worker,
    lost_report,
    failed,
    undecodable,
)


@st.composite
def interrupted(draw: st.DrawFn, plan: Plan, history: History) -> tuple[str, History]:
    """One interruption: its name, and the history after it."""
    chosen = draw(st.sampled_from(INTERRUPTIONS))
    return chosen.__name__, chosen(draw, plan, history)


@st.composite
def damages(draw: st.DrawFn, history: History) -> str:
    """A change of the ledger behind its back: something is deleted, edited or reordered."""
    record = draw(st.integers(1, len(history)))
    observation = draw(st.integers(1, max(1, sum(len(told.observed) for told in history))))
    return draw(
        st.sampled_from(
            (
                f"DELETE FROM records WHERE sequence = {record}",
                f"DELETE FROM records WHERE sequence >= {max(record, 7)}",
                f"UPDATE records SET sequence = -sequence WHERE sequence = {record}",
                f"UPDATE records SET at_us = at_us + 1 WHERE sequence = {record}",
                f"UPDATE records SET run = 'r9' WHERE sequence = {record}",
                f"UPDATE records SET environment = 'x' WHERE sequence = {record}",
                f"DELETE FROM observations WHERE id = {observation}",
                f"UPDATE observations SET value = '1' WHERE id = {observation}",
                f"UPDATE observations SET t_us = 0 WHERE id = {observation}",
                f"UPDATE observations SET batch = batch - 1 WHERE id = {observation}",
            )
        )
    )


@st.composite
def retold(draw: st.DrawFn, history: History) -> History:
    """The same reports in another order, some of them twice, within the same time."""
    told: list[Told] = []
    for run in ("cli", "r0", "r1"):
        mine = [one for one in history if one.run == run]
        reports = [one for one in mine if one.kind in (RecordKind.BATCH, _MANIFEST)]
        if not reports:
            told += mine
            continue
        twice = draw(st.lists(st.sampled_from(reports), max_size=2))
        mixed = draw(st.permutations([*reports, *twice]))
        first, last = mine.index(reports[0]), mine.index(reports[-1])
        told += mine[:first]
        told += [dataclasses.replace(one, at=reports[0].at) for one in mixed]
        told += mine[last + 1 :]
    return tuple(told)
