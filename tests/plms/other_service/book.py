"""The registry in SQLite, with names of its own where the documents leave them open."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path

LANES = {"Code-API": 4, "Data-Schema": 2, "Narrative": 6, "Viz-Charts": 3}
_TABLES = """
pragma journal_mode = wal;
create table if not exists project_runs (
  ref text, project_id integer, run_kind text, lane_name text, status text, begun text,
  completed_at text, tokens_actual real, tokens_mean real, tokens_ci_lower real,
  tokens_ci_upper real, validation_pass integer, took_s real, expected_s real, low_s real,
  high_s real, sandboxed integer, limit_tokens real, limit_s real, retry_key text, env text,
  label text);
create table if not exists lane_configs (lane_name text primary key, max_concurrent integer);
create table if not exists system_config (key text primary key, value text);
create table if not exists estimate_versions (
  seq integer primary key autoincrement, learnt_from text, lane_name text, phase_name text,
  mean_tokens real, std_tokens real, mean_s real, std_s real, confidence real, created_at text);
create table if not exists verdicts (
  ref text, lane text, kpi text, measured real, wanted real, ok integer, at text);
"""


def now() -> datetime:
    """The time of the wall."""
    return datetime.now(UTC)


def stored(moment: datetime) -> str:
    """A time as the registry holds it: UTC without a zone."""
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"[:-3]


class Book:
    """The registry; one statement at a time."""

    def __init__(self, path: Path, unit_s: float) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        self._db.executescript(_TABLES)
        for lane in LANES:
            self.write("insert or ignore into lane_configs values (?, 9)", lane)
        settings = {"calibration_enabled": "false", "accept_new_projects": "true"}
        for key, value in {**settings, "calibration_alpha": "0.2"}.items():
            self.write("insert or ignore into system_config values (?, ?)", key, value)
        if not self.read("select 1 from estimate_versions"):
            for lane in LANES:
                self.learn(None, lane, (2100.0, 210.0, unit_s, unit_s / 10), 0.1)

    def read(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """The rows of a query."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def write(self, sql: str, *values: object) -> None:
        """Change the registry."""
        with self._lock:
            self._db.execute(sql, values)

    def setting(self, key: str) -> str:
        """What system_config holds."""
        rows = self.read("select value from system_config where key = ?", key)
        return str(rows[0][0]) if rows else ""

    def caps(self) -> dict[str, int]:
        """The cap of each lane."""
        rows = self.read("select lane_name, max_concurrent from lane_configs")
        return {str(lane): int(str(cap)) for lane, cap in rows}

    def learn(
        self, ref: str | None, lane: str, prior: tuple[float, ...], confidence: float
    ) -> None:
        """Add a prior of a lane: mean and deviation of tokens and of seconds."""
        self.write(
            "insert into estimate_versions (learnt_from, lane_name, phase_name, mean_tokens,"
            " std_tokens, mean_s, std_s, confidence, created_at)"
            " values (?, ?, 'build', ?, ?, ?, ?, ?, ?)",
            *(ref, lane, *prior, confidence, stored(now())),
        )

    def prior(self, lane: str) -> tuple[float, float, float, float]:
        """The newest prior of a lane that comes from no demo or drill."""
        ((tokens, tokens_std, seconds, seconds_std),) = self.read(
            "select mean_tokens, std_tokens, mean_s, std_s from estimate_versions"
            " where lane_name = ? and (learnt_from is null or learnt_from not in"
            " (select ref from project_runs where label in ('demo', 'drill')))"
            " order by seq desc limit 1",
            lane,
        )
        return _number(tokens), _number(tokens_std), _number(seconds), _number(seconds_std)


def _number(value: object) -> float:
    return float(str(value))
