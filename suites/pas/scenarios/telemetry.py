"""The telemetry of PLMS: its migration, and runs that have figures."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout import NoValueError, Reported, Snapshot, Stage, reported, scenario
from suites.pas.views.lines import lines
from suites.pas.views.registry import Registry, columns, rows
from suites.pas.views.running import Done, bare, call

MIGRATION = "2025_11_07_telemetry_schema"
PROJECT = 42


@dataclass(frozen=True, slots=True)
class Migrated:
    """The registry once it was migrated, and its backup."""

    registry: Registry
    backups: Path
    migrations: Path

    @property
    def backup(self) -> Registry:
        """The backup of before the migration; raises NoValueError where there is none."""
        applied = self.registry.migrated_at(MIGRATION)
        migrations = [
            migration
            for migration in lines(self.migrations, "record of migrations")
            if migration["applied"]
        ]
        named = [
            Path(migration.text("backup")).name
            for migration in migrations
            if migration.get("backup")
        ]
        backups = [self.backups / name for name in named if (self.backups / name).is_file()]
        if not backups:
            raise NoValueError(f"no backup is there of before the migration of {applied}")
        return Registry(backups[0])


@scenario()
def migrated(phase: Stage) -> Migrated:
    """The registry after people applied the migration of telemetry."""
    phase.operate("pas", "migrate")
    files = (phase.file(name) for name in ("registry", "backups", "migrations"))
    registry, backups, migrations = files
    return Migrated(Registry(registry), backups, migrations)


@dataclass(frozen=True, slots=True)
class Worked:
    """Runs with telemetry: of the project of the plan, and one whose baseline has no energy."""

    registry: Registry
    runs: Sequence[str]  # that are no baseline of their own
    without_energy: Sequence[str]
    first: Mapping[str, Any] | None  # a comparison of a run whose template had no baseline yet


@scenario()
def worked(phase: Stage, migrated: Migrated) -> Worked:
    """Baselines and others are run since the migration; in prod they are those that were."""
    registry = migrated.registry
    phase.operate("pas", "work", runs=2, run_kind="baseline")
    phase.operate("pas", "work", runs=3, run_kind="hotfix")
    phase.operate("pas", "work", runs=1, run_kind="hotfix", energy=False)
    first = _first(phase, registry)
    phase.operate("pas", "work", runs=2, run_kind="baseline", energy=False)
    phase.operate("pas", "work", runs=1, run_kind="hotfix", energy=False)
    measured = [row for row in registry.measured(PROJECT) if row["run_kind"] != "rehearsal"]
    plain: list[str] = []
    without: list[str] = []
    for row in measured:
        baseline = registry.baseline(row["template"])
        if baseline is None or baseline["run_id"] == row["run_id"]:
            continue
        (plain if baseline["energy_kwh"] else without).append(row["run_id"])
    return Worked(registry, plain, without, first)


def _first(phase: Stage, registry: Registry) -> Mapping[str, Any] | None:
    """How the last run compares, where its template has no baseline; else None."""
    row = registry.measured(PROJECT)[-1]
    if registry.baseline(row["template"]) is not None:
        return None
    asked = {"runA": row["run_id"], "runB": row["run_id"]}
    return reported(phase.target("plms").client.get("/compare", params=asked))


@dataclass(frozen=True, slots=True)
class Half:
    """The migration applied to a copy that has one of its columns already."""

    done: Done
    changed: Sequence[str]
    recorded: bool  # as applied, beside it


@dataclass(frozen=True, slots=True)
class MigratedTwice:
    """The migration applied to a copy of the backup, twice; to half of it, and to none."""

    first: Done
    recorded: Sequence[Reported]  # by the first, beside the copy
    unfinished: Mapping[str, Any]  # a run of which all is unknown that may be
    kept: Sequence[Mapping[str, Any]]  # the same after the first
    second: Done
    columns: Sequence[str]  # after the first
    changed: Sequence[str]  # by the second, in words
    backups: tuple[int, int]  # after each
    half: Half
    nowhere: Done


@scenario()
def migrated_twice(
    phase: Stage, migrated: Migrated, tmp_path_factory: pytest.TempPathFactory
) -> MigratedTwice:
    """A copy of the backup is migrated, and again."""
    folder = tmp_path_factory.mktemp("migrated-twice")
    copy = folder / "registry.db"
    shutil.copyfile(migrated.backup.path, copy)
    environ = bare(folder)

    unfinished = _unfinished(copy)

    def migrate() -> tuple[Done, Snapshot, int]:
        done = call("migrate", phase.file("migrate"), copy, environ=environ, folder=folder)
        return done, Snapshot.of(copy), len([*folder.rglob("registry-*.db")])

    first, once, backups = migrate()
    record = folder / "migrations.jsonl"
    recorded = lines(record, "record of migrations") if record.is_file() else ()
    there = columns(copy, "project_runs")
    kept = rows(copy, "SELECT * FROM project_runs WHERE run_id = ?", unfinished["run_id"])
    second, twice, more = migrate()
    changed = _changed(once, twice)
    half = _half(phase, migrated.backup.path, tmp_path_factory.mktemp("half"))
    nowhere = call("migrate", phase.file("migrate"), folder / "none.db", environ=environ)
    return MigratedTwice(
        *(first, recorded, unfinished, kept, second),
        *(there, changed, (backups, more), half, nowhere),
    )


def _unfinished(copy: Path) -> dict[str, Any]:
    """Add a run that is still at work to a copy of the registry."""
    run = rows(copy, "SELECT * FROM project_runs LIMIT 1")[0]
    for column in rows(copy, "PRAGMA table_info(project_runs)"):
        if not column["notnull"] and not column["pk"]:
            run[column["name"]] = None
    run["run_id"] = "suite-unfinished"
    with closing(sqlite3.connect(copy)) as db, db:
        marks = ", ".join("?" * len(run))
        names = ", ".join(run)
        db.execute(f"INSERT INTO project_runs ({names}) VALUES ({marks})", [*run.values()])
    return run


def _changed(before: Snapshot, after: Snapshot) -> list[str]:
    places = {*before.items, *after.items}
    return sorted(
        f"{place}" for place in places if before.items.get(place) != after.items.get(place)
    )


def _half(phase: Stage, backup: Path, folder: Path) -> Half:
    copy = folder / "registry.db"
    shutil.copyfile(backup, copy)
    with closing(sqlite3.connect(copy)) as db, db:
        db.execute("ALTER TABLE project_runs ADD COLUMN carbon_kg REAL")
    before = Snapshot.of(copy)
    done = call("migrate", phase.file("migrate"), copy, environ=bare(folder), folder=folder)
    record = folder / "migrations.jsonl"
    recorded = record.is_file() and bool(record.read_text().strip())
    return Half(done, _changed(before, Snapshot.of(copy)), recorded)
