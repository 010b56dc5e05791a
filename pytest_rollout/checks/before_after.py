"""What a step changed in a SQLite database or a folder, and what it left alone."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import RolloutError

Fields = Mapping[str, object]
_SCHEMA = "schema"
_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
)
_OBJECTS = "SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL"
_SHOWN, _LENGTH = 8, 60  # columns of a row, and characters of a value, that are told in words
_BLOCK = 1 << 20


class ChangeKind(StrEnum):
    """What became of one row or file."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a table and its row's key, or a folder's file.

    ``table`` is empty for a file. ``key`` is a row's primary key, else its rowid, as text; of a
    file it is the path below the folder.
    """

    table: str
    key: str

    def __str__(self) -> str:
        return f"{self.table} row {self.key}" if self.table else self.key


@dataclass(frozen=True, slots=True)
class StepChange:
    """One row or file that a step added, removed or changed; ``before`` or ``after`` may be {}."""

    kind: ChangeKind
    place: Place
    before: Fields
    after: Fields

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns (of a file: bytes, sha256, mode, link) whose value differs."""
        names = (*self.before, *(name for name in self.after if name not in self.before))
        return tuple(name for name in names if self.before.get(name) != self.after.get(name))

    def __str__(self) -> str:
        if self.kind is ChangeKind.CHANGED:
            cells = [
                f"{name} {_short(self.before.get(name))} → {_short(self.after.get(name))}"
                for name in self.columns
            ]
        else:
            fields = self.after or self.before
            cells = [
                f"{name} {_short(value)}" for name, value in fields.items() if value is not None
            ]
        more = [f"{len(cells) - _SHOWN} more"] if len(cells) > _SHOWN else []
        return f"{self.place} was {self.kind} ({', '.join([*cells[:_SHOWN], *more])})"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a database or a folder held at one moment."""

    items: Mapping[Place, Fields]

    @classmethod
    def of(cls, path: Path) -> Snapshot:
        """A snapshot of a SQLite file (all rows and its schema) or of a folder (all files).

        Both are only read, a database in one transaction. Raises RolloutError where there is
        neither, or where it cannot be read.
        """
        try:
            return cls(dict(_files(path) if path.is_dir() else _rows(path)))
        except (OSError, sqlite3.Error) as problem:
            raise RolloutError(f"{path.name} cannot be read: {problem}") from None

    @classmethod
    def of_rows(cls, tables: Mapping[str, Mapping[str, Fields]]) -> Snapshot:
        """A snapshot of rows that were read in another way: by table, and there by key."""
        return cls(
            {Place(table, key): row for table, rows in tables.items() for key, row in rows.items()}
        )

    def of_table(self, table: str) -> dict[str, Fields]:
        """The rows of one table by their key."""
        return {place.key: row for place, row in self.items.items() if place.table == table}


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """What a step did between two snapshots of the same thing."""

    changes: tuple[StepChange, ...]  # in order of their places
    left_alone: frozenset[Place]

    @classmethod
    def between(cls, before: Snapshot, after: Snapshot) -> BeforeAfter:
        """Compare two snapshots."""
        places = dict.fromkeys((*before.items, *after.items))
        alone = frozenset(
            place
            for place in places
            if place in before.items and before.items[place] == after.items.get(place)
        )
        changes = (
            _change(place, before.items.get(place), after.items.get(place))
            for place in places
            if place not in alone
        )
        ordered = sorted(changes, key=lambda change: (change.place.table, change.place.key))
        return cls(tuple(ordered), alone)

    def added(self, table: str = "") -> dict[str, Fields]:
        """What was added to a table (or, without one, which files), by key."""
        return {
            change.place.key: change.after
            for change in self.changes
            if change.kind is ChangeKind.ADDED and change.place.table == table
        }

    def harmed(self) -> list[StepChange]:
        """The rows or files that were there before and were removed or changed."""
        return [change for change in self.changes if change.kind is not ChangeKind.ADDED]

    def in_words(self) -> str:
        """What was changed and how much was left alone, as one line."""
        lines = [str(change) for change in self.changes]
        more = [f"{len(lines) - _SHOWN} more changes"] if len(lines) > _SHOWN else []
        changes = "; ".join([*lines[:_SHOWN], *more]) or "nothing was changed"
        return f"{changes}; {len(self.left_alone)} left alone"


def _change(place: Place, before: Fields | None, after: Fields | None) -> StepChange:
    if before is None:
        return StepChange(ChangeKind.ADDED, place, {}, after or {})
    if after is None:
        return StepChange(ChangeKind.REMOVED, place, before, {})
    return StepChange(ChangeKind.CHANGED, place, before, after)


def _rows(path: Path) -> Iterator[tuple[Place, Fields]]:
    if not path.is_file():
        raise RolloutError(f"there is neither a database nor a folder at {path.name}")
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as db:
        db.execute("BEGIN")  # one state, whatever is written meanwhile
        for name, sql in db.execute(_OBJECTS).fetchall():
            yield Place(_SCHEMA, name), {"sql": sql}
        for (table,) in db.execute(_TABLES).fetchall():
            yield from _rows_of(db, table)


def _rows_of(db: sqlite3.Connection, table: str) -> Iterator[tuple[Place, Fields]]:
    quoted = '"' + table.replace('"', '""') + '"'
    keys = [row[1] for row in db.execute(f"PRAGMA table_info({quoted})") if row[5]]
    # A table without a primary key has a rowid; one that has a key may have none.
    cursor = db.execute(f"SELECT {'NULL' if keys else 'rowid'}, * FROM {quoted}")
    columns = [column[0] for column in cursor.description][1:]
    for rowid, *values in cursor:
        row = dict(zip(columns, values, strict=True))
        yield Place(table, " ".join(str(row[key]) for key in keys) if keys else str(rowid)), row


def _files(folder: Path) -> Iterator[tuple[Place, Fields]]:
    for root, folders, files in os.walk(folder, onerror=_raise):
        for name in (*files, *(name for name in folders if (Path(root) / name).is_symlink())):
            path = Path(root) / name
            yield Place("", path.relative_to(folder).as_posix()), _file(path)


def _raise(problem: OSError) -> None:
    raise problem


def _file(path: Path) -> Fields:
    if path.is_symlink():
        return {"link": str(path.readlink())}
    status = path.stat()
    digest = hashlib.sha256()
    if path.is_file():  # a pipe or a socket has no contents to compare
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    mode = f"{status.st_mode & 0o7777:o}"
    return {"bytes": status.st_size, "sha256": digest.hexdigest(), "mode": mode}


def _short(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= _LENGTH else f"{text[:_LENGTH]}…"
