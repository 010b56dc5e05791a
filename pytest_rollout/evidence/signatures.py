"""Signatures in the ledger: adding one, and those of a gate."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.evidence.bodies import StoredSignature
from pytest_rollout.evidence.decoding import said
from pytest_rollout.evidence.ledger import Draft, Ledger
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.evidence.run_log import Told
from pytest_rollout.model.people import Signature
from pytest_rollout.model.plan import Address
from pytest_rollout.model.review import Reviewed


def add(
    ledger: Ledger, signature: Signature, armour: str, review: Reviewed | None = None
) -> Told[StoredSignature]:
    """Add a signature, or the review that stands for one, to the chain; raises LedgerError.

    Returns it as it was recorded.
    """
    plan = Address.parse(signature.gate).plan
    body = StoredSignature(signature, armour, review)
    head = ledger.append(Draft(body, "", plan, signature.gate, signature.environment))
    (record,) = ledger.between(head.sequence, head.sequence)
    return Told(record, said(record, StoredSignature))


def all_of(ledger: Ledger, gate: Address, environment: str) -> Iterator[Told[StoredSignature]]:
    """The signatures of a gate in an environment, oldest first; raises LedgerError."""
    where = (RecordKind.SIGNATURE, gate.plan, str(gate), environment)
    for record in ledger.oldest(*where):
        yield Told(record, said(record, StoredSignature))
