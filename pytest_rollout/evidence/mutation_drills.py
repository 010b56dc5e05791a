"""Mutation drills in the ledger: keeping one, and the newest of each phase."""

from __future__ import annotations

from collections.abc import Iterator
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

_Kept = tuple[str, MutationDrill]


def keep(ledger: Ledger, drill: MutationDrill) -> Head:
    """Add a mutation drill to the chain; it belongs to no run. Raises LedgerError."""
    return ledger.append(Draft(_stored(drill), "", drill.plan, drill.plan, EMBEDDED))


def to_data(drill: MutationDrill) -> Any:
    """A mutation drill as it is stored: plain values that JSON knows."""
    return encode(_stored(drill))


def _stored(drill: MutationDrill) -> StoredMutationDrill:
    stored: StoredMutationDrill = decode(StoredMutationDrill, encode(drill))
    return stored


class MutationDrills:
    """The mutation drills of a ledger; each is read once, and no more of them than are needed.

    A record that was changed, or cannot be read, is passed over. Methods raise LedgerError.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._read: dict[str, list[_Kept]] = {}
        self._unread: dict[str, Iterator[_Kept]] = {}

    def newest(self, phase: Address) -> tuple[str, MutationDrill] | None:
        """The newest that rehearsed a phase, with its time (RFC 3339, UTC); None without one."""
        for at, drill in self._of_plan(phase.plan):
            if any(
                healthy_phase.phase == phase.phase and not healthy_phase.trouble
                for healthy_phase in drill.phases
            ):
                return at, drill
        return None

    def of_gate(self, gate: Address, plan_digest: str) -> LastMutation | None:
        """What the newest says of a gate; None where none asked it anything."""
        assert gate.gate is not None
        newest = self.newest(gate)
        if newest is None:
            return None
        at, drill = newest
        score = gate_score(drill, gate.phase, gate.gate)
        if not score.asked:
            return None
        outdated = drill.plan_digest != plan_digest
        return LastMutation(at, score, drill.plan_digest, outdated, drill.whole)

    def _of_plan(self, plan: str) -> Iterator[_Kept]:
        """Those of a plan, newest first."""
        read = self._read.setdefault(plan, [])
        yield from tuple(read)
        for kept in self._unread.setdefault(plan, _kept(self._ledger, plan)):
            read.append(kept)
            yield kept


def _kept(ledger: Ledger, plan: str) -> Iterator[_Kept]:
    for record in ledger.newest(RecordKind.MUTANTS, plan, plan, EMBEDDED):
        if not as_written(record):
            continue
        try:
            stored = said(record, StoredMutationDrill)
        except UndecodableError:
            continue
        yield calendar.stamp(record.at_us), decode(MutationDrill, encode(stored))
