"""The store that keeps a ledger in SQLite.

Every append is one short transaction that reads the chain's head and adds to it, so that
several processes may write at once and a killed one leaves what it had seen.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from typing import Any

from pytest_rollout.evidence import heads
from pytest_rollout.evidence.lineage import Merge, merge_of
from pytest_rollout.evidence.records import (
    GENESIS,
    Entry,
    Record,
    RecordKind,
    Row,
    link,
    record_after,
    record_name,
    spelled,
)
from pytest_rollout.evidence.sqlite import connection, files
from pytest_rollout.evidence.sqlite.schema import INDEXED_BY_SUBJECT, RECORD, ROW
from pytest_rollout.evidence.store import Content
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import Head

_MOST = 2**62
_INSERT_RECORD = f"INSERT INTO records ({RECORD}) VALUES ({','.join('?' * len(RECORD.split()))})"
_INSERT_ROW = f"INSERT INTO observations (batch, {ROW}) VALUES (?,?,?,?,?,?,?,?,?)"
_TAKE_OUT = (
    "DELETE FROM observations WHERE batch IN "
    "(SELECT sequence FROM records WHERE run = ? AND kind = 'batch')"
)
_COMPACTED = (
    f"kind = 'event' AND plan = '' AND subject = '' AND environment = '' AND {INDEXED_BY_SUBJECT}"
)
_columns = attrgetter(*RECORD.split(", "))
_MOST_ROWS = 5_000_000  # of one answer


class SqliteStore:
    """A connection to a ledger's file. See :class:`store.Store`."""

    def __init__(self, path: Path, db: sqlite3.Connection) -> None:
        self.path = path
        self._db = db
        self.last: Head | None = None
        self._wrote = False
        self._last_entry: tuple[RecordKind, str] | None = None  # its kind and run
        self._place = files.place_of(path)
        self.missing = ""  # a record that was noted beside the file and is not in it

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    def close(self) -> None:
        """End the connection; what was written is noted beside the file."""
        if self._wrote and self._place and files.place_of(self.path) == self._place:
            with suppress(LedgerError):
                files.keep_note(self.path, self._head_note())
        self._db.close()

    def _head_note(self) -> str:
        """The note of what stands last; a decision that was appended here is not read again."""
        last = self.last
        if last is None or self._last_entry is None or last != self.head():
            return heads.note_of(self)
        return heads.line_of(last, record_name(last.sequence, *self._last_entry))

    def append(self, entry: Entry, rows: Sequence[Row], at_us: int | None = None) -> Head:
        """Chain one record in one transaction."""
        try:
            with connection.transaction(self._db):
                head = self._append(entry, rows, at_us)
        except connection.TROUBLE as error:
            raise connection.unusable(self.path, error) from error
        self._appended(head, entry)
        return head

    def _appended(self, head: Head, entry: Entry) -> None:
        self.last, self._wrote = head, True
        self._last_entry = entry.kind, entry.run

    def _append(self, entry: Entry, rows: Sequence[Row], at_us: int | None) -> Head:
        last, head = self.last, self._head()
        if last is not None and last != head and not self._holds(last):
            gone = LedgerError(f"record {last.sequence}, just written, is gone")
            raise connection.unusable(self.path, gone)
        at_us = time.time_ns() // 1000 if at_us is None else at_us
        sequence = head.sequence + 1
        hash_ = link(head.hash, entry, sequence, at_us)
        where = (entry.run, entry.plan, entry.subject, entry.environment)
        link_ = (at_us, entry.body, head.hash, hash_, entry.words, None, None, None)
        self._insert((sequence, entry.kind.value, *where, *link_), rows)
        return Head(sequence, hash_)

    def _insert(self, columns: Sequence[object], rows: Sequence[Row]) -> None:
        self._db.execute(_INSERT_RECORD, columns)
        if rows:
            self._db.executemany(_INSERT_ROW, [(columns[0], *row) for row in rows])

    def compact(self, entry: Entry, runs: Sequence[str]) -> Head:
        """Chain one record and take observations out in one transaction."""
        try:
            with connection.transaction(self._db):
                head = self._append(entry, (), None)
                self._db.executemany(_TAKE_OUT, [(run,) for run in runs])
        except connection.TROUBLE as error:
            raise connection.unusable(self.path, error) from error
        self._appended(head, entry)
        return head

    def shrink(self) -> None:
        """Write the file anew without the room of what was taken out."""
        try:
            self._db.execute("VACUUM")
        except connection.TROUBLE as error:
            raise connection.unusable(self.path, error) from error

    def compactions(self) -> Iterator[Record]:
        """The records of all compactions; a view may stand before the table itself, ``main``."""
        if any(self._rows(f"SELECT 1 FROM main.records WHERE {_COMPACTED} LIMIT 1")):
            # Only files of today's schema have any, so all columns are there.
            yield from self._records(f"{_COMPACTED} ORDER BY sequence", table="main.records")

    def merges(self) -> list[Merge]:
        """The merges that records were written after."""
        rows = self._rows("SELECT sequence, head, leaves FROM merges ORDER BY head")
        return [merge_of(*row) for row in rows]

    def rewrite(self, content: Content, expected: Head) -> None:
        """Replace all that is chained in one transaction."""
        try:
            with connection.transaction(self._db):
                if self._head() != expected:
                    raise LedgerError(f"somebody wrote to {self.path} at the same time: try again")
                for table in ("observations", "records", "merges"):
                    self._db.execute(f"DELETE FROM {table}")
                for record in content.records:
                    self._insert(_columns(record), content.rows.get(record.sequence, ()))
                self._db.executemany(
                    "INSERT INTO merges (sequence, head, leaves) VALUES (?,?,?)",
                    [
                        (merge.head.sequence, merge.head.hash, " ".join(merge.leaves))
                        for merge in content.merges
                    ],
                )
        except connection.TROUBLE as error:
            raise connection.unusable(self.path, error) from error
        self.last, self._wrote = None, True

    def holds(self, head: Head) -> bool:
        """Whether a record that was appended is still there."""
        try:
            return self._holds(head)
        except connection.TROUBLE as error:
            raise connection.unusable(self.path, error) from error

    def _holds(self, head: Head) -> bool:
        query = "SELECT 1 FROM records WHERE sequence = ? AND hash = ?"
        return self._db.execute(query, (head.sequence, head.hash)).fetchone() is not None

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

    def count(self) -> int:
        """How many records there are."""
        return sum(row[0] for row in self._rows("SELECT count(*) FROM records"))

    def of_run(self, run: str) -> Iterator[Record]:
        """Every record of a run, in order."""
        return self._records("run = ? ORDER BY sequence", run)

    def hashes_of(self, run: str) -> list[str]:
        """The hash of every record of a run, in order."""
        query = "SELECT hash FROM records WHERE run = ? ORDER BY sequence"
        return [row[0] for row in self._rows(query, run)]

    def between(self, first: int, last: int | None) -> Iterator[Record]:
        """The records of a stretch of the chain."""
        end = _MOST if last is None else last
        return self._records("sequence BETWEEN ? AND ? ORDER BY sequence", first, end)

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
        where = "kind = ? AND plan = ? AND subject = ? AND environment = ?"
        where += "" if kind is RecordKind.BATCH else f" AND {INDEXED_BY_SUBJECT}"
        values: list[object] = [kind.value, plan, subject, environment]
        if word is not None:
            where += " AND (words IS NULL OR instr(words, ?))"
            values.append(spelled((word,)))
        if before is not None:
            where += " AND sequence < ?"
            values.append(before)
        order = "DESC" if newest else "ASC"
        return self._records(f"{where} ORDER BY sequence {order}", *values)

    def first_after(self, at_us: int) -> int | None:
        """The sequence of the earliest record that was written after an instant."""
        # A plus keeps SQLite from walking all records, by which it finds a smallest number.
        query = "SELECT min(+sequence) FROM records WHERE at_us > ?"
        return next((row[0] for row in self._rows(query, at_us)), None)

    def rows_of(self, batch: int) -> list[Row]:
        """The observations of a record."""
        query = f"SELECT {ROW} FROM observations WHERE batch = ? ORDER BY id"
        return list(self._rows(query, batch))

    def rows_of_run(self, run: str) -> Iterator[tuple[int, Row]]:
        """The observations of all records of a run."""
        columns = ", ".join(f"observations.{name}" for name in ROW.split(", "))
        query = (
            f"SELECT batch, {columns} FROM records JOIN observations ON batch = sequence "
            "WHERE run = ? ORDER BY sequence, id"
        )
        return ((row[0], row[1:]) for row in self._rows(query, run))

    def batches_seen(self) -> list[int]:
        """The sequence of every record that has observations."""
        return [row[0] for row in self._rows("SELECT DISTINCT batch FROM observations")]

    def hides(self, record: Record) -> bool:
        """Whether an index of the file does not lead to a record that is there."""
        about = (record.kind.value, record.plan, record.subject, record.environment)
        # A plus keeps SQLite from finding it by its number.
        by_subject = "kind = ? AND plan = ? AND subject = ? AND environment = ? AND +sequence = ?"
        by_subject += f" AND {INDEXED_BY_SUBJECT}"
        return not (
            any(self._records(by_subject, *about, record.sequence))
            and any(self._records("run = ? AND +sequence = ?", record.run, record.sequence))
        )

    def problems(self, *, quick: bool = False) -> list[str]:
        """What SQLite itself finds wrong with the file: broken pages, and indexes that lie."""
        pages = () if quick else self._rows("PRAGMA integrity_check(10)")
        lines = [str(row[0]) for row in pages]
        broken = [f"the file is broken: {line}" for line in lines if lines != ["ok"]]
        if self.missing:
            note = files.note_of(self.path).name
            broken.append(
                f"it is an older or another copy: {self.missing}, noted in {note}, is gone"
            )
        return broken

    def keep_text(self, digest: str, text: str) -> None:
        """Keep a text by its digest, once."""
        try:
            with connection.transaction(self._db):
                self._db.execute("INSERT OR IGNORE INTO texts VALUES (?, ?)", (digest, text))
        except connection.TROUBLE as error:
            raise connection.unusable(self.path, error) from error

    def text(self, digest: str) -> str | None:
        """A text by its digest, as it is stored."""
        rows = self._rows("SELECT text FROM texts WHERE digest = ?", digest)
        return next((str(text) for (text,) in rows), None)

    def put(self, digest: str, content: bytes) -> None:
        """Keep a file beside the ledger."""
        try:
            files.put(files.folder_of(self.path), digest, content)
        except OSError as error:
            raise LedgerError(f"{error.filename} cannot be written: {error.strerror}") from error

    def get(self, digest: str) -> bytes | None:
        """A file from beside the ledger."""
        return files.get(files.folder_of(self.path), digest)

    def has(self, digest: str) -> bool:
        """Whether there is a file of that digest beside the ledger."""
        return (files.folder_of(self.path) / digest).is_file()

    def _records(self, where: str, *values: object, table: str = "records") -> Iterator[Record]:
        before: Record | None = None
        for row in self._rows(f"SELECT {RECORD} FROM {table} WHERE {where}", *values):
            before = record_after(before, row)
            yield before

    def _rows(self, query: str, *values: object) -> Iterator[tuple[Any, ...]]:
        try:
            for count, row in enumerate(self._db.execute(query, values)):
                if count >= _MOST_ROWS:
                    raise LedgerError(
                        f"the ledger {self.path} cannot be used: more than {_MOST_ROWS:,} rows"
                    )
                yield row
        except connection.TROUBLE as error:
            raise connection.unusable(self.path, error) from error
