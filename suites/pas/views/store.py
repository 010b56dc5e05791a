"""The store of receipts, read in SQL: a file of SQLite or a PostgreSQL."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pytest_rollout import NoValueError, Reported, RolloutError

TABLES = ("receipts", "kpi_receipts")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Store:
    """The store behind a URL."""

    url: str

    @classmethod
    def named_in(cls, path: Path) -> Store:
        """The store that a file names; raises NoValueError where it names none."""
        text = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
        if not text:
            raise NoValueError(f"{path.name} does not say where the store of receipts is")
        return cls(text)

    def rows(self, table: str) -> list[Row]:
        """All rows of a table, by their receipts' ids."""
        return self._query(f"SELECT * FROM {table} ORDER BY receipt_id")

    def of_run(self, table: str, run: str) -> list[Row]:
        """The rows of a run."""
        return [row for row in self.rows(table) if row["run_id"] == run]

    def engine(self) -> str:
        """What the database says that it is; a file of SQLite says so by being read."""
        if self._is_file:
            return f"SQLite {self._query('SELECT sqlite_version() AS said')[0]['said']}"
        return str(self._query("SELECT version() AS said")[0]["said"])

    @property
    def _is_file(self) -> bool:
        return self.url.startswith("sqlite:")

    def _query(self, sql: str) -> list[Row]:
        return self._of_file(sql) if self._is_file else self._of_server(sql)

    def _of_file(self, sql: str) -> list[Row]:
        path = Path(urlsplit(self.url).path.replace("//", "/"))
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
                db.row_factory = sqlite3.Row
                return [dict(row) for row in db.execute(sql)]
        except sqlite3.Error as problem:
            raise RolloutError(f"the store of receipts cannot be read: {problem}") from None

    def _of_server(self, sql: str) -> list[Row]:
        import psycopg
        from psycopg.rows import dict_row

        try:
            with psycopg.connect(self.url, row_factory=dict_row, connect_timeout=5) as db:
                return db.execute(sql.encode()).fetchall()
        except psycopg.Error as problem:
            raise RolloutError(f"the store of receipts cannot be read: {problem}") from None


def body(row: Row) -> Reported:
    """What a receipt says."""
    said = row["body"]
    if isinstance(said, str):
        said = json.loads(said)
    return Reported(said, f"receipt {row['receipt_id']}")
