"""Rows of the registry and of the job's history; what is not there is said in words."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_rollout import NotReportedError, Reported, RolloutError
from suites.plms.views.dialect import Column, Table, spoken

_NO_TABLE = re.compile(r"no such table: (?:main\.)?(\S+)")
_CURRENT_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?")
_NO_COLUMN = re.compile(r"no such column: (\S+)")


def rows(registry: Path, query: str, *values: object) -> list[dict[str, Any]]:
    """What a query gives; each row is a Reported, so that an absent column is said in words."""
    return [*records(registry, query, *values)]


def run_row(registry: Path, run: str) -> dict[str, Any]:
    """The row of a run that a start told; raises RolloutError where there is not one."""
    runs = rows(registry, "SELECT * FROM project_runs WHERE run_id = ?", run)
    if len(runs) != 1:
        raise RolloutError(f"a start told run {run}, and the registry has {len(runs)} runs of it")
    return runs[0]


def records(registry: Path, query: str, *values: object) -> list[Reported]:
    """What a query gives, read-only; reading a column that is not there says so.

    Raises NotReportedError where a table or a column is absent, and RolloutError where the file
    is no database.
    """
    try:
        with closing(opened(registry)) as db:
            db.row_factory = sqlite3.Row
            fetched = db.execute(query, values).fetchall()
            return [_Row(dict(row), f"a row of {registry.name}") for row in fetched]
    except sqlite3.Error as problem:
        raise _in_words(problem, registry) from None


class _Row(Reported):
    """A row; SQLite's CURRENT_TIMESTAMP is UTC, another time without a zone may be anything."""

    def __init__(self, row: Mapping[str, Any], source: str) -> None:
        super().__init__(row, source)
        self._odd_times: dict[str, str] = {}
        for name, value in row.items():
            if name.endswith("_at") and value is not None:
                self._in_a_zone(name, value)

    def _in_a_zone(self, name: str, value: object) -> None:
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self._odd_times[name] = f"{self.pop(name)!r:.60}, not a time in ISO 8601"
            return
        if moment.tzinfo is not None:
            return
        if _CURRENT_TIMESTAMP.fullmatch(str(value)):
            self[name] = moment.replace(tzinfo=UTC).isoformat()
        else:
            self._odd_times[name] = f"{self.pop(name)!r:.60}, which carries no zone"

    def __missing__(self, name: str) -> Any:
        if name in self._odd_times:
            raise NotReportedError(f"{name} is {self._odd_times[name]} ({self.source})")
        return super().__missing__(name)


def opened(registry: Path) -> sqlite3.Connection:
    """The file, opened to read only; tables have the names that the suite knows."""
    db = sqlite3.connect(f"{registry.resolve().as_uri()}?mode=ro", uri=True)
    for name, table in spoken().tables.items():
        there = [
            str(column[1]) for column in db.execute(f"PRAGMA main.table_info({_id(table.table)})")
        ]
        if there:  # a view of this connection alone; the file stays as it is
            db.execute(f"CREATE TEMP VIEW {_id(name)} AS {_selected(table, there)}")
    return db


def _selected(table: Table, there: list[str]) -> str:
    """The rows of a stored table with the suite's names for its columns."""
    named = {name: column for name, column in table.columns.items() if column.column in there}
    taken = {*named, *(column.column for column in named.values())}
    columns = [f"{_value(column)} AS {_id(name)}" for name, column in named.items()]
    columns += [_id(name) for name in there if name not in taken]
    return f"SELECT rowid AS rowid, {', '.join(columns)} FROM main.{_id(table.table)}"


def _value(column: Column) -> str:
    value = _id(column.column)
    if (column.times, column.per) != (1, 1):
        value = f"{value} * {column.times} / ({column.per} * 1.0)"
    if column.words:
        whens = " ".join(
            f"WHEN {_text(theirs)} THEN {_text(ours)}" for theirs, ours in column.words.items()
        )
        value = f"CASE {value} {whens} ELSE {value} END"
    return value


def _id(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _in_words(problem: sqlite3.Error, registry: Path) -> RolloutError:
    said, file = str(problem), registry.name
    if not registry.is_file():
        return RolloutError(f"there is no {file} at {registry}")
    if absent := _NO_TABLE.search(said):
        there = ", ".join(_tables(registry)) or "none"
        return NotReportedError(f"{file} has no table {absent[1]}; its tables are {there}")
    if absent := _NO_COLUMN.search(said):
        tables = _tables(registry).items()
        there = "; ".join(f"{table} has {', '.join(columns)}" for table, columns in tables)
        return NotReportedError(f"{file} has no column {absent[1]}; {there}")
    return RolloutError(f"{file} cannot be read: {said}")


def _tables(registry: Path) -> dict[str, list[str]]:
    """The columns of each table."""
    with closing(opened(registry)) as db:
        names = db.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
        tables = sorted(str(name) for (name,) in names)
        listed = {name: db.execute(f'PRAGMA table_info("{name}")').fetchall() for name in tables}
        return {name: [str(column[1]) for column in columns] for name, columns in listed.items()}


def written_between(registry: Path, begin: datetime, end: datetime) -> Iterator[str]:
    """The rows whose times (columns that end in _at) lie between two moments, in words."""
    with closing(opened(registry)) as db:
        for table, columns in _tables(registry).items():
            for column in (name for name in columns if name.endswith("_at")):
                query = f'SELECT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL'
                for (text,) in db.execute(query):
                    moment = _moment(text)
                    if moment is not None and begin <= moment <= end:
                        yield f"{table} has a row whose {column} is {text}"


def _moment(text: object) -> datetime | None:
    """A time as a registry stores it; without an offset it is UTC, as SQLite writes it."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
