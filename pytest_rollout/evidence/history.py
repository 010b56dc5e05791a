"""Which runs and decisions the ledger holds about a gate."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_rollout.evidence.facts import begun_us, partial_of
from pytest_rollout.evidence.integrity import (
    UNREADABLE,
    damage,
    damage_since,
    evidence_of,
    unreadable,
)
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import Record, RecordKind
from pytest_rollout.model.decision import Decision, from_json
from pytest_rollout.model.plan import Address


@dataclass(frozen=True, slots=True)
class AskingRun:
    """A run that asked for a gate."""

    run: str
    plan_digest: str
    finished: bool  # sealed, or stopped and said so
    beside: Mapping[str, str] = field(default_factory=dict)  # the plan's other files, by digest
    targets: Mapping[str, str] = field(default_factory=dict)  # where the plan's targets were


@dataclass(frozen=True, slots=True)
class GateStanding:
    """Where a gate stands: its last full run, and what that run decided."""

    asked: AskingRun
    damage: str | None = None  # what keeps the decision from being believed
    text: str | None = None  # the decision's stored form
    decision: Decision | None = None


def last_full_run(
    ledger: Ledger, address: Address, environment: str, until: int | None = None
) -> AskingRun | None:
    """The newest run that set out to judge a gate whole: no drill, and no partial run.

    One that never finished counts: what it would have seen is not known. Runs whose records
    cannot be read are passed over: the chain tells of them. With ``until`` the ledger is read
    as it was when the record of that sequence had just been written.
    """
    phase = address.name
    for record in ledger.runs(str(address), environment):
        records = ledger.of_run(record.run)
        if until is not None:
            records = [one for one in records if one.sequence <= until]
        if not records:
            continue
        try:
            start = json.loads(record.body)
            if str(address) not in start["gates"] or start["drill"]:
                continue
            if partial_of(evidence_of(records), phase):
                continue
            digest = str(start["plans"][address.plan])
            beside = dict(start.get("beside", {}).get(address.plan, {}))
            targets = dict(start.get("targets", {}).get(address.plan, {}))
        except UNREADABLE:
            continue
        ends = (RecordKind.SEAL, RecordKind.STOP)
        ended = any(one.kind in ends for one in records)
        return AskingRun(record.run, digest, ended, beside, targets)
    return None


def begun(ledger: Ledger, address: Address, environment: str) -> bool:
    """Whether a phase was begun in a real environment and has not ended."""
    subject = address.name
    events = ledger.find(RecordKind.EVENT, address.plan, subject, environment)
    return begun_us(events, embedded=False) is not None


def stored_decision(ledger: Ledger, address: Address, run: str) -> str | None:
    """The stored form of the decision that a run made of a gate."""
    return _document(ledger.of_run(run), address)


def _document(records: Sequence[Record], address: Address) -> str | None:
    for record in records:
        if record.kind is RecordKind.DECISION and record.subject == str(address):
            try:
                return str(json.loads(record.body)["document"])
            except UNREADABLE:
                return None
    return None


class History:
    """What the ledger says of gates; each run is checked for damage once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._damage: dict[str, str | None] = {}

    def standing(self, address: Address, environment: str) -> GateStanding | None:
        """Where a gate stands; None where no full run has asked for it."""
        asked = last_full_run(self._ledger, address, environment)
        if asked is None:
            return None
        records = self._ledger.of_run(asked.run)
        wrong = self._wrong(records)
        text = _document(records, address)
        if wrong or text is None:
            return GateStanding(asked, wrong)
        try:
            return GateStanding(asked, None, text, from_json(text))
        except UNREADABLE as error:
            return GateStanding(asked, f"its stored decision: {unreadable(error)}")

    def _wrong(self, records: Sequence[Record]) -> str | None:
        run = records[0].run
        if run not in self._damage:
            last = evidence_of(records)[-1].sequence
            self._damage[run] = damage(self._ledger, records) or damage_since(self._ledger, last)
        return self._damage[run]
