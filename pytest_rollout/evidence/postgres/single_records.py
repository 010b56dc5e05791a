"""Single records in PostgreSQL: how one is written with its observations, and looked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_rollout.evidence.postgres.schema import RECORD, ROW, Db
from pytest_rollout.evidence.records import GENESIS, Record, Row
from pytest_rollout.model.evidence import Head

_COLUMNS = RECORD.split(", ")
_INSERT = f"INSERT INTO records ({RECORD}) VALUES ({', '.join(['%s'] * len(_COLUMNS))})"
_TYPES = ("text[]", "text[]", "text[]", "text[]", "bigint[]", "bigint[]", "bigint[]", "text[]")
_INSERT_ROWS = (
    f"INSERT INTO observations (batch, {ROW}) SELECT %s, {ROW} FROM "
    f"unnest({', '.join(f'%s::{type_}' for type_ in _TYPES)}) WITH ORDINALITY AS given "
    f"({ROW}, place) ORDER BY place"
)
HOLDS = "SELECT 1 FROM records WHERE sequence = %s AND hash = %s"
_TAKE_OUT = (
    "DELETE FROM observations WHERE batch IN "
    "(SELECT sequence FROM records WHERE run = ANY(%s) AND kind = 'batch')"
)


def head_of(row: tuple[Any, ...] | None) -> Head:
    """Return the head that a row tells; without a row that of an empty chain."""
    return Head(0, GENESIS) if row is None else Head(int(row[0]), str(row[1]))


def holds(db: Db, head: Head) -> bool:
    """Whether a record is there."""
    return db.execute(HOLDS, (head.sequence, head.hash)).fetchone() is not None


def insert(db: Db, record: Record, rows: Sequence[Row]) -> None:
    """Write a record and its observations."""
    db.execute(_INSERT, [getattr(record, name) for name in _COLUMNS])
    if rows:
        db.execute(_INSERT_ROWS, (record.sequence, *map(list, zip(*rows, strict=True))))


def take_out(db: Db, runs: Sequence[str]) -> None:
    """Delete the observations of runs."""
    db.execute(_TAKE_OUT, (list(runs),))
