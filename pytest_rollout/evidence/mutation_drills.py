"""Mutation drills in the ledger: keeping one, and the newest of a phase."""

from __future__ import annotations

from typing import Any

from pytest_rollout import calendar
from pytest_rollout.evidence.decoding import UndecodableError, said
from pytest_rollout.evidence.ledger import Draft, Ledger
from pytest_rollout.evidence.mutation_bodies import StoredMutationDrill
from pytest_rollout.evidence.records import RecordKind, as_written
from pytest_rollout.model.coding import decode, encode
from pytest_rollout.model.evidence import Head
from pytest_rollout.model.mutation import LastMutation, MutationDrill, gate_score
from pytest_rollout.model.plan import EMBEDDED, Address


def keep(ledger: Ledger, drill: MutationDrill) -> Head:
    """Add a mutation drill to the chain; it belongs to no run. Raises LedgerError."""
    return ledger.append(Draft(_stored(drill), "", drill.plan, drill.plan, EMBEDDED))


def to_data(drill: MutationDrill) -> Any:
    """A mutation drill as it is stored: plain values that JSON knows."""
    return encode(_stored(drill))


def _stored(drill: MutationDrill) -> StoredMutationDrill:
    stored: StoredMutationDrill = decode(StoredMutationDrill, encode(drill))
    return stored


def newest(ledger: Ledger, phase: Address) -> tuple[str, MutationDrill] | None:
    """The newest mutation drill that rehearsed a phase, with its time (RFC 3339, UTC).

    None where there is none. A record that was changed, or cannot be read, is passed over.
    Raises LedgerError.
    """
    for record in ledger.newest(RecordKind.MUTANTS, phase.plan, phase.plan, EMBEDDED):
        if not as_written(record):
            continue
        try:
            stored = said(record, StoredMutationDrill)
        except UndecodableError:
            continue
        if any(one.phase == phase.phase and not one.trouble for one in stored.phases):
            return calendar.stamp(record.at_us), decode(MutationDrill, encode(stored))
    return None


def last_mutation(ledger: Ledger, gate: Address, plan_digest: str) -> LastMutation | None:
    """What the newest mutation drill says of a gate; None where none asked it anything."""
    assert gate.gate is not None
    found = newest(ledger, gate)
    if found is None:
        return None
    at, drill = found
    score = gate_score(drill, gate.phase, gate.gate)
    outdated = drill.plan_digest != plan_digest
    if not score.asked:
        return None
    return LastMutation(at, score, drill.plan_digest, outdated, drill.whole)
