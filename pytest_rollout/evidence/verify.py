"""Verifying a whole ledger: its chain from the first record, every run, and its tail."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pytest_rollout.evidence.attestations import lost_files
from pytest_rollout.evidence.history import last_full_run
from pytest_rollout.evidence.integrity import UNREADABLE, chain_problems, damage
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import GENESIS, Record, RecordKind
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import Head
from pytest_rollout.model.plan import Address


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place in the chain that somebody noted outside of the ledger."""

    head: Head
    source: str


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A gate whose last full run never finished: nothing that stands of it is to be trusted."""

    gate: str
    environment: str
    run: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a ledger holds, and what is wrong with it, the first break first."""

    records: int
    runs: int
    unfinished: tuple[str, ...]  # runs without a seal or a stop; shown as such for ever
    holding: tuple[Unfinished, ...]
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
    found += _lost_texts(ledger, records)
    found += [f"the file is broken: {one}" for one in ledger.store_problems()]
    found += _lost_files(ledger, records)
    for name, mine in runs.items():
        wrong = damage(ledger, mine)
        if wrong:
            found.append(f"run {name}: {wrong}")
    fitting, missed = _anchors(records, anchors)
    return Verification(
        records=len(records),
        runs=len(runs),
        unfinished=tuple(name for name, mine in runs.items() if not _ended(mine)),
        holding=tuple(_holding(ledger, records)),
        anchored=max(fitting, key=lambda anchor: anchor.head.sequence, default=None),
        problems=(*dict.fromkeys(found), *missed),
    )


def _holding(ledger: Ledger, records: list[Record]) -> Iterator[Unfinished]:
    """The gates that a run has left open, of all that were ever asked for."""
    asked: dict[tuple[str, str], None] = {}
    for record, body in _starts(records):
        for gate in body["gates"]:
            asked[str(gate), record.environment] = None
    for gate, environment in asked:
        with suppress(*UNREADABLE):
            last = last_full_run(ledger, Address.parse(gate), environment)
            if last is not None and not last.finished:
                yield Unfinished(gate, environment, last.run)


def _start(records: list[Record]) -> Iterator[str]:
    if records and (records[0].sequence, records[0].previous) != (1, GENESIS):
        yield f"the records before {records[0].sequence} are gone"


def _lost_rows(ledger: Ledger, records: list[Record]) -> Iterator[str]:
    """Observations of records that are not there."""
    batches = {one.sequence for one in records if one.kind is RecordKind.BATCH}
    for batch in ledger.batches_seen():
        if batch not in batches:
            yield f"observations of record {batch}, which is no check's record"


def _lost_texts(ledger: Ledger, records: list[Record]) -> Iterator[str]:
    """Plans that runs judged by and that are gone, or are not what they were."""
    digests: dict[str, str] = {}
    for _, body in _starts(records):
        digests |= {str(digest): "plan" for digest in body["plans"].values()}
        for files in body["beside"].values():
            digests |= {str(digest): str(name) for name, digest in files.items()}
    for digest, what in sorted(digests.items()):
        try:
            if ledger.text(digest) is None:
                yield f"the text of {what} {digest[:12]} is gone"
        except LedgerError as error:
            yield str(error)


def _lost_files(ledger: Ledger, records: list[Record]) -> Iterator[str]:
    for record in records:
        if record.kind is RecordKind.ATTESTATION:
            with suppress(*UNREADABLE):  # of one that is damaged the chain tells
                yield from lost_files(ledger, [record])


def _starts(records: list[Record]) -> Iterator[tuple[Record, dict[str, Any]]]:
    """The first record of each run with what it says; of one that is damaged the chain tells."""
    for record in records:
        if record.kind is RecordKind.RUN:
            with suppress(*UNREADABLE):
                body = json.loads(record.body)
                facts = {"gates": list(body["gates"]), "plans": dict(body["plans"])}
                yield record, {**facts, "beside": dict(body.get("beside", {}))}


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
