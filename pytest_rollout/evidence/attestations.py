"""Attestations in the ledger: writing one, and those that a run may be judged by."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pytest_rollout.evidence import attachments
from pytest_rollout.evidence.integrity import chain_problems
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import Draft, Record, RecordKind
from pytest_rollout.model.attestation import Attestation
from pytest_rollout.model.errors import LedgerError, RolloutError
from pytest_rollout.model.plan import Address, Phase


def attest(
    ledger: Ledger, one: Attestation, environment: str, content: bytes | None = None
) -> None:
    """Add an attestation to the chain, its file kept beside the ledger by its digest.

    Its time is that of recording. Raises LedgerError.
    """
    if content is not None:
        try:
            attachments.keep(attachments.folder_of(ledger.path), content)
        except OSError as error:
            raise LedgerError(f"{error.filename} cannot be written: {error.strerror}") from error
    body = {
        "by": one.by,
        "role": one.role,
        "note": one.note,
        "passed": one.passed,
        "release": one.release,
        "file": one.file,
        "digest": one.digest,
    }
    plan, _, _ = one.criterion.partition(".")
    ledger.append(Draft(RecordKind.ATTESTATION, "", body, plan, one.criterion, environment))


def file_bytes(path: Path) -> bytes:
    """A file's bytes; raises RolloutError where it cannot be read or is too large to be kept."""
    try:
        if path.stat().st_size > attachments.MAX_FILE:
            raise RolloutError(f"{path} is larger than {attachments.MAX_FILE} bytes")
        return path.read_bytes()
    except OSError as error:
        raise RolloutError(f"{path} cannot be read: {error.strerror}") from error


def all_of(ledger: Ledger, address: Address, phase: Phase, environment: str) -> list[Record]:
    """The records of attestations of a phase's criteria, in order."""
    found: list[Record] = []
    for criterion in phase.criteria:
        if criterion.attested:
            subject = address.full(criterion.id)
            found += ledger.find(RecordKind.ATTESTATION, address.plan, subject, environment)
    return sorted(found, key=lambda record: record.sequence)


def attestation_of(record: Record) -> Attestation:
    """What a record says; raises ValueError, KeyError or TypeError where it cannot be read."""
    body: Mapping[str, Any] = json.loads(record.body)
    return Attestation(
        criterion=record.subject,
        by=str(body["by"]),
        role=str(body["role"]),
        note=str(body["note"]),
        passed=body["passed"] is True,
        at_us=record.at_us,
        release=body["release"],
        file=str(body["file"]),
        digest=str(body["digest"]),
    )


def known_at(
    ledger: Ledger, records: Sequence[Record], last: int, releases: set[str | None]
) -> tuple[tuple[Attestation, ...], tuple[str, ...]]:
    """The attestations recorded before a place in the chain, and what was damaged since them.

    The chain is read from the first that is of one of the releases: a later answer that was
    taken out of the ledger must not leave an earlier one standing.
    """
    before = [record for record in records if record.sequence < last]
    found = tuple(attestation_of(record) for record in before)
    counted = [
        record.sequence
        for record, one in zip(before, found, strict=True)
        if one.release in releases
    ]
    if not counted:
        return found, ()
    return found, tuple(islice(chain_problems(ledger.between(min(counted), last)), 1))


def lost_files(ledger: Ledger, records: Sequence[Record]) -> list[str]:
    """The files of attestations that are gone, or are not what was attached."""
    lost = []
    folder = attachments.folder_of(ledger.path)
    for record in records:
        one = attestation_of(record)
        if not one.digest:
            continue
        what = attachments.damage(folder, one.digest)
        if what is not None:
            lost.append(f"the file of record {record.sequence} ({one.file}) {what}")
    return lost
