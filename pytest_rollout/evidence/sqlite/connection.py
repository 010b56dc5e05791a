"""Connections to the ledger's file: made for writing, or looked at without changing it."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from pytest_rollout.evidence.sqlite import schema
from pytest_rollout.model.errors import LedgerError

# OverflowError and UnicodeError: what SQLite cannot hold.
TROUBLE = (sqlite3.Error, OSError, OverflowError, UnicodeError)
_WAIT_S = 30
_MOST_BYTES = 64_000_000  # of one value; what is larger is neither written nor read
_CANNOT_WRITE = (
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
)
_Ready = Callable[[sqlite3.Connection, Path], None]


def to_write(path: Path) -> sqlite3.Connection:
    """The ledger at a path, made if need be; raises LedgerError."""
    return _connect(path, _make)


def to_read(path: Path, until_us: int | None) -> sqlite3.Connection:
    """An existing ledger, as it was at an instant or as it is; raises LedgerError."""
    if not path.exists():
        raise _none(path)
    look = partial(_look, until_us=until_us)
    try:
        return _connect(path, look)
    except LedgerError as error:
        if _code(error) not in _CANNOT_WRITE or not path.is_file():
            raise
    # SQLite reads a log only where it can write an index of it: where a folder is read-only,
    # or its disk full, what can be read is a copy.
    return _connect(path, partial(_copy, look=look), ":memory:")


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All of it is written, or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # also where the commit itself failed: others must not wait for us
            db.execute("ROLLBACK")
        raise


def unusable(path: Path, error: Exception) -> LedgerError:
    """What to say of a ledger that cannot be read or written."""
    return LedgerError(f"the ledger {path} cannot be used: {error}")


def _none(path: Path) -> LedgerError:
    return LedgerError(f"there is no ledger at {path} (run `pytest -m PHASE` first)")


def _connect(path: Path, ready: _Ready, at: str | None = None) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(at or path, timeout=_WAIT_S, isolation_level=None)
    except sqlite3.Error as error:
        raise unusable(path, error) from error
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST_BYTES)
    # Bytes that are no UTF-8 were not written by us: their record's hash tells.
    db.text_factory = partial(str, encoding="utf-8", errors="replace")
    try:
        ready(db, path)
    except (sqlite3.Error, OSError) as error:
        db.close()
        raise unusable(path, error) from error
    except LedgerError:
        db.close()
        raise
    return db


def _code(error: LedgerError) -> int | None:
    """SQLite's code for what went wrong, without its details."""
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _make(db: sqlite3.Connection, path: Path) -> None:
    with transaction(db):
        if schema.empty(db):
            schema.make(db)
        if schema.check(db, path) < schema.SCHEMA:
            schema.migrate(db)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")


def _look(db: sqlite3.Connection, path: Path, until_us: int | None) -> None:
    if schema.empty(db):
        raise _none(path)  # a run that was killed while it made the file leaves an empty one
    written = schema.check(db, path)
    if written < schema.SCHEMA:
        db.execute(
            "CREATE TEMP VIEW merges AS SELECT '' AS head, 0 AS sequence, '' AS leaves WHERE 0"
        )
    if written < schema.SCHEMA or until_us is not None:
        # A temporary view stands before the table of its name in every query.
        columns = schema.columns(written)
        until = "" if until_us is None else f" WHERE at_us <= {until_us}"
        db.execute(f"CREATE TEMP VIEW records AS SELECT {columns} FROM main.records{until}")
    db.execute("PRAGMA query_only = ON")


def _copy(db: sqlite3.Connection, path: Path, look: _Ready) -> None:
    with tempfile.TemporaryDirectory(prefix="rollout-") as folder:
        for tail in ("", "-wal", "-journal"):
            if Path(f"{path}{tail}").is_file():
                shutil.copy(f"{path}{tail}", f"{folder}/ledger.db{tail}")
        with closing(sqlite3.connect(f"{folder}/ledger.db")) as copy:
            copy.backup(db)
    look(db, path)
