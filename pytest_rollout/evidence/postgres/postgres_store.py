"""The store that keeps a ledger in PostgreSQL.

Every append is one transaction that locks the ledger's one row, reads the chain's head and adds
to it. It goes over the wire twice. Long answers are read page by page, so that no connection is
held by somebody who reads them as they are needed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from pytest_rollout.evidence.lineage import Merge, merge_of
from pytest_rollout.evidence.postgres import paging, schema, trouble
from pytest_rollout.evidence.postgres.connection import Line, rolled_back, transaction
from pytest_rollout.evidence.postgres.schema import RECORD, ROW, Db
from pytest_rollout.evidence.postgres.single_records import HOLDS, head_of, holds, insert, take_out
from pytest_rollout.evidence.records import (
    GENESIS,
    Entry,
    Record,
    RecordKind,
    Row,
    link,
    record_after,
    spelled,
)
from pytest_rollout.evidence.store import Content
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import Head

_TURN = "SELECT version FROM ledger FOR UPDATE"
_HEAD = "SELECT sequence, hash FROM records ORDER BY sequence DESC LIMIT 1"
_ROWS_PAGE = 10_000
_RUN_PAGE = 500  # records whose observations are read together
_MOST = 2**62
_MOST_ROWS = 5_000_000  # of one answer


class PostgresStore:
    """A connection to a ledger's database. See :class:`store.Store`."""

    def __init__(self, line: Line, until_us: int | None) -> None:
        self._line = line
        self._until = "" if until_us is None else f"at_us <= {int(until_us)} AND "
        self.last: Head | None = None

    @property
    def name(self) -> str:
        """Its address, which holds no password."""
        return self._line.address.shown

    def close(self) -> None:
        """End the connection."""
        self._line.close()

    def append(self, entry: Entry, rows: Sequence[Row], at_us: int | None = None) -> Head:
        """Chain one record in one transaction.

        Where the connection is lost while it is committed, the record is looked for before it is
        chained once more.
        """
        sent: list[Head] = []
        self.last = self._line.run(partial(self._append, entry, rows, at_us, sent))
        return self.last

    def _append(
        self,
        entry: Entry,
        rows: Sequence[Row],
        at_us: int | None,
        sent: list[Head],
        db: Db,
        *,
        leaving: Sequence[str] = (),
    ) -> Head:
        with rolled_back(db):
            head = self._turn(db)
            there = next((place for place in sent if holds(db, place)), None)
            if there is not None:
                db.execute("ROLLBACK")
                return there
            at_us = time.time_ns() // 1000 if at_us is None else at_us
            sequence = head.sequence + 1
            hash_ = link(head.hash, entry, sequence, at_us)
            where = (entry.run, entry.plan, entry.subject, entry.environment)
            rest = (entry.body, head.hash, hash_, entry.words)
            sent.append(Head(sequence, hash_))
            with db.pipeline():
                insert(db, Record(sequence, entry.kind, *where, at_us, *rest), rows)
                if leaving:
                    take_out(db, leaving)
                db.execute("COMMIT")
        return sent[-1]

    def _turn(self, db: Db) -> Head:
        """Begin a transaction once nobody else appends; the head that stands then."""
        last = self.last or Head(0, GENESIS)
        with db.pipeline():
            db.execute("BEGIN")
            turn = db.execute(_TURN)
            newest = db.execute(_HEAD)
            held = db.execute(HOLDS, (last.sequence, last.hash))
        version, head = turn.fetchone(), newest.fetchone()
        if version != (schema.VERSION,):
            what = f"its schema is {version[0] if version else 'gone'} since a moment ago"
            raise trouble.because(self._line.address, what, "run the same again")
        if self.last is not None and held.fetchone() is None:
            why = f"record {last.sequence}, just written, is gone"
            raise trouble.because(self._line.address, why, "`rollout verify` says what is there")
        return head_of(head)

    def compact(self, entry: Entry, runs: Sequence[str]) -> Head:
        """Chain one record and take observations out in one transaction."""
        self.last = self._line.run(partial(self._append, entry, (), None, [], leaving=runs))
        return self.last

    def shrink(self) -> None:
        """Nothing: PostgreSQL cleans up by itself."""

    def compactions(self) -> Iterator[Record]:
        """The records of all compactions."""
        where = "kind = 'event' AND plan = '' AND subject = '' AND environment = ''"
        rows = self._rows(f"SELECT {RECORD} FROM records WHERE {where} ORDER BY sequence")
        return (record_after(None, row) for row in rows)

    def merges(self) -> list[Merge]:
        """The merges that records were written after."""
        rows = self._rows('SELECT sequence, head, leaves FROM merges ORDER BY head COLLATE "C"')
        return [merge_of(*row) for row in rows]

    def rewrite(self, content: Content, expected: Head) -> None:
        """Replace all that is chained in one transaction."""
        sent: list[Head] = []
        self._line.run(partial(self._rewrite, content, expected, sent))
        self.last = None

    def _rewrite(self, content: Content, expected: Head, sent: list[Head], db: Db) -> None:
        with transaction(db):
            db.execute(_TURN)
            head = head_of(db.execute(_HEAD).fetchone())
            if head in sent:
                return  # the connection was lost after it had been committed
            if head != expected:
                raise LedgerError(f"somebody wrote to {self.name} at the same time: try again")
            for table in ("observations", "records", "merges"):
                db.execute(f"DELETE FROM {table}")
            with db.pipeline():
                for record in content.records:
                    insert(db, record, content.rows.get(record.sequence, ()))
                for merge in content.merges:
                    db.execute(
                        "INSERT INTO merges (sequence, head, leaves) VALUES (%s, %s, %s)",
                        (merge.head.sequence, merge.head.hash, " ".join(merge.leaves)),
                    )
            sent += [Head(last.sequence, last.hash) for last in content.records[-1:]]

    def holds(self, head: Head) -> bool:
        """Whether a record that was appended is still there."""
        query = f"SELECT 1 FROM records WHERE {self._until} sequence = %s AND hash = %s"
        return bool(self._rows(query, head.sequence, head.hash))

    def head(self) -> Head:
        """The newest link of the chain."""
        where = f"WHERE {self._until} true"
        query = f"SELECT sequence, hash FROM records {where} ORDER BY sequence DESC LIMIT 1"
        return head_of(next(iter(self._rows(query)), None))

    def count(self) -> int:
        """How many records there are."""
        query = f"SELECT count(*) FROM records WHERE {self._until} true"
        return sum(row[0] for row in self._rows(query))

    def of_run(self, run: str) -> Iterator[Record]:
        """Every record of a run, in order."""
        return self._records("run = %s", run)

    def hashes_of(self, run: str) -> list[str]:
        """The hash of every record of a run, in order."""
        query = f"SELECT hash FROM records WHERE {self._until} run = %s ORDER BY sequence"
        return [row[0] for row in self._rows(query, run)]

    def between(self, first: int, last: int | None) -> Iterator[Record]:
        """The records of a stretch of the chain."""
        end = _MOST if last is None else last
        return self._records("sequence BETWEEN %s AND %s", first, end)

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
        where = "kind = %s AND plan = %s AND subject = %s AND environment = %s"
        values: list[object] = [kind.value, plan, subject, environment]
        if word is not None:
            where += " AND (words IS NULL OR strpos(words, %s) > 0)"
            values.append(spelled((word,)))
        if before is not None:
            where += " AND sequence < %s"
            values.append(before)
        return self._records(where, *values, newest=newest)

    def first_after(self, at_us: int) -> int | None:
        """The sequence of the earliest record that was written after an instant."""
        # A sum keeps the planner from walking all records, by which it finds a smallest number.
        query = f"SELECT min(sequence + 0) FROM records WHERE {self._until} at_us > %s"
        return next((row[0] for row in self._rows(query, at_us)), None)

    def rows_of(self, batch: int) -> list[Row]:
        """The observations of a record."""
        query = f"SELECT {ROW} FROM observations WHERE batch = %s ORDER BY id LIMIT %s"
        return self._bounded(self._rows(query, batch, _MOST_ROWS + 1))

    def rows_of_run(self, run: str) -> Iterator[tuple[int, Row]]:
        """The observations of all records of a run."""
        query = f"SELECT sequence FROM records WHERE {self._until} run = %s ORDER BY sequence"
        batches = [row[0] for row in self._rows(query, run)]
        for first in range(0, len(batches), _RUN_PAGE):
            some = batches[first : first + _RUN_PAGE]
            after = (0, 0)
            while True:
                page = self._rows(
                    f"SELECT id, batch, {ROW} FROM observations WHERE batch = ANY(%s) "
                    "AND (batch, id) > (%s, %s) ORDER BY batch, id LIMIT %s",
                    *(some, *after, _ROWS_PAGE),
                )
                yield from ((row[1], row[2:]) for row in page)
                if len(page) < _ROWS_PAGE:
                    break
                after = (page[-1][1], page[-1][0])

    def batches_seen(self) -> list[int]:
        """The sequence of every record that has observations."""
        return [row[0] for row in self._rows("SELECT DISTINCT batch FROM observations")]

    def hides(self, record: Record) -> bool:
        """Whether an index of the database does not lead to a record that is there."""
        about = (record.kind.value, record.plan, record.subject, record.environment)
        # An addition keeps PostgreSQL from finding it by its number.
        by_subject = (
            "kind = %s AND plan = %s AND subject = %s AND environment = %s AND sequence + 0 = %s"
        )
        return not (
            any(self._records(by_subject, *about, record.sequence))
            and any(self._records("run = %s AND sequence + 0 = %s", record.run, record.sequence))
        )

    def problems(self, *, quick: bool = False) -> list[str]:
        """Nothing: PostgreSQL refuses to read what it finds broken."""
        return []

    def keep_text(self, digest: str, text: str) -> None:
        """Keep a text by its digest, once."""
        self._keep("INSERT INTO texts VALUES (%s, %s) ON CONFLICT DO NOTHING", digest, text)

    def text(self, digest: str) -> str | None:
        """A text by its digest, as it is stored."""
        rows = self._rows("SELECT text FROM texts WHERE digest = %s", digest)
        return next((str(text) for (text,) in rows), None)

    def put(self, digest: str, content: bytes) -> None:
        """Keep a file in the database; one that is there stays as it is."""
        self._keep("INSERT INTO files VALUES (%s, %s) ON CONFLICT DO NOTHING", digest, content)

    def get(self, digest: str) -> bytes | None:
        """A file from the database."""
        rows = self._rows("SELECT content FROM files WHERE digest = %s", digest)
        return next((bytes(content) for (content,) in rows), None)

    def has(self, digest: str) -> bool:
        """Whether there is a file of that digest in the database."""
        return bool(self._rows("SELECT 1 FROM files WHERE digest = %s", digest))

    def _keep(self, query: str, *values: object) -> None:
        self._line.run(lambda db: db.execute(query, values))

    def _records(self, where: str, *values: object, newest: bool = False) -> Iterator[Record]:
        """Records in the order of the chain or against it, page by page."""
        beyond, order = ("<", "DESC") if newest else (">", "ASC")
        query = (
            f"SELECT {RECORD} FROM records WHERE {self._until} {where} "
            f"AND sequence {beyond} %s ORDER BY sequence {order} LIMIT %s"
        )
        edge, most, count = (2**63 - 1 if newest else -(2**63)), paging.FIRST, 0
        before: Record | None = None
        while True:
            page = self._rows(query, *values, edge, most)
            count += len(page)
            for row in page:
                before = record_after(before, row)
                yield before
            if len(page) < most:
                return
            if count > _MOST_ROWS:
                raise self._too_many()
            edge, most = page[-1][0], paging.following(page)

    def _bounded(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        if len(rows) > _MOST_ROWS:
            raise self._too_many()
        return rows

    def _too_many(self) -> LedgerError:
        return trouble.because(self._line.address, f"more than {_MOST_ROWS:,} rows")

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._line.run(lambda db: db.execute(query, values).fetchall())
