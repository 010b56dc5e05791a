"""Attestations in the ledger: writing one, and those that a run may be judged by."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from pytest_rollout.evidence.bodies import StoredAttestation
from pytest_rollout.evidence.clean_bodies import redacted
from pytest_rollout.evidence.decoding import said
from pytest_rollout.evidence.integrity import chain_problems
from pytest_rollout.evidence.ledger import Draft, Ledger
from pytest_rollout.evidence.records import Record, RecordKind
from pytest_rollout.model.attestation import Attestation, Proof
from pytest_rollout.model.plan import Address, Phase
from pytest_rollout.redact import hide_bytes


def attest(
    ledger: Ledger, attestation: Attestation, environment: str, content: bytes | None = None
) -> Attestation:
    """Add an attestation to the chain, its file by the digest under which it is kept.

    Returns it as it was recorded: without secrets, and at that time. Raises LedgerError.
    """
    digest = "" if content is None else ledger.attach(content).digest
    body = _body(replace(attestation, digest=digest))
    plan, _, _ = attestation.criterion.partition(".")
    head = ledger.append(Draft(body, "", plan, attestation.criterion, environment))
    return attestation_of(next(ledger.between(head.sequence, head.sequence)))


def as_kept(attestation: Attestation, content: bytes | None = None) -> Attestation:
    """Return an attestation as a ledger would hold it: this is what a person can sign."""
    digest = "" if content is None else hashlib.sha256(hide_bytes(content)).hexdigest()
    kept = redacted(_body(attestation))
    assert isinstance(kept, StoredAttestation)
    return replace(attestation, by=kept.by, note=kept.note, file=kept.file, digest=digest)


def _body(attestation: Attestation) -> StoredAttestation:
    return StoredAttestation(
        by=attestation.by,
        role=attestation.role,
        note=attestation.note,
        passed=attestation.passed,
        release=attestation.release,
        file=attestation.file,
        digest=attestation.digest,
        at=attestation.proof.at if attestation.proof else "",
        armour=attestation.proof.armour if attestation.proof else "",
    )


def all_of(ledger: Ledger, address: Address, phase: Phase, environment: str) -> list[Record]:
    """The records of attestations of a phase's criteria and of those due at its gates, in order."""
    subjects = [address.full(criterion.id) for criterion in phase.criteria if criterion.attested]
    subjects += [f"{address.plan}.{named.name}" for _, named in phase.dues]
    records: list[Record] = []
    for subject in subjects:
        records += ledger.find(RecordKind.ATTESTATION, address.plan, subject, environment)
    return sorted(records, key=lambda record: record.sequence)


def attestation_of(record: Record) -> Attestation:
    """What a record says; raises UndecodableError."""
    body = said(record, StoredAttestation)
    return Attestation(
        criterion=record.subject,
        by=body.by,
        role=body.role,
        note=body.note,
        passed=body.passed,
        at_us=record.at_us,
        release=body.release,
        file=body.file,
        digest=body.digest,
        proof=Proof(record.environment, body.at, body.armour) if body.armour else None,
    )


def known_at(
    ledger: Ledger, records: Sequence[Record], last: int, releases: set[str | None]
) -> tuple[tuple[Attestation, ...], tuple[str, ...]]:
    """The attestations recorded before a place in the chain, and what was damaged since them.

    The chain is read from the first that is of one of the releases: a later answer that was
    taken out of the ledger must not leave an earlier one standing.
    """
    before = [record for record in records if record.sequence < last]
    attestations = tuple(attestation_of(record) for record in before)
    counted = [
        record.sequence
        for record, attestation in zip(before, attestations, strict=True)
        if attestation.release in releases
    ]
    if not counted:
        return attestations, ()
    return attestations, tuple(islice(chain_problems(ledger.between(min(counted), last)), 1))


def lost_files(ledger: Ledger, records: Sequence[Record]) -> list[str]:
    """The files of attestations that are gone, or are not what was attached."""
    lost = []
    for record in records:
        attestation = attestation_of(record)
        what = ledger.lost_file(attestation.digest) if attestation.digest else None
        if what is not None:
            lost.append(f"the file of record {record.sequence} ({attestation.file}) {what}")
    return lost
