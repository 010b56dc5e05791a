"""The tables of the ledger, and whether a file holds them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pytest_rollout.model.errors import LedgerError

SCHEMA = 2
_WITHOUT_WORDS = 1  # the schema before records had a column for what they are searched for
APPLICATION_ID = 0x726F6C6C  # "roll"
RECORD = "sequence, kind, run, plan, subject, environment, at_us, body, previous, hash, words"
WITHOUT_WORDS = "*, NULL AS words"  # the same of a file of the schema before
ROW = "plan, phase, metric, labels, t_us, seen_us, seq, value"

# Every column of an observation but its id is in its batch's digest or is its batch.
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
    hash TEXT NOT NULL,
    words TEXT
);
CREATE INDEX records_by_run ON records (run, sequence);
CREATE INDEX records_by_subject ON records (kind, plan, subject, environment, sequence);
CREATE INDEX records_by_time ON records (at_us);
CREATE TABLE observations (
    id INTEGER PRIMARY KEY,
    batch INTEGER NOT NULL REFERENCES records (sequence),
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
CREATE TABLE texts (digest TEXT PRIMARY KEY, text TEXT NOT NULL);
"""


def empty(db: sqlite3.Connection) -> bool:
    """Whether the database holds nothing at all."""
    return not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


def make(db: sqlite3.Connection) -> None:
    """Make the tables; the caller holds the transaction."""
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            db.execute(statement)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {SCHEMA}")


def migrate(db: sqlite3.Connection) -> None:
    """Bring a file to this schema; the caller holds the transaction.

    Its records stay as they are: without words.
    """
    db.execute("ALTER TABLE records ADD COLUMN words TEXT")
    db.execute(f"PRAGMA user_version = {SCHEMA}")


def check(db: sqlite3.Connection, path: Path) -> int:
    """Return the schema of a ledger that this version reads; raises LedgerError for any other."""
    application = db.execute("PRAGMA application_id").fetchone()[0]
    schema = int(db.execute("PRAGMA user_version").fetchone()[0])
    if application != APPLICATION_ID:
        raise LedgerError(f"{path} is not a rollout ledger; choose another file")
    if schema not in (_WITHOUT_WORDS, SCHEMA):
        raise LedgerError(
            f"{path} has ledger schema {schema}; this version reads {_WITHOUT_WORDS} and {SCHEMA}"
        )
    return schema
