"""The tables of the ledger, and whether a file holds them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pytest_rollout.model.errors import LedgerError

SCHEMA = 3
_WITHOUT_WORDS = 1  # the schema before records had a column for what they are searched for
APPLICATION_ID = 0x726F6C6C  # "roll"
_FIRST = ("first_sequence", "first_previous", "first_hash")
RECORD = (
    "sequence, kind, run, plan, subject, environment, at_us, body, previous, hash, words, "
    "first_sequence, first_previous, first_hash"
)
ROW = "plan, phase, metric, labels, t_us, seen_us, seq, value"

# Batches are found by their run: an index of them by subject would cost each test a page. Queries
# state it as it stands here, by which SQLite knows that the index has what they look for. Files
# that were made with an index of all kinds keep it.
INDEXED_BY_SUBJECT = "kind <> 'batch'"

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
    words TEXT,
    first_sequence INTEGER,
    first_previous TEXT,
    first_hash TEXT
);
CREATE INDEX records_by_run ON records (run, sequence);
CREATE INDEX records_by_subject ON records (kind, plan, subject, environment, sequence)
    WHERE kind <> 'batch';
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
# Which records a merged chain is made of: from its leaves it is made again anywhere.
_MERGES = """
CREATE TABLE merges (head TEXT PRIMARY KEY, sequence INTEGER NOT NULL, leaves TEXT NOT NULL)
"""


def columns(schema: int) -> str:
    """What to select of the records of a file of some schema, so that they look as today's."""
    missing = [] if schema >= SCHEMA else list(_FIRST)
    missing += ["words"] if schema == _WITHOUT_WORDS else []
    return ", ".join(["*", *(f"NULL AS {name}" for name in missing)])


def empty(db: sqlite3.Connection) -> bool:
    """Whether the database holds nothing at all."""
    return not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


def make(db: sqlite3.Connection) -> None:
    """Make the tables; the caller holds the transaction."""
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            db.execute(statement)
    db.execute(_MERGES)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {SCHEMA}")


def migrate(db: sqlite3.Connection) -> None:
    """Bring a file to this schema; the caller holds the transaction.

    Its records stay as they are: those of the first schema without words.
    """
    known = {row[1] for row in db.execute("PRAGMA table_info(records)")}
    for name, kind in (("words", "TEXT"), *zip(_FIRST, ("INTEGER", "TEXT", "TEXT"), strict=True)):
        if name not in known:
            db.execute(f"ALTER TABLE records ADD COLUMN {name} {kind}")
    db.execute(_MERGES)
    db.execute(f"PRAGMA user_version = {SCHEMA}")


def check(db: sqlite3.Connection, path: Path) -> int:
    """Return the schema of a ledger that this version reads; raises LedgerError for any other."""
    application = db.execute("PRAGMA application_id").fetchone()[0]
    schema = int(db.execute("PRAGMA user_version").fetchone()[0])
    if application != APPLICATION_ID:
        raise LedgerError(f"{path} is not a rollout ledger; choose another file")
    if not _WITHOUT_WORDS <= schema <= SCHEMA:
        raise LedgerError(
            f"{path} has ledger schema {schema}; this version reads {_WITHOUT_WORDS} to {SCHEMA}"
        )
    return schema
