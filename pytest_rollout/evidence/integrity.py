"""Whether a run's records are whole: its chain, its batches, its seal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import (
    Draft,
    Record,
    RecordKind,
    link,
    rows_digest,
    seal_digest,
)

UNREADABLE = (
    *(ValueError, KeyError, TypeError, AttributeError, IndexError),
    *(RecursionError, OverflowError),
)


def damage(ledger: Ledger, records: Sequence[Record]) -> str | None:
    """What is wrong first with a run's records, or None where all is whole.

    ``records`` are all those of one run in order.
    """
    try:
        return next(_problems(ledger, records), None)
    except UNREADABLE as error:
        return unreadable(error)


def damage_since(ledger: Ledger, sequence: int) -> str | None:
    """What is wrong first with the chain from a record up to its head.

    Later runs are found by an index; one that the index hides would leave an older answer
    standing.
    """
    runs: list[Record] = []

    def noted() -> Iterator[Record]:
        for record in ledger.between(sequence):
            if record.kind is RecordKind.RUN:
                runs.append(record)
            yield record

    wrong = next(chain_problems(noted()), None)
    hidden = (f"the store hides record {one.sequence} (run)" for one in runs if ledger.hides(one))
    return wrong or next(hidden, None)


def unreadable(error: Exception) -> str:
    """What to say of records whose bodies are not what this version writes."""
    return f"a record cannot be read ({type(error).__name__}: {error})"


def seal_of(records: Sequence[Record]) -> Record | None:
    """The seal of a run, if it has one."""
    return next((record for record in records if record.kind is RecordKind.SEAL), None)


def evidence_of(records: Sequence[Record]) -> list[Record]:
    """What of a run's records is evidence, its seal the last; decisions are made of it."""
    seal = seal_of(records)
    return [
        record
        for record in records
        if record.kind is not RecordKind.DECISION and (not seal or record.sequence <= seal.sequence)
    ]


def chain_problems(records: Iterable[Record]) -> Iterator[str]:
    """Breaks in a stretch of the chain, each with the record where it shows."""
    before: Record | None = None
    for record in records:
        if before is not None:
            if record.sequence != before.sequence + 1:
                yield f"records are missing between {before.sequence} and {record.sequence}"
            if record.previous != before.hash:
                yield f"record {record.sequence} does not follow record {before.sequence}"
        if not as_written(record):
            yield f"record {record.sequence} ({record.kind}) was changed after it was written"
        before = record


def as_written(record: Record) -> bool:
    """Whether a record's hash is that of its columns."""
    draft = Draft(record.kind, record.run, {}, record.plan, record.subject, record.environment)
    try:
        expected = link(record.previous, draft, record.sequence, record.at_us, record.body)
    except TypeError:  # a column of a type that is never written
        return False
    return expected == record.hash


def _problems(ledger: Ledger, records: Sequence[Record]) -> Iterator[str]:
    kept = evidence_of(records)
    if not kept or kept[0].kind is not RecordKind.RUN:
        yield "its first record is gone"
        return
    yield from chain_problems(ledger.between(kept[0].sequence, kept[-1].sequence))
    yield from _after(records, kept[-1])
    if kept[-1].kind is RecordKind.SEAL:
        yield from _seal_problems(kept)
    for record in kept:
        if record.kind is RecordKind.BATCH:
            yield from _batch_problems(ledger, record)


def _after(records: Sequence[Record], last: Record) -> Iterator[str]:
    """Of what follows a run's evidence: only its decisions may, of each gate one."""
    decided = [record for record in records if record.kind is RecordKind.DECISION]
    for record in decided:
        if not as_written(record):
            yield f"record {record.sequence} ({record.kind}) was changed after it was written"
    for gate, count in Counter(record.subject for record in decided).items():
        if count > 1:
            yield f"{gate} was decided {count} times"
    if last.kind is RecordKind.SEAL:
        for record in records:
            if record.sequence > last.sequence and record.kind is not RecordKind.DECISION:
                yield f"record {record.sequence} ({record.kind}) was added after the seal"


def _seal_problems(kept: Sequence[Record]) -> Iterator[str]:
    body = json.loads(kept[-1].body)
    sealed = kept[:-1]
    if len(sealed) != body["records"]:
        yield f"the seal counts {body['records']} records, the ledger holds {len(sealed)}"
    if seal_digest(record.hash for record in sealed) != body["digest"]:
        yield "the records are not those that were sealed"


def _batch_problems(ledger: Ledger, record: Record) -> Iterator[str]:
    body = json.loads(record.body)
    rows = ledger.rows_of(record.sequence)
    where = f"record {record.sequence} ({body['item'] or 'a scenario'})"
    if len(rows) != body["observations"]:
        yield f"{where} sealed {body['observations']} observations, the ledger holds {len(rows)}"
    elif not _rows_as_written(rows, body["digest"]):
        yield f"{where}: an observation was changed after it was written"


def _rows_as_written(rows: Iterable[tuple[object, ...]], digest: str) -> bool:
    try:
        return rows_digest(rows) == digest
    except TypeError:  # a column of a type that is never written
        return False
