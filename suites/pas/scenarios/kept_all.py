"""Runs in each state, a key and an untold end, before and after the full service is restarted."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pytest_rollout import Reported, Stage, every, reported, scenario
from suites.pas.scenarios.gated import cases
from suites.pas.views.executed import to_their_end
from suites.pas.views.lines import lines
from suites.pas.views.pas import ENDED, Pas, full_of
from suites.pas.views.store import TABLES, Row, Store

RECEIPT: Mapping[str, Any] = {
    "agent": "suite",
    "tokens": 1200,
    "time_ms": 900.5,
    "cost_usd": 0.25,
    "energy_kwh": 0.0005,
}
KPI: Mapping[str, Any] = {"kpi": "BLEU", "value": 0.125}
REFUSALS = 5  # of PLMS, after which it takes what it is told
TOLD_S = 6  # after its start agents tell of the run that is paused
AGAIN_S = (5, 10, 20, 40, 80)
_MOST_S = 120


@dataclass(frozen=True, slots=True)
class KeptAll:
    """The runs by their state, and what the store holds of the one that agents told of."""

    before: Mapping[str, Reported]
    after: Mapping[str, Reported]
    rows: Mapping[str, Sequence[Row]]  # of the paused run, after the restart
    posted: Reported  # the answer to a KPI
    first: Reported  # the answer to a receipt under a key
    again: Reported  # and to the same one after the restart
    new_task: str  # of a card after the restart
    resumed: Reported  # the paused run in the end
    project: int


@scenario(effect="change")
def kept_all(phase: Stage) -> KeptAll:
    """A run that is planned, one that is paused with all that agents tell, and one that failed."""
    target, pas = phase.target("pas"), Pas(full_of(phase), 77)
    runs = {name: pas.new_run(f"kept-{name}") for name in ("planned", "paused", "failed")}
    pas.card(runs["planned"], "Narrative", priority=5, budget_usd=0.5)
    pas.card(runs["failed"], "Code-Impl", payload=cases(1, 1))
    bad = pas.card(runs["failed"], "Data-Schema", payload={"before": {}, "after": []})
    pas.card(runs["failed"], "Vector-Ops", [bad])
    pas.start(runs["failed"], run_kind="sandbox").text("status")
    to_their_end(target, pas, [runs["failed"]], _MOST_S)
    first = pas.card(runs["paused"], "Vector-Ops")
    pas.card(runs["paused"], "Narrative", [first])
    pas.card(runs["paused"], "Code-Impl", payload=cases(4, 0))
    pas.start(runs["paused"], weight=2.5, budget_caps={"usd": 9.0, "energy_kwh": 2.0})
    target.clock.advance(TOLD_S)
    reported(pas.tell("heartbeats", {"run_id": runs["paused"], "agent": "suite"})).text("status")
    key = {"Idempotency-Key": uuid.uuid4().hex}
    body = {"run_id": runs["paused"], "task_id": first.task, **RECEIPT}
    told = reported(pas.client.post("/pas/v1/receipts", json=body, headers=key))
    posted = reported(pas.tell("kpis", {"run_id": runs["paused"], **KPI}))
    pas.control("pause", runs["paused"])
    before = {name: pas.status(run) for name, run in runs.items()}
    phase.operate("pas", "restart")
    after = {name: pas.status(run) for name, run in runs.items()}
    again = reported(pas.client.post("/pas/v1/receipts", json=body, headers=key))
    store = Store.named_in(phase.file("receipts"))
    rows = {table: store.of_run(table, runs["paused"]) for table in TABLES}
    new_task = pas.card(runs["planned"], "Narrative").task
    reported(pas.control("resume", runs["paused"])).text("status")
    to_their_end(target, pas, [runs["paused"]], _MOST_S)
    end = pas.status(runs["paused"])
    pas.control("terminate", runs["planned"])
    return KeptAll(before, after, rows, posted, told, again, new_task, end, pas.project)


@dataclass(frozen=True, slots=True)
class Untold:
    """What PLMS received of a run whose end it refused, and of one before and after a restart."""

    patient: Sequence[Reported]
    restarted: Sequence[Reported]
    refused: int  # messages of the second before the restart


@scenario(effect="change")
def untold(phase: Stage) -> Untold:
    """PLMS refuses a run five times; then another one, after which the service is restarted."""
    target, pas = phase.target("pas"), Pas(full_of(phase))
    path, runs = phase.file("webhooks"), [pas.new_run("patient"), pas.new_run("restarted")]
    patient = _ended(phase, pas, runs[0], REFUSALS)
    for _ in every(target.clock, 5, until=target.clock.now() + timedelta(seconds=170)):
        if len(patient) > REFUSALS:
            break
        patient = _of(phase, runs[0])
    refused = len(_ended(phase, pas, runs[1], 1))
    phase.operate("pas", "restart")
    for _ in every(target.clock, 5, until=target.clock.now() + timedelta(seconds=30)):
        messages = _of(phase, runs[1])
        if any(message["status"] == 200 for message in messages):
            break
    messages = [
        message for message in lines(path, "record of webhooks") if message["run_id"] in runs
    ]
    first, second = ([message for message in messages if message["run_id"] == run] for run in runs)
    return Untold(first, second, refused)


def _ended(phase: Stage, pas: Pas, run: str, refusals: int) -> list[Reported]:
    """End a run whose message PLMS will refuse; what arrived of it."""
    target = phase.target("pas")
    target.clock.advance(2)  # what others have to tell is told before
    phase.operate("pas", "plms-fails", times=refusals)
    pas.card(run, "Vector-Ops")
    pas.start(run).text("status")
    for _ in every(target.clock, 1, until=target.clock.now() + timedelta(seconds=20)):
        if pas.status(run).text("status") in ENDED and _of(phase, run):
            break
    return _of(phase, run)


def _of(phase: Stage, run: str) -> list[Reported]:
    arrived = lines(phase.file("webhooks"), "record of webhooks")
    return [message for message in arrived if message["run_id"] == run]
