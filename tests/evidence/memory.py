"""A second store, in memory: it keeps the same protocol, and nothing of SQLite.

Ledgers at ``memory://NAME`` live as long as the process. To change one behind its back
(:func:`tamper`) lays it out in tables first, so that the same statements strike both stores.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from threading import RLock
from typing import Any
from uuid import uuid4

from pytest_rollout.evidence.lineage import Merge, merge_of
from pytest_rollout.evidence.records import (
    GENESIS,
    Entry,
    Record,
    RecordKind,
    Row,
    kind_of,
    link,
    spelled,
)
from pytest_rollout.evidence.sqlite import schema
from pytest_rollout.evidence.store import Content
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import Head


@dataclass
class Kept:
    """What one address holds."""

    records: list[Record] = field(default_factory=list)
    rows: list[tuple[int, Any, Row]] = field(default_factory=list)  # id, batch and columns
    texts: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    merges: list[Merge] = field(default_factory=list)


_kept: dict[str, Kept] = {}
_lock = RLock()


class MemoryStore:
    """One process's view of a ledger in memory."""

    def __init__(self, address: str, kept: Kept, until_us: int | None, *, writes: bool) -> None:
        self.name = address
        self.last: Head | None = None
        self._kept = kept
        self._until_us = until_us
        self._writes = writes

    def close(self) -> None:
        """Nothing is open."""

    def append(self, entry: Entry, rows: Sequence[Row], at_us: int | None = None) -> Head:
        """Chain one record."""
        if not self._writes:
            raise self._unusable("it was opened for reading")
        for value in (*vars_of(entry), *(value for row in rows for value in row)):
            if isinstance(value, int) and abs(value) >= 2**63:
                raise self._unusable("an integer is too large")
        with _lock:
            if self.last is not None and not self.holds(self.last):
                raise self._unusable(f"record {self.last.sequence}, just written, is gone")
            head, at_us = self.head(), time.time_ns() // 1000 if at_us is None else at_us
            sequence = head.sequence + 1
            hash_ = link(head.hash, entry, sequence, at_us)
            where = (entry.run, entry.plan, entry.subject, entry.environment)
            said = (entry.body, head.hash, hash_)
            self._kept.records.append(
                Record(sequence, entry.kind, *where, at_us, *said, entry.words)
            )
            first = max((one[0] for one in self._kept.rows), default=0) + 1
            self._kept.rows += [(first + n, sequence, row) for n, row in enumerate(rows)]
        self.last = Head(sequence, hash_)
        return self.last

    def compact(self, entry: Entry, runs: Sequence[str]) -> Head:
        """Chain one record and take the observations of runs out."""
        with _lock:
            head = self.append(entry, ())
            out = {record.sequence for record in self._kept.records if record.run in runs}
            self._kept.rows = [row for row in self._kept.rows if row[1] not in out]
        return head

    def shrink(self) -> None:
        """Nothing is left of what was taken out."""

    def compactions(self) -> Iterator[Record]:
        """The records of all compactions."""
        for record in self._kept.records:
            if (record.kind, record.plan, record.subject) == (RecordKind.EVENT, "", ""):
                yield record

    def merges(self) -> list[Merge]:
        """The merges that records were written after."""
        return list(self._kept.merges)

    def rewrite(self, content: Content, expected: Head) -> None:
        """Replace all that is chained."""
        with _lock:
            if self.head() != expected:
                raise LedgerError(f"somebody wrote to {self.name} at the same time: try again")
            self._kept.records = list(content.records)
            laid = [(batch, row) for batch, rows in content.rows.items() for row in rows]
            self._kept.rows = [(n, *one) for n, one in enumerate(laid, 1)]
            self._kept.merges = list(content.merges)
        self.last = None

    def _unusable(self, why: str) -> LedgerError:
        return LedgerError(f"the ledger {self.name} cannot be used: {why}")

    def holds(self, head: Head) -> bool:
        """Whether a record is still there."""
        return any((one.sequence, one.hash) == (head.sequence, head.hash) for one in self._all())

    def _all(self) -> list[Record]:
        return [
            one
            for one in self._kept.records
            if self._until_us is None or one.at_us <= self._until_us
        ]

    def head(self) -> Head:
        """The newest link."""
        last = max(self._all(), key=lambda one: one.sequence, default=None)
        return Head(last.sequence, last.hash) if last else Head(0, GENESIS)

    def count(self) -> int:
        """How many records there are."""
        return len(self._all())

    def of_run(self, run: str) -> Iterator[Record]:
        """Every record of a run."""
        return self._where(lambda one: one.run == run)

    def hashes_of(self, run: str) -> list[str]:
        """The hash of every record of a run."""
        return [record.hash for record in self.of_run(run)]

    def between(self, first: int, last: int | None) -> Iterator[Record]:
        """A stretch of the chain."""
        return self._where(lambda one: first <= one.sequence <= (last or 2**62))

    def about(
        self,
        kind: RecordKind,
        plan: str,
        subject: str,
        environment: str,
        *,
        word: str | None,
        newest: bool,
        before: int | None = None,
    ) -> Iterator[Record]:
        """The records of one kind about one subject."""
        looked_for = None if word is None else spelled((word,))

        def fits(one: Record) -> bool:
            about = (one.kind, one.plan, one.subject, one.environment)
            if about != (kind, plan, subject, environment):
                return False
            if before is not None and one.sequence >= before:
                return False
            return looked_for is None or one.words is None or looked_for in str(one.words)

        return self._where(fits, newest=newest)

    def _where(self, fits: Callable[[Record], bool], *, newest: bool = False) -> Iterator[Record]:
        found = (one for one in self._all() if fits(one))
        return iter(sorted(found, key=lambda one: one.sequence, reverse=newest))

    def first_after(self, at_us: int) -> int | None:
        """The earliest record after an instant."""
        later = (one.sequence for one in self._all() if _number(one.at_us) > at_us)
        return min(later, default=None)

    def rows_of(self, batch: int) -> list[Row]:
        """The observations of a record."""
        return [
            row for _, of, row in sorted(self._kept.rows, key=lambda one: one[0]) if of == batch
        ]

    def rows_of_run(self, run: str) -> Iterator[tuple[int, Row]]:
        """The observations of all records of a run."""
        for record in self.of_run(run):
            yield from ((record.sequence, row) for row in self.rows_of(record.sequence))

    def batches_seen(self) -> list[int]:
        """Every record that has observations."""
        return list(dict.fromkeys(of for _, of, _ in self._kept.rows))

    def hides(self, record: Record) -> bool:
        """There is no index."""
        return False

    def problems(self, *, quick: bool = False) -> list[str]:
        """There is nothing that breaks."""
        return []

    def keep_text(self, digest: str, text: str) -> None:
        """Keep a text once."""
        self._kept.texts.setdefault(digest, text)

    def text(self, digest: str) -> str | None:
        """A text by its digest."""
        text = self._kept.texts.get(digest)
        return None if text is None else str(text)

    def put(self, digest: str, content: bytes) -> None:
        """Keep a file."""
        self._kept.files[digest] = content

    def get(self, digest: str) -> bytes | None:
        """A file by its digest."""
        return self._kept.files.get(digest)

    def has(self, digest: str) -> bool:
        """Whether there is one."""
        return digest in self._kept.files


def vars_of(entry: Entry) -> tuple[object, ...]:
    """The columns of an entry."""
    return tuple(getattr(entry, name) for name in Entry.__slots__)


def _number(value: object) -> float:
    """As SQL orders what is no number: after all numbers."""
    return value if isinstance(value, int | float) else float("inf")


class MemoryDatabase:
    """The ledgers of this process. See ``evidence.store.Database``."""

    def to_write(self, address: str) -> MemoryStore:
        """The ledger at an address, made if need be."""
        return MemoryStore(address, _kept.setdefault(address, Kept()), None, writes=True)

    def to_read(self, address: str, until_us: int | None) -> MemoryStore:
        """An existing ledger."""
        if address not in _kept:
            raise LedgerError(f"there is no ledger at {address}")
        return MemoryStore(address, _kept[address], until_us, writes=False)

    def exists(self, address: str) -> bool:
        """Whether there is one."""
        return address in _kept


@contextmanager
def fresh() -> Iterator[str]:
    """The address of an empty ledger, which is forgotten afterwards."""
    address = f"memory://{uuid4()}"
    try:
        yield address
    finally:
        _kept.pop(address, None)


def copied(address: str, other: str) -> str:
    """Copy a ledger to another address."""
    _kept[other] = deepcopy(_kept[address])
    return other


def spoil_file(address: str, digest: str, content: bytes | None) -> None:
    """Change a file that was kept, or take it away."""
    if content is None:
        del _kept[address].files[digest]
    else:
        _kept[address].files[digest] = content


def run_on(address: str, statements: Sequence[str]) -> list[tuple[Any, ...]]:
    """Lay a ledger out in tables, run statements, read it back; returns what the last one found."""
    kept = _kept[address]
    with closing(sqlite3.connect(":memory:")) as db:
        db.text_factory = lambda raw: raw.decode("utf-8", "replace")
        schema.make(db)
        columns = ",".join("?" * len(schema.RECORD.split(", ")))
        db.executemany(f"INSERT INTO records VALUES ({columns})", map(_columns, kept.records))
        width = ",".join("?" * (2 + len(schema.ROW.split(", "))))
        laid = [(id_, batch, *row) for id_, batch, row in kept.rows]
        db.executemany(f"INSERT INTO observations VALUES ({width})", laid)
        db.executemany("INSERT INTO texts VALUES (?, ?)", kept.texts.items())
        db.executemany(
            "INSERT INTO merges (sequence, head, leaves) VALUES (?, ?, ?)",
            [(one.head.sequence, one.head.hash, " ".join(one.leaves)) for one in kept.merges],
        )
        found: list[tuple[Any, ...]] = []
        for statement in statements:
            found = db.execute(statement).fetchall()
        records = db.execute(f"SELECT {schema.RECORD} FROM records ORDER BY sequence").fetchall()
        kept.records = [Record(one[0], kind_of(one[1]), *one[2:]) for one in records]
        rows = db.execute(f"SELECT id, batch, {schema.ROW} FROM observations").fetchall()
        kept.rows = [(one[0], one[1], tuple(one[2:])) for one in rows]
        merges = db.execute("SELECT sequence, head, leaves FROM merges ORDER BY head").fetchall()
        kept.merges = [merge_of(*one) for one in merges]
        kept.texts = dict(db.execute("SELECT digest, text FROM texts").fetchall())
    return found


def _columns(record: Record) -> tuple[object, ...]:
    return tuple(getattr(record, name) for name in schema.RECORD.split(", "))
