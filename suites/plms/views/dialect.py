"""How a target names what the plan leaves open: fields, addresses, tables, words and units.

What the plan names is not in here, so it cannot be mapped. The dialect of a run is that of its
environment; a rehearsal's is the suite's own, in which every name is the one of the docs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_rollout import Field
from suites.plms.views.formats import read_file

PATHS = {
    "simulate": "/api/projects/{project}/simulate",
    "calibration": "/api/ops/calibration",
    "policy": "/api/ops/calibration/policy",
}
# Of a unit: by what a figure is divided to be a share, or minutes.
_UNITS: Mapping[str, float] = {"ratio": 1, "percent": 100, "min": 1, "s": 60, "ms": 60_000}
_HOURS = {"h": 60}
Words = Mapping[str, str]  # the target's word to the suite's


@dataclass(frozen=True, slots=True)
class Column:
    """Where a column's value is stored, and how."""

    column: str
    times: float = 1
    per: float = 1
    words: Words = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Table:
    """Where a table's rows are stored; a column that is not named is where its name says."""

    table: str
    columns: Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a target calls what."""

    paths: Mapping[str, str] = field(default_factory=lambda: PATHS)
    requests: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    answers: Mapping[str, Mapping[str, Field]] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Dialect:
        """A dialect's file; raises RolloutError with file, line and fix where it is wrong."""
        return cls.of(read_file(path, "dialect"))

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Dialect:
        """What a file says."""
        words = {of: _turned(said) for of, said in data.get("words", {}).items()}
        answers = {
            kind: {name: _field(name, said, words) for name, said in fields.items()}
            for kind, fields in data.get("answers", {}).items()
        }
        tables = {
            name: Table(
                said.get("table", name),
                {column: _column(theirs) for column, theirs in said.get("columns", {}).items()},
            )
            for name, said in data.get("tables", {}).items()
        }
        _say(answers, tables, words)
        return cls({**PATHS, **data.get("paths", {})}, data.get("requests", {}), answers, tables)

    def path(self, kind: str, project: int | None = None) -> str:
        """Where something is asked."""
        return self.paths[kind].replace("{project}", str(project))

    def body(self, kind: str, given: Mapping[str, object]) -> dict[str, object]:
        """The body of a request in the target's names."""
        names = self.requests.get(kind, {})
        return {names.get(name, name): value for name, value in given.items()}


def _field(name: str, said: Any, words: Mapping[str, Words]) -> Field:
    if isinstance(said, str):
        said = {"path": said}
    times, per = _scale(said.get("unit"))
    each = {inner: _field(inner, part, words) for inner, part in said.get("each", {}).items()}
    told = words.get(name, {})
    return Field(said.get("path", name), times=times, per=per, words=told, each=each)


def _column(said: Any) -> Column:
    if isinstance(said, str):
        return Column(said)
    return Column(said["column"], *_scale(said.get("unit")))


def _scale(unit: str | None) -> tuple[float, float]:
    if unit in _HOURS:
        return _HOURS[unit], 1
    return 1, _UNITS[unit or "ratio"]


def _turned(said: Mapping[str, Any]) -> Words:
    """The target's words by the suite's, the other way round."""
    both = {ours: [theirs] if isinstance(theirs, str) else theirs for ours, theirs in said.items()}
    return {theirs: ours for ours, many in both.items() for theirs in many}


def _say(
    answers: dict[str, dict[str, Field]], tables: dict[str, Table], words: Mapping[str, Words]
) -> None:
    """Put the words where they are said, also where the names are the suite's own."""
    if said := words.get("status"):
        portfolio = answers.setdefault("portfolio", {})
        projects = portfolio.get("projects", Field("projects"))
        each = {"status": Field("status", words=said), **projects.each}
        portfolio["projects"] = Field(projects.path, each=each)
        answers.setdefault("budget-runway", {}).setdefault("status", Field("status", words=said))
        _tell(tables, "project_runs", "status", said)
    if said := words.get("trigger"):
        _tell(tables, "invariant_runs", "trigger", said)


def _tell(tables: dict[str, Table], name: str, column: str, said: Words) -> None:
    table = tables.get(name, Table(name, {}))
    told = table.columns.get(column, Column(column))
    told = Column(told.column, told.times, told.per, said)
    tables[name] = Table(table.table, {**table.columns, column: told})


class _Spoken:
    """The dialect that is spoken now; a run has one, that of its environment."""

    dialect = Dialect()


def spoken() -> Dialect:
    """The dialect in which answers and tables are read now."""
    return _Spoken.dialect


@contextmanager
def speaking(dialect: Dialect) -> Iterator[Dialect]:
    """Read in a dialect while the context lasts."""
    before, _Spoken.dialect = _Spoken.dialect, dialect
    try:
        yield dialect
    finally:
        _Spoken.dialect = before
