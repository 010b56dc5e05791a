"""Verifying a whole ledger: its chain from the first record, every run, and its tail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pytest_rollout.evidence.integrity import chain_problems, damage
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import GENESIS, Record, RecordKind
from pytest_rollout.model.evidence import Head


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place in the chain that somebody noted outside of the ledger."""

    head: Head
    source: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a ledger holds, and what is wrong with it, the first break first."""

    records: int
    runs: int
    unfinished: tuple[str, ...]  # runs without a seal or a stop; shown as such for ever
    anchored: Anchor | None  # the newest anchor that fits
    problems: tuple[str, ...]


def verify(ledger: Ledger, anchors: Iterable[Anchor]) -> Verification:
    """Read every record once and check chain, runs and anchors.

    Without an anchor a cut tail cannot be seen. Raises LedgerError where it cannot be read.
    """
    records = list(ledger.between(0))
    runs: dict[str, list[Record]] = {}
    for record in records:
        if record.run:
            runs.setdefault(record.run, []).append(record)
    found = [*_start(records), *chain_problems(records), *_lost_rows(ledger, records)]
    for name, mine in runs.items():
        wrong = damage(ledger, mine)
        if wrong:
            found.append(f"run {name}: {wrong}")
    fitting, missed = _anchors(records, anchors)
    return Verification(
        records=len(records),
        runs=len(runs),
        unfinished=tuple(name for name, mine in runs.items() if not _ended(mine)),
        anchored=max(fitting, key=lambda anchor: anchor.head.sequence, default=None),
        problems=(*dict.fromkeys(found), *missed),
    )


def _start(records: list[Record]) -> Iterator[str]:
    if records and (records[0].sequence, records[0].previous) != (1, GENESIS):
        yield f"the records before {records[0].sequence} are gone"


def _lost_rows(ledger: Ledger, records: list[Record]) -> Iterator[str]:
    """Observations of records that are not there."""
    batches = {one.sequence for one in records if one.kind is RecordKind.BATCH}
    for batch in ledger.batches_seen():
        if batch not in batches:
            yield f"observations of record {batch}, which is no check's record"


def _ended(records: list[Record]) -> bool:
    return any(one.kind in (RecordKind.SEAL, RecordKind.STOP) for one in records)


def _anchors(records: list[Record], anchors: Iterable[Anchor]) -> tuple[list[Anchor], list[str]]:
    known = {record.sequence: record.hash for record in records}
    fitting: list[Anchor] = []
    missed: list[str] = []
    for anchor in anchors:
        if known.get(anchor.head.sequence) == anchor.head.hash:
            fitting.append(anchor)
        else:
            what = "was cut off or replaced" if anchor.head.sequence in known else "is gone"
            missed.append(f"record {anchor.head.sequence}, noted in {anchor.source}, {what}")
    return fitting, missed
