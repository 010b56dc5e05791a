"""Asking a SQLite file: one statement, which only reads."""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pytest_rollout.checks.answer import MOST_ROWS, Reading, Reply
from pytest_rollout.model.check import Check
from pytest_rollout.model.errors import RolloutError

_STEPS = 1_000  # of SQLite's machine between two looks at the clock
_MOST_LENGTH = 10_000_000  # of one value: a function that makes a longer one cannot be stopped
_READS = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
_ASKING_PRAGMAS = {
    "application_id",
    "foreign_key_check",
    "integrity_check",
    "journal_mode",
    "quick_check",
    "user_version",
}


def ask(check: Check, path: Path, labels: tuple[str, ...]) -> Reply:
    """The rows of a query: each label's column, and one more with the value.

    Raises RolloutError where the file is none of SQLite's, or the query is no reading one.
    """
    limit_s = check.timeout_us / 1_000_000
    try:
        with closing(_opened(path, check.on[0], limit_s)) as db:
            columns, rows = _rows(db, check.text, limit_s)
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        raise RolloutError(f"sql on {check.on[0]}: {error}") from None
    return Reply(readings=tuple(_readings(columns, rows, labels)))


def _opened(path: Path, target: str, limit_s: float) -> sqlite3.Connection:
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", str(path)):
        raise RolloutError(f"target {target} is no file: `sql` asks files of SQLite, and only them")
    if not path.is_file():
        raise RolloutError(f"target {target}: there is no file {path.name}")
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    db = sqlite3.connect(uri, uri=True, timeout=limit_s, isolation_level=None)
    db.execute("PRAGMA query_only = ON")
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST_LENGTH)
    return db


def _rows(
    db: sqlite3.Connection, statement: str, limit_s: float
) -> tuple[list[str], list[tuple[Any, ...]]]:
    refused = False
    deadline = time.monotonic() + limit_s

    def allow(action: int, first: str | None, second: str | None, *_: str | None) -> int:
        nonlocal refused
        asks = action == sqlite3.SQLITE_PRAGMA and first in _ASKING_PRAGMAS and second is None
        if asks or (action in _READS and second != "load_extension"):
            return sqlite3.SQLITE_OK
        refused = True
        return sqlite3.SQLITE_DENY

    db.set_authorizer(allow)
    db.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    try:
        cursor = db.execute(statement)
        rows = cursor.fetchmany(MOST_ROWS + 1)
    except sqlite3.Error as error:
        if refused:
            raise RolloutError("the query is refused: a check only reads") from None
        if time.monotonic() > deadline:
            raise RolloutError(f"the query did not end within {limit_s:g} s") from None
        raise ValueError(str(error)) from None
    if cursor.description is None:
        raise RolloutError("the query asks nothing")
    if len(rows) > MOST_ROWS:
        raise RolloutError(f"the query gives more than {MOST_ROWS} rows")
    return [column[0] for column in cursor.description], rows


def _readings(
    columns: list[str], rows: list[tuple[Any, ...]], labels: tuple[str, ...]
) -> list[Reading]:
    lacking = [label for label in labels if label not in columns]
    value_places = [place for place, column in enumerate(columns) if column not in labels]
    if lacking or len(value_places) != 1 or len(columns) != len(labels) + 1:
        wanted = ", ".join([*labels, "the value"])
        raise RolloutError(f"the query gives the columns {', '.join(columns)}; needed: {wanted}")
    return [
        Reading(
            _told(row[value_places[0]]),
            {column: str(row[place]) for place, column in enumerate(columns) if column in labels},
        )
        for row in rows
    ]


def _told(value: object) -> object:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
