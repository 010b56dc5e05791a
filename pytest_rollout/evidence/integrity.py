"""Whether a run's records are whole: its chain, its batches, its seal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import (
    Draft,
    Record,
    RecordKind,
    link,
    rows_digest,
    seal_digest,
)


def damage(ledger: Ledger, records: Sequence[Record]) -> str | None:
    """What is wrong first with a run's records, or None where all is whole.

    ``records`` are those of one run in order, its seal among them.
    """
    return next(_problems(ledger, records), None)


def seal_of(records: Sequence[Record]) -> Record | None:
    """The seal of a run, if it has one."""
    return next((record for record in records if record.kind is RecordKind.SEAL), None)


def _problems(ledger: Ledger, records: Sequence[Record]) -> Iterator[str]:
    seal = seal_of(records)
    if seal is None:
        return
    sealed = [record for record in records if record.sequence < seal.sequence]
    yield from chain_problems(ledger.between(records[0].sequence, seal.sequence))
    body = json.loads(seal.body)
    if len(sealed) != body["records"]:
        yield f"the seal counts {body['records']} records, the ledger holds {len(sealed)}"
    if seal_digest(record.hash for record in sealed) != body["digest"]:
        yield "the records are not those that were sealed"
    for record in sealed:
        if record.kind is RecordKind.BATCH:
            yield from _batch_problems(ledger, record)


def chain_problems(records: Sequence[Record]) -> Iterator[str]:
    """Breaks in a stretch of the chain, each with the record where it shows."""
    for before, record in zip([None, *records], records, strict=False):
        if before is not None:
            if record.sequence != before.sequence + 1:
                yield f"records are missing between {before.sequence} and {record.sequence}"
            if record.previous != before.hash:
                yield f"record {record.sequence} does not follow record {before.sequence}"
        draft = Draft(record.kind, record.run, {}, record.plan, record.subject, record.environment)
        expected = link(record.previous, draft, record.sequence, record.at_us, record.body)
        if expected != record.hash:
            yield f"record {record.sequence} ({record.kind}) was changed after it was written"


def _batch_problems(ledger: Ledger, record: Record) -> Iterator[str]:
    body = json.loads(record.body)
    rows = ledger.rows_of(record.sequence)
    where = f"record {record.sequence} ({body['item'] or 'a scenario'})"
    if len(rows) != body["observations"]:
        yield f"{where} sealed {body['observations']} observations, the ledger holds {len(rows)}"
    elif rows_digest(rows) != body["digest"]:
        yield f"{where}: an observation was changed after it was written"
