"""The ledger: an append-only, hash-chained store in one SQLite file.

Every append is one short transaction that reads the chain's head and adds to it, so that
several processes may write at once and a killed one leaves what it had seen.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pytest_rollout.evidence import connection
from pytest_rollout.evidence.records import (
    GENESIS,
    Batch,
    Draft,
    Observation,
    Record,
    RecordKind,
    kind_of,
    link,
    rows_digest,
    storable,
)
from pytest_rollout.evidence.schema import RECORD, ROW
from pytest_rollout.model.decision import canonical
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import Head

_MOST = 2**62
_MOST_ROWS = 5_000_000  # of one answer


class Ledger:
    """A connection to the ledger; open with :meth:`create` to write, :meth:`open` to read."""

    def __init__(self, path: Path, db: sqlite3.Connection) -> None:
        self.path = path
        self._db = db
        self.last: Head | None = None  # what this connection appended last

    @classmethod
    def create(cls, path: Path) -> Ledger:
        """The ledger at a path, made if need be; raises LedgerError where it cannot be written."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            ignore = path.parent / ".gitignore"
            if path.parent.name == ".rollout" and not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
        except OSError as error:
            raise connection.unusable(path, error) from error
        return cls(path, connection.to_write(path))

    @classmethod
    def open(cls, path: Path, until_us: int | None = None) -> Ledger:
        """An existing ledger for reading; raises LedgerError where there is none.

        With ``until_us`` it is read as it was at that instant, by the times of recording.
        """
        return cls(path, connection.to_read(path, until_us))

    def close(self) -> None:
        """End the connection."""
        self._db.close()

    def append(self, draft: Draft) -> Head:
        """Add one record to the chain; raises LedgerError."""
        return self._append(draft, ())

    def append_batch(self, run: str, environment: str, batch: Batch, worker: str) -> Head:
        """Add what one item left, its observations with it; raises LedgerError."""
        body = {
            "item": batch.item,
            "phase": batch.phase,
            "worker": worker,
            "attempts": [list(attempt) for attempt in batch.attempts],
            "observations": len(batch.observations),
            "digest": rows_digest(observation.row() for observation in batch.observations),
            "attachments": [dict(attachment) for attachment in batch.attachments],
        }
        plan, _, _ = batch.phase.partition(".")
        draft = Draft(RecordKind.BATCH, run, body, plan, storable(batch.item), environment)
        return self._append(draft, batch.observations)

    def _append(self, draft: Draft, observations: Sequence[Observation]) -> Head:
        body = canonical(dict(draft.body))
        try:
            with connection.transaction(self._db):
                if self.last is not None and not self._holds(self.last):
                    raise ValueError(f"record {self.last.sequence}, just written, is gone")
                at_us = time.time_ns() // 1000
                head = self._head()
                sequence = head.sequence + 1
                hash_ = link(head.hash, draft, sequence, at_us, body)
                row = (sequence, draft.kind.value, draft.run, draft.plan, draft.subject)
                row_end = (draft.environment, at_us, body, head.hash, hash_)
                self._db.execute(
                    f"INSERT INTO records ({RECORD}) VALUES (?,?,?,?,?,?,?,?,?,?)",
                    (*row, *row_end),
                )
                self._db.executemany(
                    f"INSERT INTO observations (batch, {ROW}) VALUES (?,?,?,?,?,?,?,?,?)",
                    [(sequence, *one.row()) for one in observations],
                )
        except connection.TROUBLE as error:
            raise connection.unusable(self.path, error) from error
        self.last = Head(sequence, hash_)
        return self.last

    def holds(self, head: Head) -> bool:
        """Whether a record that was appended is still there; raises LedgerError."""
        try:
            return self._holds(head)
        except connection.TROUBLE as error:
            raise connection.unusable(self.path, error) from error

    def _holds(self, head: Head) -> bool:
        query = "SELECT 1 FROM records WHERE sequence = ? AND hash = ?"
        return self._db.execute(query, (head.sequence, head.hash)).fetchone() is not None

    def keep_text(self, digest: str, text: str) -> None:
        """Store a text by the SHA-256 of its UTF-8, once."""
        try:
            with connection.transaction(self._db):
                self._db.execute("INSERT OR IGNORE INTO texts VALUES (?, ?)", (digest, text))
        except connection.TROUBLE as error:
            raise connection.unusable(self.path, error) from error

    def text(self, digest: str) -> str | None:
        """A text by its digest; raises LedgerError where it is not what was stored."""
        for (text,) in self._rows("SELECT text FROM texts WHERE digest = ?", digest):
            if hashlib.sha256(str(text).encode("utf-8", "replace")).hexdigest() != digest:
                raise LedgerError(f"text {digest[:12]} was changed after it was stored")
            return str(text)
        return None

    def head(self) -> Head:
        """The newest link of the chain."""
        try:
            return self._head()
        except connection.TROUBLE as error:
            raise connection.unusable(self.path, error) from error

    def _head(self) -> Head:
        query = "SELECT sequence, hash FROM records ORDER BY sequence DESC LIMIT 1"
        row = self._db.execute(query).fetchone()
        return Head(0, GENESIS) if row is None else Head(int(row[0]), str(row[1]))

    def of_run(self, run: str) -> list[Record]:
        """Every record of a run, in order."""
        return list(self._records("run = ? ORDER BY sequence", run))

    def between(self, first: int, last: int | None = None) -> Iterator[Record]:
        """The records of a stretch of the chain, both ends included; without an end all."""
        end = _MOST if last is None else last
        return self._records("sequence BETWEEN ? AND ? ORDER BY sequence", first, end)

    def find(self, kind: RecordKind, plan: str, subject: str, environment: str) -> list[Record]:
        """The records of one kind about one subject in an environment, in order."""
        return list(self.oldest(kind, plan, subject, environment))

    def newest(
        self, kind: RecordKind, plan: str, subject: str, environment: str, *, having: str = ""
    ) -> Iterator[Record]:
        """The records of one kind about one subject, newest first, read as they are asked for.

        Only those whose body holds the text ``having``.
        """
        return self._about("DESC", kind.value, plan, subject, environment, having)

    def oldest(
        self, kind: RecordKind, plan: str, subject: str, environment: str, *, having: str = ""
    ) -> Iterator[Record]:
        """As :meth:`newest`, oldest first."""
        return self._about("ASC", kind.value, plan, subject, environment, having)

    def _about(self, order: str, *values: str) -> Iterator[Record]:
        where = "kind = ? AND plan = ? AND subject = ? AND environment = ? AND instr(body, ?)"
        return self._records(f"{where} ORDER BY sequence {order}", *values)

    def runs(self, gate: str, environment: str) -> Iterator[Record]:
        """The records of the runs that asked for a gate, newest first, read as asked for."""
        return self.newest(RecordKind.RUN, "", "", environment, having=canonical(gate))

    def first_after(self, at_us: int) -> int | None:
        """The sequence of the earliest record that was written after an instant."""
        query = "SELECT min(sequence) FROM records WHERE at_us > ?"
        return next((row[0] for row in self._rows(query, at_us)), None)

    def rows_of(self, batch: int) -> list[tuple[Any, ...]]:
        """The observation rows of a batch, as they are stored."""
        query = f"SELECT {ROW} FROM observations WHERE batch = ? ORDER BY id"
        return list(self._rows(query, batch))

    def batches_seen(self) -> list[int]:
        """The sequence of every record that has observations."""
        return [row[0] for row in self._rows("SELECT DISTINCT batch FROM observations")]

    def hides(self, record: Record) -> bool:
        """Whether an index of the store does not lead to a record that is there."""
        about = (record.kind.value, record.plan, record.subject, record.environment)
        # A plus keeps SQLite from finding it by its number.
        by_subject = "kind = ? AND plan = ? AND subject = ? AND environment = ? AND +sequence = ?"
        return not (
            any(self._records(by_subject, *about, record.sequence))
            and any(self._records("run = ? AND +sequence = ?", record.run, record.sequence))
        )

    def store_problems(self) -> list[str]:
        """What SQLite itself finds wrong with the file: broken pages, and indexes that lie."""
        found = [str(row[0]) for row in self._rows("PRAGMA integrity_check(10)")]
        return [] if found == ["ok"] else found

    def _records(self, where: str, *values: object) -> Iterator[Record]:
        for row in self._rows(f"SELECT {RECORD} FROM records WHERE {where}", *values):
            yield Record(row[0], kind_of(row[1]), *row[2:])

    def _rows(self, query: str, *values: object) -> Iterator[tuple[Any, ...]]:
        try:
            for count, row in enumerate(self._db.execute(query, values)):
                if count >= _MOST_ROWS:
                    raise ValueError(f"more than {_MOST_ROWS:,} rows")
                yield row
        except connection.TROUBLE as error:
            raise connection.unusable(self.path, error) from error
