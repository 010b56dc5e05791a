"""The registry of PLMS, read row by row, and what follows from its rows."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_rollout import NoValueError, RolloutError

TELEMETRY = ("tokens_input", "tokens_output", "energy_kwh", "carbon_kg")
PARTS = ("tokens_input", "tokens_output", "tokens_tool_use", "tokens_think")
_STAMP = re.compile(r"(\d{8})T?(\d{6})")
Row = Mapping[str, Any]


def rows(path: Path, sql: str, *values: object) -> list[dict[str, Any]]:
    """The rows of a query; the file is only read. Raises RolloutError where it cannot be."""
    if not path.is_file():
        raise RolloutError(f"there is no database {path.name}")
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute(sql, values)]
    except sqlite3.Error as problem:
        raise RolloutError(f"{path.name} cannot be read: {problem}") from None


def columns(path: Path, table: str) -> list[str]:
    """The columns of a table."""
    return [row["name"] for row in rows(path, f"PRAGMA table_info({table})")]


def keys(path: Path, table: str) -> list[str]:
    """The columns of a table's primary key."""
    names = [row["name"] for row in rows(path, f"PRAGMA table_info({table})") if row["pk"]]
    if not names:
        raise RolloutError(f"the table {table} of {path.name} has no primary key")
    return names


def shape(path: Path, table: str) -> dict[str, object]:
    """What a table is besides its rows: how each column is declared, and its indexes and rules."""
    declared: dict[str, object] = {
        f"column {row['name']}": (row["type"], row["notnull"], row["dflt_value"], row["pk"])
        for row in rows(path, f"PRAGMA table_info({table})")
    }
    sql = "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = ? AND type != 'table'"
    return declared | {f"{row['type']} {row['name']}": row["sql"] for row in rows(path, sql, table)}


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry at a path."""

    path: Path

    def sound(self) -> str:
        """What the database says of its own integrity: ok, or what is wrong."""
        return str(rows(self.path, "PRAGMA integrity_check")[0]["integrity_check"])

    def ended(self, project: int) -> list[Row]:
        """The completed runs of a project, in the order in which they ended."""
        sql = "SELECT * FROM project_runs WHERE project_id = ? AND status = 'completed'"
        return [*rows(self.path, f"{sql} ORDER BY ended_at, run_id", project)]

    def measured(self, project: int) -> list[Row]:
        """Those of them that have telemetry; raises NoValueError where none has."""
        runs = [row for row in self.ended(project) if row.get("tokens_input") is not None]
        if not runs:
            raise NoValueError(f"no completed run of project {project} has telemetry")
        return runs

    def projects(self) -> list[int]:
        """The projects with completed runs that have telemetry."""
        sql = "SELECT DISTINCT project_id FROM project_runs WHERE status = 'completed'"
        listed = rows(self.path, f"{sql} AND tokens_input IS NOT NULL ORDER BY project_id")
        return [row["project_id"] for row in listed]

    def run(self, run: str) -> Row:
        """The row of a run."""
        runs = rows(self.path, "SELECT * FROM project_runs WHERE run_id = ?", run)
        if len(runs) != 1:
            raise RolloutError(f"the registry has {len(runs)} rows of the run {run}")
        return runs[0]

    def baseline(self, template: str) -> Row | None:
        """The last of a template's baselines."""
        baselines = self.baselines(template)
        return baselines[-1] if baselines else None

    def baselines(self, template: str) -> list[Row]:
        """The completed and validated baselines of a template, in the order of their ends."""
        sql = "SELECT * FROM project_runs WHERE template = ? AND run_kind = 'baseline'"
        only = "AND status = 'completed' AND validation_pass = 1 AND sandbox = 0"
        return [*rows(self.path, f"{sql} {only} ORDER BY ended_at, run_id", template)]

    def priors(self, run: str) -> list[Row]:
        """What was learnt of a run."""
        return [*rows(self.path, "SELECT * FROM estimate_versions WHERE run_id = ?", run)]

    def migrated_at(self, name: str) -> datetime:
        """When a migration was applied, by the registry itself."""
        migrations = rows(
            self.path, "SELECT * FROM schema_migrations WHERE name LIKE ?", f"%{name}%"
        )
        if not migrations:
            raise NoValueError(f"the registry knows of no migration {name}")
        return datetime.fromisoformat(migrations[-1]["applied_at"])


def stamped(path: Path) -> datetime:
    """The moment in the name of a backup, in UTC; raises RolloutError where it has none."""
    stamp = _STAMP.search(path.name)
    if not stamp:
        raise RolloutError(f"the name of the backup {path.name} says no time")
    return datetime.strptime("".join(stamp.groups()), "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def figure(row: Row, metric: str) -> float | None:
    """A figure of a run as the comparison names it."""
    if metric != "tokens":
        value = row.get(metric)
        return None if value is None else float(value)
    value = row.get("tokens_actual")
    return None if value is None else float(value)


def total(runs: Sequence[Row], column: str) -> float:
    """The sum of a column."""
    return float(sum(row[column] or 0 for row in runs))
