"""Verifying a whole ledger: its chain from the first record, every run, and its tail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import field, replace

from pytest_rollout.evidence import results, settlements
from pytest_rollout.evidence.anchors import Anchor, Placed, heads, where
from pytest_rollout.evidence.attestations import lost_files
from pytest_rollout.evidence.bodies import RunStart
from pytest_rollout.evidence.compaction import Compaction
from pytest_rollout.evidence.decoding import UndecodableError, decoded, may_say, said
from pytest_rollout.evidence.history import last_full_run
from pytest_rollout.evidence.integrity import chain_problems, condition, word_problems
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.lineage import Lineage
from pytest_rollout.evidence.records import GENESIS, Record, RecordKind, as_written
from pytest_rollout.evidence.run_log import EVIDENCE, log_of
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import Head
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
    noted = _Noted(ledger)
    problems = [*chain_problems(noted.walk(ledger.between(0)))]
    problems = [*noted.start, *problems, *noted.lost_rows(batches), *noted.lineage()]
    problems += [*noted.misread, *noted.lost_texts(), *ledger.store.problems(), *noted.lost_files]
    wrong, unfinished, compacted = _runs(ledger, noted.runs)
    return Verification(
        records=ledger.store.count(),
        runs=len(noted.runs),
        unfinished=unfinished,
        holding=tuple(noted.holding()),
        anchored=anchored,
        problems=(*dict.fromkeys((*problems, *wrong)), *placed.missed),
        foreign=tuple(placed.foreign),
        beyond=tuple(placed.beyond),
        settled=tuple(
            settlement
            for settlement in settlements.all_in(noted.events)
            if settlement.run in unfinished
        ),
        compacted=compacted,
    )


def _since(ledger: Ledger, placed: Placed, anchored: Anchor) -> Verification:
    """What is wrong with the records from an anchor on, and with the runs that they are of."""
    since = list(ledger.between(anchored.head.sequence))
    names = dict.fromkeys(record.run for record in since if record.run)
    whole = [record for name in names for record in ledger.of_run(name)]
    noted = _Noted(ledger)
    for _ in noted.walk([*whole, *(record for record in since if not record.run)]):
        pass
    problems = [*chain_problems(since), *noted.misread, *noted.lost_texts()]
    problems += [*ledger.store.problems(quick=True), *noted.lost_files]
    wrong, unfinished, compacted = _runs(ledger, names)
    return Verification(
        records=ledger.head().sequence,
        runs=len(names),
        unfinished=unfinished,
        holding=(),
        anchored=anchored,
        problems=(*dict.fromkeys((*problems, *wrong)), *placed.missed),
        foreign=tuple(placed.foreign),
        beyond=tuple(placed.beyond),
        compacted=compacted,
    )


def _runs(
    ledger: Ledger, names: Iterable[str]
) -> tuple[list[str], tuple[str, ...], tuple[Compaction, ...]]:
    """What is wrong with runs, which of them did not finish, and which were compacted, by act."""
    wrong, unfinished = [], []
    compacted: dict[Compaction, list[str]] = {}
    for name in names:
        log = log_of(ledger, name)
        state = condition(ledger, log)
        wrong += [f"run {name}: {state.damage}"] if state.damage else []
        unfinished += [] if log.finished else [name]
        if state.compacted:
            compacted.setdefault(state.compacted, []).append(name)
    acts = tuple(replace(act, runs=tuple(runs)) for act, runs in compacted.items())
    return wrong, tuple(unfinished), acts


@dataclass(slots=True)
class _Noted:
    """What one walk over records notes of them: a ledger may be too long to be kept, or read twice.

    Of records that are damaged the chain tells.
    """

    ledger: Ledger
    start: list[str] = field(default_factory=list)
    runs: dict[str, None] = field(default_factory=dict)
    batches: set[int] = field(default_factory=set)
    merged: Head | None = None  # of the last record that came from another ledger
    misread: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)  # what each digest is of
    lost_files: list[str] = field(default_factory=list)
    asked: dict[tuple[str, str], None] = field(default_factory=dict)  # gates and environments
    events: list[Record] = field(default_factory=list)  # of settlements

    def walk(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield the records, each noted."""
        for count, record in enumerate(records):
            if not count and (record.sequence, record.previous) != (1, GENESIS):
                self.start.append(f"the records before {record.sequence} are gone")
            self._note(record)
            yield record

    def _note(self, record: Record) -> None:
        if record.run:
            self.runs[record.run] = None
        if record.first_hash is not None:
            self.merged = Head(record.sequence, record.hash)
        self.misread += _misread(record)
        with suppress(UndecodableError):
            if record.kind is RecordKind.RUN:
                self._note_start(record, said(record, RunStart))
            elif record.kind is RecordKind.BATCH:
                self.batches.add(record.sequence)
                if record.subject == results.ITEM:
                    self.lost_files += results.lost_files(self.ledger, record)
            elif record.kind is RecordKind.ATTESTATION:
                self.lost_files += lost_files(self.ledger, [record])
            elif record.kind is RecordKind.EVENT and may_say(record, "settled"):
                self.events.append(record)

    def _note_start(self, record: Record, start: RunStart) -> None:
        self.asked |= dict.fromkeys((gate, record.environment) for gate in start.gates)
        self.texts |= dict.fromkeys(start.plans.values(), "plan")
        for files in start.beside.values():
            self.texts |= {digest: name for name, digest in files.items()}

    def holding(self) -> Iterator[Unfinished]:
        """Yield the gates that a run has left open, of all that were ever asked for."""
        for gate, environment in self.asked:
            last = last_full_run(self.ledger, Address.parse(gate), environment)
            if last is not None and not last.finished:
                yield Unfinished(gate, environment, last.run)

    def lineage(self) -> Iterator[str]:
        """Yield what of the places that records had in other ledgers cannot be."""
        merges = self.ledger.store.merges()
        if self.merged and (self.merged.sequence, self.merged.hash) not in heads(merges):
            yield f"the merge that made record {self.merged.sequence} is not known"
        if self.merged or merges:
            records = list(self.ledger.between(0))
            if all(map(as_written, records)):  # of any other the chain tells
                yield from Lineage(records, merges).problems()

    def lost_rows(self, batches: Iterable[int]) -> Iterator[str]:
        """Yield observations of records that are not there."""
        for batch in batches:
            if batch not in self.batches:
                yield f"observations of record {batch}, which is no check's record"

    def lost_texts(self) -> Iterator[str]:
        """Yield plans that runs judged by and that are gone, or are not what they were."""
        for digest, what in sorted(self.texts.items()):
            try:
                if self.ledger.text(digest) is None:
                    yield f"the text of {what} {digest[:12]} is gone"
            except LedgerError as error:
                yield str(error)


def _misread(record: Record) -> Iterator[str]:
    """Say of a record as it was written that it cannot be read, or is found by what it says not.

    Of the evidence of runs after their start :func:`integrity.damage` tells.
    """
    if record.run and record.kind in EVIDENCE and record.kind is not RecordKind.RUN:
        return
    if as_written(record):  # of any other the chain tells
        try:
            decoded(record)
        except UndecodableError as error:
            yield str(error)
        else:
            yield from word_problems([record])
