"""The records of the ledger: their kinds, and the digests that chain and seal them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import canonical
from pytest_rollout.model.evidence import Head
from pytest_rollout.model.finding import Labels

GENESIS = "0" * 64
_PIECE = 65_536  # characters

Row = tuple[Any, ...]  # an observation as it is stored; a damaged one holds anything


class RecordKind(StrEnum):
    """What a record holds."""

    RUN = "run"  # a run began: what it asks, of which plan, environment and drill
    MANIFEST = "manifest"  # what one worker says should run, before deselection
    BATCH = "batch"  # what one item left: attempts, and observations by count and digest
    RELEASE = "release"  # what a target said of its release and configuration
    EVENT = "event"  # a phase began or ended, a change, an incident
    SEAL = "seal"  # the run ended by itself: counts and digest of its records
    STOP = "stop"  # the run ended otherwise, and how
    DECISION = "decision"  # the answer of a gate, whole
    ATTESTATION = "attestation"  # a person's answer about a criterion; of no run
    DRILL = "drill"  # what a phase's gates noticed of planted faults; of no run
    MUTANTS = "mutants"  # what a plan's gates noticed of small random changes; of no run
    RESET = "reset"  # a person's word that a guardrail is judged anew; of no run
    SIGNATURE = "signature"  # what a person signed about a decision; of no run
    UNKNOWN = "unknown"  # read, never written: a kind that this version does not know


def kind_of(text: object) -> RecordKind:
    """The kind that a stored text names."""
    try:
        return RecordKind(text)  # type: ignore[arg-type]  # what was stored may be anything
    except ValueError:
        return RecordKind.UNKNOWN


def storable(text: str) -> str:
    """Text without lone surrogates, which no database takes; they are spelled out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a store is given to chain: a record before it has a place and a time."""

    kind: RecordKind
    run: str
    plan: str
    subject: str  # a phase, a gate's address, an item or a worker, as the kind needs
    environment: str
    body: str  # canonical JSON
    words: str | None  # what it is searched for, see :func:`spelled`


@dataclass(frozen=True, slots=True)
class Record:
    """One link of the chain."""

    sequence: int
    kind: RecordKind
    run: str
    plan: str
    subject: str
    environment: str
    at_us: int  # when it was recorded
    body: str
    previous: str
    hash: str
    words: str | None  # None: written by a version that stored none
    # Where it stood in the ledger that it was first written to; None: here.
    first_sequence: int | None = None
    first_previous: str | None = None
    first_hash: str | None = None
    # What decoding made of the body: it is asked for again and again, and is always the same.
    decoded: Any = field(default=None, init=False, repr=False, compare=False)

    @property
    def first(self) -> Head:
        """Its place in the ledger that it was first written to: by this it is known everywhere."""
        if self.first_sequence is None or self.first_hash is None:
            return Head(self.sequence, self.hash)
        return Head(self.first_sequence, self.first_hash)

    @property
    def before_first(self) -> str:
        """The hash that it followed in that ledger."""
        return self.previous if self.first_previous is None else self.first_previous

    @property
    def entry(self) -> Entry:
        """The record without its place and its time."""
        where = (self.run, self.plan, self.subject, self.environment)
        return Entry(self.kind, *where, self.body, self.words)

    @property
    def name(self) -> str:
        """What messages call it."""
        return record_name(self.sequence, self.kind, self.run)


def record_after(before: Record | None, row: Sequence[Any]) -> Record:
    """Return the record of a row; texts that it has in common with the one before are shared.

    A run of ten thousand checks is held in memory whole where it is decided.
    """
    sequence, kind, run, plan, subject, environment, at_us, body, previous, *rest = row
    if before is not None:
        run = before.run if run == before.run else run
        plan = before.plan if plan == before.plan else plan
        environment = before.environment if environment == before.environment else environment
        previous = before.hash if previous == before.hash else previous
    where = (run, plan, subject, environment)
    return Record(sequence, kind_of(kind), *where, at_us, body, previous, *rest)


def record_name(sequence: int, kind: RecordKind, run: str) -> str:
    """Return what messages call a record."""
    return f"record {sequence} ({kind}){f' of run {run}' if run else ''}"


@dataclass(frozen=True, slots=True)
class Observation:
    """One observed value on its way to the ledger."""

    plan: str
    phase: str
    metric: str
    labels: Labels
    t_us: int
    seen_us: int
    seq: int
    value: str  # see model.evidence.decode

    def row(self) -> tuple[str, str, str, str, int, int, int, str]:
        """Its columns, in the order of the table and of the digest."""
        labels = canonical(dict(self.labels))
        where = (self.plan, self.phase, storable(self.metric), labels)
        return (*where, self.t_us, self.seen_us, self.seq, self.value)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one item, or one scenario's set-up, left behind."""

    item: str
    phase: str
    attempts: tuple[tuple[str, str], ...]  # verdict and reason
    observations: tuple[Observation, ...] = ()
    attachments: tuple[Mapping[str, Any], ...] = field(default=())


def spelled(words: Iterable[str]) -> str:
    """The one spelling of the words of a record: each on a line of its own, edges included."""
    return "\n".join(("", *(storable(word.replace("\n", " ")) for word in words), ""))


def link(
    previous: str, entry: Entry, sequence: int, at_us: int, first_hash: str | None = None
) -> str:
    """The hash of a record: over all of it and the hash before it.

    A record without words is hashed as it was before records had any. ``first_hash`` is the one
    that it had in another ledger.
    """
    parts = [_quoted(previous), str(sequence)]
    parts += map(_quoted, (entry.kind.value, entry.run, entry.plan, entry.subject))
    parts += (_quoted(entry.environment), str(at_us), "")
    after = "" if entry.words is None else "," + _quoted(entry.words)
    if first_hash is not None:
        after += f",[{_quoted(first_hash)}]"  # a list: words are a text
    # As `canonical` spells a list, which is asked for at each record, and again when it is read.
    # The body of a decision may be large, so it is spelled piece by piece: each character is alone.
    digest = hashlib.sha256(f'[{",".join(parts)}"'.encode())
    for start in range(0, len(entry.body), _PIECE):
        digest.update(_quoted(entry.body[start : start + _PIECE])[1:-1].encode())
    digest.update(f'"{after}]'.encode())
    return digest.hexdigest()


def as_written(record: Record) -> bool:
    """Whether a record's hash is that of its columns, here and where it was first written."""
    texts = (record.run, record.plan, record.subject, record.environment, record.body)
    words = () if record.words is None else (record.words,)
    if {*map(type, (*texts, *words, record.previous))} != {str}:
        return False  # a column of a type that is never written
    if type(record.at_us) is not int:
        return False
    at_first = (record.first_sequence, record.first_previous, record.first_hash)
    if at_first == (None, None, None):
        return link(record.previous, record.entry, record.sequence, record.at_us) == record.hash
    if [type(part) for part in at_first] != [int, str, str]:
        return False
    first = link(record.before_first, record.entry, record.first.sequence, record.at_us)
    here = link(record.previous, record.entry, record.sequence, record.at_us, record.first_hash)
    return (first, here) == (record.first_hash, record.hash)


_NO_ROWS = hashlib.sha256().hexdigest()


def rows_digest(rows: Iterable[Row]) -> str:
    """The digest of observation rows, in their order."""
    if not rows:  # as of most checks
        return _NO_ROWS
    digest = hashlib.sha256()
    for row in rows:  # as `canonical` spells a list, which takes twice as long
        cells = [
            _quoted(cell)
            if type(cell) is str
            else str(cell)
            if type(cell) is int
            else canonical(cell)
            for cell in row
        ]
        digest.update(f"[{','.join(cells)}]\n".encode())
    return digest.hexdigest()


def seal_digest(hashes: Iterable[str]) -> str:
    """The digest that a seal holds over the hashes of its run's records."""
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()
