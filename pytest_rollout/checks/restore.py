"""Backups restored and compared: databases row by row, archives file by file.

A backup that exists proves little. These functions restore it beside the original and say in words
what differs: nothing, or one text for each difference, the first ``most`` of them and a count of
the rest. An original that cannot be read is no finding about its backup: RolloutError.
"""

from __future__ import annotations

import lzma
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import RolloutError

MOST = 5
_SHOWN = 60
_CHUNK = 1 << 20
_BROKEN_ARCHIVE = (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError)

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Table:
    """The rows of a table, each by its key: the primary key, else the row's number."""

    columns: tuple[str, ...]
    keyed: Mapping[Row, Row]
    unkeyed: Counter[str]  # rows of a table that has neither


def database_differences(backup: Path, original: Path, *, most: int = MOST) -> tuple[str, ...]:
    """What a backup of a SQLite database holds otherwise than its original; empty where nothing.

    The backup is restored into a folder of its own and must pass SQLite's integrity check. Then
    the schema and every row of every table are compared, values with their types.
    """
    with tempfile.TemporaryDirectory(prefix="restored-") as folder:
        copy = Path(folder) / "restored.db"
        try:
            shutil.copyfile(backup, copy)
            _demand_integrity(copy)
            schema, tables = _read(copy)
        except (OSError, sqlite3.Error) as problem:
            return (f"{backup.name} does not restore: {problem}",)
    try:
        expected_schema, expected = _read(original)
    except sqlite3.Error as problem:
        raise RolloutError(f"{original.name} cannot be read: {problem}") from None
    differences = _database(backup.name, (schema, tables), (expected_schema, expected))
    return _bounded(differences, most)


def archive_differences(
    archive: Path,
    original: Path,
    *,
    inside: str = "",
    grown_after: datetime | None = None,
    most: int = MOST,
) -> tuple[str, ...]:
    """What a tar archive holds otherwise than a folder, or than another archive; empty where
    nothing.

    ``inside`` is where the folder stands in the archive, as ``var/log/plms``. Every file must be
    there with the same bytes. With ``grown_after``, files that were written after that moment may
    have grown: what the archive has of them must be how they begin, and more than nothing.
    """
    with tempfile.TemporaryDirectory(prefix="restored-") as folder:
        restored, expected = Path(folder) / "restored", original
        try:
            _extract(archive, restored)
        except _BROKEN_ARCHIVE as problem:
            return (f"{archive.name} does not restore: {problem}",)
        if original.is_file():
            expected = Path(folder) / "original"
            try:
                _extract(original, expected)
            except _BROKEN_ARCHIVE as problem:
                raise RolloutError(f"{original.name} cannot be read: {problem}") from None
            expected /= inside
        if not expected.is_dir():
            raise RolloutError(f"there is no folder {original} to compare {archive.name} with")
        differences = _files(archive.name, restored / inside, expected, grown_after)
        return _bounded(differences, most)


def _demand_integrity(copy: Path) -> None:
    """Raise sqlite3.Error where SQLite finds fault with a database."""
    if not copy.stat().st_size:
        raise sqlite3.DatabaseError("it is empty")
    with closing(sqlite3.connect(copy)) as db:
        (verdict,) = db.execute("PRAGMA integrity_check").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(f"integrity_check says {verdict}")


def _read(path: Path) -> tuple[dict[str, str], dict[str, _Table]]:
    """The statements of a schema by name, and the tables; the file is only read."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
        # One transaction: rows that are written meanwhile are in all tables or in none.
        db.execute("BEGIN")
        query = (
            "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!'"
        )
        listed = db.execute(query).fetchall()
        schema = {f"{kind} {name}": " ".join((sql or "").split()) for kind, name, sql in listed}
        return schema, {name: _table(db, name) for kind, name, _ in listed if kind == "table"}


def _table(db: sqlite3.Connection, name: str) -> _Table:
    quoted = '"' + name.replace('"', '""') + '"'
    described = db.execute(f"PRAGMA table_info({quoted})").fetchall()
    columns = tuple(row[1] for row in described)
    key = [row[0] for row in sorted(described, key=lambda row: int(row[5])) if row[5]]
    rows = db.execute(f"SELECT * FROM {quoted}").fetchall()
    if key:
        return _Table(columns, {tuple(row[i] for i in key): row for row in rows}, Counter())
    try:
        numbered = db.execute(f"SELECT rowid, * FROM {quoted}").fetchall()
    except sqlite3.OperationalError:  # a virtual table may have no row numbers
        return _Table(columns, {}, Counter(map(repr, rows)))
    return _Table(columns, {(number,): tuple(row) for number, *row in numbered}, Counter())


def _database(
    name: str,
    backup: tuple[Mapping[str, str], Mapping[str, _Table]],
    original: tuple[Mapping[str, str], Mapping[str, _Table]],
) -> Iterator[str]:
    (schema, tables), (expected_schema, expected_tables) = backup, original
    for element in sorted(expected_schema.keys() - schema.keys()):
        yield f"{name} has no {element}"
    for element in sorted(schema.keys() - expected_schema.keys()):
        yield f"{name} has a {element}, which the original does not have"
    for element in sorted(schema.keys() & expected_schema.keys()):
        if schema[element] != expected_schema[element]:
            yield f"{element} is declared otherwise"
    for table in sorted(tables.keys() & expected_tables.keys()):
        yield from _rows(table, tables[table], expected_tables[table])


def _rows(table: str, backup: _Table, original: _Table) -> Iterator[str]:
    for key in original.keyed:
        if key not in backup.keyed:
            yield f"{table} lacks row {_key(key)}"
        else:
            here, there = (_cells(side, key) for side in (backup, original))
            for column in [name for name in there if _unlike(here.get(name), there[name])]:
                held, expected = _shown(here.get(column)), _shown(there[column])
                yield f"{table} row {_key(key)}: {column} is {held}, in the original {expected}"
    for key in backup.keyed.keys() - original.keyed.keys():
        yield f"{table} has row {_key(key)}, which the original does not have"
    for row, count in (original.unkeyed - backup.unkeyed).items():
        yield f"{table} lacks {count} of row {_shown(row)}"
    for row, count in (backup.unkeyed - original.unkeyed).items():
        yield f"{table} has {count} too many of row {_shown(row)}"


def _cells(table: _Table, key: Row) -> dict[str, Any]:
    return dict(zip(table.columns, table.keyed[key], strict=True))


def _unlike(here: object, there: object) -> bool:
    """Whether two values differ; 1, 1.0 and '1' are three values of a database."""
    return type(here) is not type(there) or here != there


def _key(key: Row) -> str:
    return ", ".join(str(part) for part in key)[:_SHOWN]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _extract(archive: Path, into: Path) -> None:
    into.mkdir()
    with tarfile.open(archive) as tar:
        tar.extractall(into, filter="data")


def _files(
    name: str, restored: Path, original: Path, grown_after: datetime | None
) -> Iterator[str]:
    here, there = _below(restored), _below(original)
    if not here:
        yield f"{name} holds no file"
    for path in sorted(there.keys() - here.keys()):
        yield f"{name} lacks {path}"
    for path in sorted(here.keys() - there.keys()):
        yield f"{name} holds {path}, which the original does not have"
    for path in sorted(here.keys() & there.keys()):
        written = there[path].stat().st_mtime
        grows = grown_after is not None and written > grown_after.timestamp()
        why = _unlike_file(here[path], there[path], grows=grows)
        if why:
            yield f"{path} in {name} {why}"


def _below(folder: Path) -> dict[str, Path]:
    return {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() or path.is_symlink()
    }


def _unlike_file(restored: Path, original: Path, *, grows: bool) -> str:
    """How a file differs from its original, in words; empty where it does not."""
    here, there = restored.stat().st_size, original.stat().st_size
    if there and not here:
        return f"is empty, the original has {there} bytes"
    if here != there and not (grows and here < there):
        return f"has {here} bytes, the original {there}"
    at = _first_difference(restored, original, here)
    return "" if at < 0 else f"differs from the original from byte {at + 1} on"


def _first_difference(restored: Path, original: Path, length: int) -> int:
    """The place of the first byte that differs in the first ``length``; negative: none does."""
    with restored.open("rb") as restored_file, original.open("rb") as original_file:
        for start in range(0, length, _CHUNK):
            size = min(_CHUNK, length - start)
            here, there = restored_file.read(size), original_file.read(size)
            if here != there:
                pairs = zip(here, there, strict=False)
                return start + next((i for i, (a, b) in enumerate(pairs) if a != b), 0)
    return -1


def _bounded(differences: Iterator[str], most: int) -> tuple[str, ...]:
    shown = tuple(islice(differences, most))
    more = sum(1 for _ in differences)
    return (*shown, f"and {more} more differences") if more else shown
