"""A ledger in one SQLite file; attachments are files beside it."""

from __future__ import annotations

import os
from pathlib import Path

from pytest_rollout.evidence import heads
from pytest_rollout.evidence.sqlite import connection, files
from pytest_rollout.evidence.sqlite.sqlite_store import SqliteStore
from pytest_rollout.model.errors import LedgerError

_OLDER = (
    "{path} is an older or another copy of the ledger that stood here: {missing}, noted in {note} "
    "beside it, is not in it; nothing was written. Move it to THIS.db and bring it together with a "
    "copy that holds the record: rollout merge THIS.db COPY.db (where there is none, remove {note})"
)

__all__ = ["below", "exists", "to_read", "to_write"]


def below(configured: str, folder: str | os.PathLike[str]) -> str:
    """The path that a setting means."""
    return str(Path(folder, configured))


def to_write(address: str) -> SqliteStore:
    """The ledger at a path, made if need be; raises LedgerError where it cannot be written."""
    path = Path(address)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        ignore = path.parent / ".gitignore"
        if path.parent.name == ".rollout" and not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise connection.unusable(path, error) from error
    had = path.is_file() and path.stat().st_size > 0
    store = SqliteStore(path, connection.to_write(path))
    missing = heads.lost(store, files.note_at(path)) if had else ""
    if missing:
        store.close()
        raise LedgerError(_OLDER.format(path=path, note=files.note_of(path).name, missing=missing))
    return store


def to_read(address: str, until_us: int | None) -> SqliteStore:
    """An existing ledger, as it was at an instant or as it is; raises LedgerError."""
    path = Path(address)
    note = files.note_at(path) if until_us is None else ""  # before others may write more
    store = SqliteStore(path, connection.to_read(path, until_us))
    store.missing = heads.lost(store, note) if note else ""
    return store


def exists(address: str) -> bool:
    """Whether there is a file at a path."""
    return Path(address).is_file()
