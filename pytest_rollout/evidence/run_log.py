"""The records of one run, taken apart once: its start, manifests, batches, releases and end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import Generic, TypeVar

from pytest_rollout.evidence.bodies import (
    ItemReport,
    RunStart,
    Seal,
    Stop,
    StoredDecision,
    StoredEvent,
    WorkerManifest,
)
from pytest_rollout.evidence.decoding import said
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import Record, RecordKind
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import Attempt, Head, ReleaseFact
from pytest_rollout.model.verdict import Verdict

_Said = TypeVar("_Said")

EVIDENCE = (  # the kinds of records that are decoded where a run is looked at
    *(RecordKind.RUN, RecordKind.MANIFEST, RecordKind.BATCH, RecordKind.RELEASE),
    *(RecordKind.EVENT, RecordKind.SEAL, RecordKind.STOP),
)


@dataclass(frozen=True, slots=True)
class Told(Generic[_Said]):
    """A record with what it says."""

    record: Record
    body: _Said


class RunLog:
    """What a run left, each record decoded when it is first asked for, and once.

    What it says raises UndecodableError where a record of that kind cannot be read.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        self.records: Sequence[Record] = tuple(records)
        seals = [record.sequence for record in self.records if record.kind is RecordKind.SEAL]
        last = min(seals, default=None)
        # The records that decisions are made of, up to the seal.
        self.evidence: Sequence[Record] = tuple(
            record
            for record in self.records
            if record.kind is not RecordKind.DECISION and (last is None or record.sequence <= last)
        )
        self.sealed = last is not None

    @property
    def first(self) -> Record:
        """The first record of the evidence; there must be one."""
        return self.evidence[0]

    @property
    def last(self) -> Record:
        """The last record of the evidence."""
        return self.evidence[-1]

    @property
    def head(self) -> Head:
        """The place of the last record of the evidence, in the ledger that it was written to."""
        return self.last.first

    @property
    def finished(self) -> bool:
        """Whether the run was sealed, or stopped and said so."""
        return any(record.kind in (RecordKind.SEAL, RecordKind.STOP) for record in self.records)

    @property
    def cancelled(self) -> str:
        """Who ended it before its time, in words; empty where nobody did, or it was not sealed."""
        return self.seal.cancelled if self.seal else ""

    @property
    def ended_early(self) -> bool:
        """Whether it may have seen what it did not record: cancelled, stopped or killed."""
        return not self.sealed or bool(self.cancelled)

    @cached_property
    def start(self) -> RunStart:
        """What the run set out to do."""
        return said(self.first, RunStart)

    @cached_property
    def manifests(self) -> tuple[WorkerManifest, ...]:
        """What each worker says should run."""
        return tuple(manifest.body for manifest in self._of(RecordKind.MANIFEST, WorkerManifest))

    @cached_property
    def batches(self) -> tuple[Told[ItemReport], ...]:
        """What each item left."""
        return self._of(RecordKind.BATCH, ItemReport)

    @cached_property
    def checks(self) -> Mapping[str, tuple[Attempt, ...]]:
        """The attempts of each item, in order.

        An item that reported more than once, because it ran twice or in two workers, is as good as
        its worst report: that one comes last, whichever came last. The same report twice is one.
        """
        known: dict[tuple[tuple[Verdict, str], ...], tuple[Attempt, ...]] = {}
        first: dict[str, tuple[Attempt, ...]] = {}
        several: dict[str, set[tuple[Attempt, ...]]] = {}
        for batch in self.batches:
            body = batch.body
            attempts = known.get(body.attempts)  # most say the same: that the item passed
            if attempts is None:
                attempts = tuple(Attempt(verdict, why) for verdict, why in body.attempts)
                known[body.attempts] = attempts
            before = first.setdefault(body.item, attempts)
            if before is not attempts:
                several.setdefault(body.item, {before}).add(attempts)
        return first | {
            item: tuple(
                attempt for report in sorted(reports, key=_worst_last) for attempt in report
            )
            for item, reports in several.items()
        }

    @cached_property
    def releases(self) -> tuple[Told[ReleaseFact], ...]:
        """What targets said of themselves; the subject is a phase, or empty."""
        return self._of(RecordKind.RELEASE, ReleaseFact)

    @cached_property
    def events(self) -> tuple[Told[StoredEvent], ...]:
        """What happened in phases."""
        return self._of(RecordKind.EVENT, StoredEvent)

    @cached_property
    def stops(self) -> tuple[Stop, ...]:
        """Why it was stopped, if it was."""
        return tuple(stop.body for stop in self._of(RecordKind.STOP, Stop))

    @cached_property
    def seal(self) -> Seal | None:
        """How it ended by itself, if it did."""
        return said(self.last, Seal) if self.sealed else None

    @cached_property
    def decisions(self) -> tuple[Record, ...]:
        """The records of its decisions; the subject is a gate's address."""
        return tuple(record for record in self.records if record.kind is RecordKind.DECISION)

    def decision(self, gate: str, before: int | None = None) -> StoredDecision | None:
        """The first decision of a gate, of those before a place in the chain."""
        for record in self.decisions:
            if record.subject == gate and (before is None or record.sequence < before):
                return said(record, StoredDecision)
        return None

    def read_whole(self) -> None:
        """Decode all of the evidence; raises UndecodableError."""
        parts = ("start", "manifests", "batches", "releases", "events", "stops", "seal")
        for part in parts:
            getattr(self, part)

    def followed_by(self, later: Sequence[Record]) -> RunLog:
        """Return the log of the run with records that were chained since.

        Decisions after a seal are no evidence: what was read of that stays as it is.
        """
        if not self.sealed or any(record.kind is not RecordKind.DECISION for record in later):
            return RunLog((*self.records, *later))
        log = copy(self)
        log.records = (*self.records, *later)
        vars(log).pop("decisions", None)
        return log

    def _of(self, kind: RecordKind, body: type[_Said]) -> tuple[Told[_Said], ...]:
        return tuple(
            Told(record, said(record, body)) for record in self.evidence if record.kind is kind
        )


def log_of(ledger: Ledger, run: str) -> RunLog:
    """Return the log of a run; one that the ledger remembers is taken apart once."""
    kept = ledger.kept(run)
    if kept is None:
        return RunLog(ledger.of_run(run))
    records = kept.read(ledger.store)
    log: RunLog | None = kept.log
    if log is None:
        log = RunLog(records)
    elif len(log.records) < len(records):
        log = log.followed_by(records[len(log.records) :])
    kept.log = log
    return log


def evidence_of(ledger: Ledger, run: str) -> RunLog:
    """Return the log of a run with all of its evidence; its decisions may be missing.

    Those of a large run are large, and a run that reports would read its own.
    """
    kept = ledger.kept(run)
    log: RunLog | None = kept.log if kept is not None else None
    return log if log is not None and log.sealed else log_of(ledger, run)


def told(records: Iterable[Record], kind: type[_Said]) -> tuple[Told[_Said], ...]:
    """Return records of one kind with what they say; raises UndecodableError."""
    return tuple(Told(record, said(record, kind)) for record in records)


def first_of(ledger: Ledger, run: str) -> Record:
    """Return the first record of a run; of a joined one that of the oldest run in it.

    A join looks at nothing anew, so it is as old as what it holds together.
    """
    log = log_of(ledger, run)
    joined = (ledger.of_run(name) for name in log.start.joins)
    firsts = [log.first, *(records[0] for records in joined if records)]
    return min(firsts, key=lambda record: record.sequence)


def _worst_last(attempts: tuple[Attempt, ...]) -> tuple[int, list[tuple[str, str]]]:
    last = attempts[-1].verdict.rank if attempts else len(Verdict)
    return -last, [(attempt.verdict.value, attempt.reason) for attempt in attempts]
