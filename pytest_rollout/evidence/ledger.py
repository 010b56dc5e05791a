"""The ledger: an append-only, hash-chained store in one SQLite file.

Every append is one short transaction that reads the chain's head and adds to it, so that
several processes may write at once and a killed one leaves what it had seen.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pytest_rollout.evidence.records import (
    GENESIS,
    Batch,
    Draft,
    Observation,
    Record,
    RecordKind,
    link,
    rows_digest,
)
from pytest_rollout.model.decision import canonical
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import Head

SCHEMA = 1
APPLICATION_ID = 0x726F6C6C  # "roll"
_WAIT_S = 30

_TABLES = """
CREATE TABLE records (
    sequence INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    run TEXT NOT NULL,
    plan TEXT NOT NULL,
    subject TEXT NOT NULL,
    environment TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    body TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE INDEX records_by_run ON records (run, sequence);
CREATE INDEX records_by_subject ON records (kind, plan, subject, environment, sequence);
CREATE TABLE observations (
    id INTEGER PRIMARY KEY,
    batch INTEGER NOT NULL REFERENCES records (sequence),
    run TEXT NOT NULL,
    environment TEXT NOT NULL,
    plan TEXT NOT NULL,
    phase TEXT NOT NULL,
    metric TEXT NOT NULL,
    labels TEXT NOT NULL,
    t_us INTEGER NOT NULL,
    seen_us INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    value TEXT NOT NULL
);
CREATE INDEX observations_by_batch ON observations (batch, id);
CREATE INDEX observations_by_time
    ON observations (plan, phase, environment, t_us);
CREATE TABLE texts (digest TEXT PRIMARY KEY, text TEXT NOT NULL);
"""
_RECORD = "sequence, kind, run, plan, subject, environment, at_us, body, previous, hash"
_ROW = "plan, phase, metric, labels, t_us, seen_us, seq, value"


class Ledger:
    """A connection to the ledger; open with :meth:`create` to write, :meth:`open` to read."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._db = connection

    @classmethod
    def create(cls, path: Path) -> Ledger:
        """The ledger at a path, made if need be; raises LedgerError where it cannot be written."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            ignore = path.parent / ".gitignore"
            if path.parent.name == ".rollout" and not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
            db = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            with _transaction(db):
                _prepare(db, path)
        except (OSError, sqlite3.Error) as error:
            raise _unusable(path, error) from error
        return cls(path, db)

    @classmethod
    def open(cls, path: Path) -> Ledger:
        """An existing ledger for reading; raises LedgerError where there is none."""
        if not path.is_file():
            raise LedgerError(f"there is no ledger at {path} (run `pytest -m PHASE` first)")
        try:
            db = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None)
            db.execute("PRAGMA query_only = ON")
            _check(db, path)
        except sqlite3.Error as error:
            raise _unusable(path, error) from error
        return cls(path, db)

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
        draft = Draft(RecordKind.BATCH, run, body, plan, batch.item, environment)
        return self._append(draft, batch.observations)

    def _append(self, draft: Draft, observations: Sequence[Observation]) -> Head:
        body = canonical(dict(draft.body))
        try:
            with _transaction(self._db):
                at_us = time.time_ns() // 1000
                head = self._head()
                sequence = head.sequence + 1
                hash_ = link(head.hash, draft, sequence, at_us, body)
                row = (sequence, draft.kind.value, draft.run, draft.plan, draft.subject)
                row_end = (draft.environment, at_us, body, head.hash, hash_)
                self._db.execute(
                    f"INSERT INTO records ({_RECORD}) VALUES (?,?,?,?,?,?,?,?,?,?)",
                    (*row, *row_end),
                )
                self._db.executemany(
                    f"INSERT INTO observations (batch, run, environment, {_ROW})"
                    " VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                    [(sequence, draft.run, draft.environment, *o.row()) for o in observations],
                )
        except (sqlite3.Error, OSError) as error:
            raise _unusable(self.path, error) from error
        return Head(sequence, hash_)

    def keep_text(self, digest: str, text: str) -> None:
        """Store a text by its digest, once."""
        try:
            with _transaction(self._db):
                self._db.execute("INSERT OR IGNORE INTO texts VALUES (?, ?)", (digest, text))
        except sqlite3.Error as error:
            raise _unusable(self.path, error) from error

    def text(self, digest: str) -> str | None:
        """A text by its digest."""
        row = self._one("SELECT text FROM texts WHERE digest = ?", digest)
        return None if row is None else str(row[0])

    def head(self) -> Head:
        """The newest link of the chain."""
        try:
            return self._head()
        except sqlite3.Error as error:
            raise _unusable(self.path, error) from error

    def _head(self) -> Head:
        query = "SELECT sequence, hash FROM records ORDER BY sequence DESC LIMIT 1"
        row = self._db.execute(query).fetchone()
        return Head(0, GENESIS) if row is None else Head(int(row[0]), str(row[1]))

    def of_run(self, run: str) -> list[Record]:
        """Every record of a run, in order."""
        return self._records("run = ? ORDER BY sequence", run)

    def between(self, first: int, last: int) -> list[Record]:
        """The records of a stretch of the chain, both ends included."""
        return self._records("sequence BETWEEN ? AND ? ORDER BY sequence", first, last)

    def find(self, kind: RecordKind, plan: str, subject: str, environment: str) -> list[Record]:
        """The records of one kind about one subject in an environment, in order."""
        return self._records(
            "kind = ? AND plan = ? AND subject = ? AND environment = ? ORDER BY sequence",
            kind.value,
            plan,
            subject,
            environment,
        )

    def runs(self, plan: str, environment: str) -> list[Record]:
        """The records of the runs that asked something of a plan, newest first."""
        found = self._records(
            "kind = ? AND environment = ? ORDER BY sequence DESC", "run", environment
        )
        return [record for record in found if plan in json.loads(record.body)["plans"]]

    def rows_of(self, batch: int) -> list[tuple[Any, ...]]:
        """The observation rows of a batch, as they are stored."""
        query = f"SELECT {_ROW} FROM observations WHERE batch = ? ORDER BY id"
        return self._all(query, batch)

    def runs_seen(
        self, plan: str, phase: str, environment: str, start_us: int | None, end_us: int | None
    ) -> list[str]:
        """The runs that observed something of a phase within (start, end], by event time."""
        query = (
            "SELECT DISTINCT run FROM observations WHERE plan = ? AND phase = ?"
            " AND environment = ? AND t_us > ? AND t_us <= ?"
        )
        low = -(2**62) if start_us is None else start_us
        high = 2**62 if end_us is None else end_us
        return [str(row[0]) for row in self._all(query, plan, phase, environment, low, high)]

    def _records(self, where: str, *values: object) -> list[Record]:
        rows = self._all(f"SELECT {_RECORD} FROM records WHERE {where}", *values)
        return [Record(row[0], RecordKind(row[1]), *row[2:]) for row in rows]

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(query, values).fetchall()
        except (sqlite3.Error, OverflowError, ValueError) as error:
            raise _unusable(self.path, error) from error

    def _one(self, query: str, *values: object) -> tuple[Any, ...] | None:
        rows = self._all(query, *values)
        return rows[0] if rows else None


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        _check(db, path)
        return
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            db.execute(statement)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {SCHEMA}")


def _check(db: sqlite3.Connection, path: Path) -> None:
    application = db.execute("PRAGMA application_id").fetchone()[0]
    schema = db.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        raise LedgerError(f"{path} is not a rollout ledger; choose another file")
    if schema != SCHEMA:
        raise LedgerError(f"{path} has ledger schema {schema}; this version reads {SCHEMA}")


def _unusable(path: Path, error: Exception) -> LedgerError:
    return LedgerError(f"the ledger {path} cannot be used: {error}")
