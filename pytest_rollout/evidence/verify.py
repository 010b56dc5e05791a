"""Verifying a whole ledger: its chain from the first record, every run, and its tail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from pytest_rollout.evidence import results, settlements
from pytest_rollout.evidence.anchors import Anchor, Placed, heads, where
from pytest_rollout.evidence.attestations import lost_files
from pytest_rollout.evidence.bodies import RunStart
from pytest_rollout.evidence.compaction import Compaction
from pytest_rollout.evidence.decoding import UndecodableError, decoded, said
from pytest_rollout.evidence.history import last_full_run
from pytest_rollout.evidence.integrity import chain_problems, condition, word_problems
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.lineage import Lineage
from pytest_rollout.evidence.records import GENESIS, Record, RecordKind, as_written
from pytest_rollout.evidence.run_log import EVIDENCE, log_of
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.plan import Address
from pytest_rollout.model.settlement import Settlement


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
    foreign: tuple[Anchor, ...] = ()  # anchors of runs of another ledger
    beyond: tuple[Anchor, ...] = ()  # of runs that are not here, past the end: problems, too
    settled: tuple[Settlement, ...] = ()  # of unfinished runs, the newest word on each
    compacted: tuple[Compaction, ...] = ()  # acts that took observations out, with those runs


def verify(
    ledger: Ledger, anchors: Iterable[Anchor], *, since_anchor: bool = False
) -> Verification:
    """Read every record and check chain, runs and anchors, a run at a time.

    Without an anchor a cut tail cannot be seen. With ``since_anchor`` only what was written from
    the newest anchor on is read, if one fits and no record before it is missing: what is older was
    whole when it was noted, and a decision checks the older records that it uses. A ledger that a
    merge made is read whole. Raises LedgerError where it cannot be read.
    """
    placed = where(ledger, anchors)
    anchored = max(placed.fitting, key=lambda anchor: anchor.head.sequence, default=None)
    missing = ledger.store.count() != ledger.head().sequence
    if since_anchor and anchored is not None and not (missing or ledger.store.merges()):
        return _since(ledger, placed, anchored)
    batches = ledger.store.batches_seen()  # before the records: others may append meanwhile
    records = _Chain(ledger)
    names = dict.fromkeys(record.run for record in records if record.run)
    found = [*_start(records), *chain_problems(records), *_lost_rows(batches, records)]
    found += _lineage(ledger, records)
    found += [*_misread(records), *_lost_texts(ledger, records), *ledger.store.problems()]
    found += _lost_files(ledger, records)
    wrong, unfinished, compacted = _runs(ledger, names)
    return Verification(
        records=ledger.store.count(),
        runs=len(names),
        unfinished=unfinished,
        holding=tuple(_holding(ledger, records)),
        anchored=anchored,
        problems=(*dict.fromkeys((*found, *wrong)), *placed.missed),
        foreign=tuple(placed.foreign),
        beyond=tuple(placed.beyond),
        settled=tuple(
            settlement for settlement in settlements.all_in(records) if settlement.run in unfinished
        ),
        compacted=compacted,
    )


def _since(ledger: Ledger, placed: Placed, anchored: Anchor) -> Verification:
    """What is wrong with the records from an anchor on, and with the runs that they are of."""
    since = list(ledger.between(anchored.head.sequence))
    names = dict.fromkeys(record.run for record in since if record.run)
    whole = [record for name in names for record in ledger.of_run(name)]
    records = [*whole, *(record for record in since if not record.run)]
    found = [*chain_problems(since), *_misread(records), *_lost_texts(ledger, records)]
    found += [*ledger.store.problems(quick=True), *_lost_files(ledger, records)]
    wrong, unfinished, compacted = _runs(ledger, names)
    return Verification(
        records=ledger.head().sequence,
        runs=len(names),
        unfinished=unfinished,
        holding=(),
        anchored=anchored,
        problems=(*dict.fromkeys((*found, *wrong)), *placed.missed),
        foreign=tuple(placed.foreign),
        beyond=tuple(placed.beyond),
        compacted=compacted,
    )


@dataclass(frozen=True, slots=True)
class _Chain:
    """The records of a ledger, fetched anew whenever they are walked: it may be a long one."""

    ledger: Ledger

    def __iter__(self) -> Iterator[Record]:
        return self.ledger.between(0)


def _runs(
    ledger: Ledger, names: Iterable[str]
) -> tuple[list[str], tuple[str, ...], tuple[Compaction, ...]]:
    """What is wrong with runs, which of them did not finish, and which were compacted, by act."""
    wrong, unfinished = [], []
    compacted: dict[Compaction, list[str]] = {}
    for name in names:
        log = log_of(ledger, name)
        found = condition(ledger, log)
        wrong += [f"run {name}: {found.damage}"] if found.damage else []
        unfinished += [] if log.finished else [name]
        if found.compacted:
            compacted.setdefault(found.compacted, []).append(name)
    acts = tuple(replace(act, runs=tuple(runs)) for act, runs in compacted.items())
    return wrong, tuple(unfinished), acts


def _holding(ledger: Ledger, records: Iterable[Record]) -> Iterator[Unfinished]:
    """The gates that a run has left open, of all that were ever asked for."""
    asked: dict[tuple[str, str], None] = {}
    for record, start in _starts(records):
        for gate in start.gates:
            asked[gate, record.environment] = None
    for gate, environment in asked:
        last = last_full_run(ledger, Address.parse(gate), environment)
        if last is not None and not last.finished:
            yield Unfinished(gate, environment, last.run)


def _start(records: Iterable[Record]) -> Iterator[str]:
    first = next(iter(records), None)
    if first is not None and (first.sequence, first.previous) != (1, GENESIS):
        yield f"the records before {first.sequence} are gone"


def _lineage(ledger: Ledger, records: Iterable[Record]) -> Iterator[str]:
    """What of the places that records had in other ledgers cannot be."""
    merges = ledger.store.merges()
    theirs = [record for record in records if record.first_hash is not None]
    if theirs and (theirs[-1].sequence, theirs[-1].hash) not in heads(merges):
        yield f"the merge that made record {theirs[-1].sequence} is not known"
    if (theirs or merges) and all(map(as_written, records)):  # of any other the chain tells
        yield from Lineage(records, merges).problems()


def _lost_rows(seen: Iterable[int], records: Iterable[Record]) -> Iterator[str]:
    """Observations of records that are not there."""
    batches = {record.sequence for record in records if record.kind is RecordKind.BATCH}
    for batch in seen:
        if batch not in batches:
            yield f"observations of record {batch}, which is no check's record"


def _misread(records: Iterable[Record]) -> Iterator[str]:
    """Records as they were written that cannot be read, or are found by what they do not say.

    Of the evidence of runs after their start :func:`integrity.damage` tells.
    """
    for record in records:
        if record.run and record.kind in EVIDENCE and record.kind is not RecordKind.RUN:
            continue
        if as_written(record):  # of any other the chain tells
            try:
                decoded(record)
            except UndecodableError as error:
                yield str(error)
            else:
                yield from word_problems([record])


def _lost_texts(ledger: Ledger, records: Iterable[Record]) -> Iterator[str]:
    """Plans that runs judged by and that are gone, or are not what they were."""
    digests: dict[str, str] = {}
    for _, start in _starts(records):
        digests |= dict.fromkeys(start.plans.values(), "plan")
        for files in start.beside.values():
            digests |= {digest: name for name, digest in files.items()}
    for digest, what in sorted(digests.items()):
        try:
            if ledger.text(digest) is None:
                yield f"the text of {what} {digest[:12]} is gone"
        except LedgerError as error:
            yield str(error)


def _lost_files(ledger: Ledger, records: Iterable[Record]) -> Iterator[str]:
    for record in records:
        if record.kind is RecordKind.ATTESTATION:
            with suppress(UndecodableError):  # of one that is damaged the chain tells
                yield from lost_files(ledger, [record])
        elif record.kind is RecordKind.BATCH and record.subject == results.ITEM:
            with suppress(UndecodableError):
                yield from results.lost_files(ledger, record)


def _starts(records: Iterable[Record]) -> Iterator[tuple[Record, RunStart]]:
    """The first record of each run with what it says; of one that is damaged the chain tells."""
    for record in records:
        if record.kind is RecordKind.RUN:
            with suppress(UndecodableError):
                yield record, said(record, RunStart)
