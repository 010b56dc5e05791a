"""The migration of the registry: what it adds, what it leaves alone, and its way back."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import date

import pytest

from pytest_rollout import Observe, Stage
from suites.pas.scenarios.schedule import Weeks
from suites.pas.scenarios.telemetry import MIGRATION, PROJECT, Migrated, MigratedTwice
from suites.pas.views.lines import day_of, of_kind
from suites.pas.views.people import records
from suites.pas.views.registry import TELEMETRY, Registry, columns, keys, rows, shape, stamped
from suites.pas.views.source import git

pytestmark = pytest.mark.pas_phase2

TABLES = ("projects", "project_runs", "estimate_versions")
FILE = f"migrations/{MIGRATION}.sql"
ENDED = ("completed", "failed", "terminated", "cancelled", "needs_review")
VALUES = {"tokens_input": 12_345, "tokens_output": 67, "energy_kwh": 0.25, "carbon_kg": 0.125}


@pytest.mark.criterion("registry-in-order")
def test_the_registry_is_in_order(phase: Stage) -> None:
    registry = Registry(phase.file("registry"))
    said = registry.sound()
    assert said == "ok", f"the registry is damaged: {said}"
    runs = len(registry.ended(PROJECT))
    assert runs >= 2, f"project {PROJECT} has {runs} completed runs, and two are needed"


@pytest.mark.criterion("migration-applied")
def test_a_run_can_hold_telemetry(
    migrated: Migrated, tmp_path_factory: pytest.TempPathFactory
) -> None:
    there = columns(migrated.registry.path, "project_runs")
    missing = [name for name in TELEMETRY if name not in there]
    assert not missing, f"project_runs has no column {', '.join(missing)}"
    copy = tmp_path_factory.mktemp("holds") / "registry.db"
    shutil.copyfile(migrated.registry.path, copy)
    names = ", ".join(f"{name} = ?" for name in VALUES)
    with closing(sqlite3.connect(copy)) as db, db:
        db.execute(f"UPDATE project_runs SET {names}", [*VALUES.values()])
    held = rows(copy, f"SELECT DISTINCT {', '.join(VALUES)} FROM project_runs")
    assert held == [VALUES], f"of {VALUES} a row holds {held}"


@pytest.mark.criterion("migration-backed-up", "migration-keeps-data")
def test_a_backup_is_of_the_hour_before(migrated: Migrated, observe: Observe) -> None:
    backup, applied = migrated.backup, migrated.registry.migrated_at(MIGRATION)
    age = (applied - stamped(backup.path)).total_seconds()
    assert age > -1, f"the backup was made {-age:.0f} s after the migration"
    observe("backup_age_s", max(age, 0.0))
    assert age <= 3600, f"the backup was made {age / 3600:.1f} hours before the migration"
    assert backup.sound() == "ok", f"the backup is damaged: {backup.sound()}"
    held = {row["run_id"] for row in rows(backup.path, "SELECT run_id FROM project_runs")}
    sql = "SELECT run_id FROM project_runs WHERE tokens_input IS NULL"  # as those of before are
    due = {row["run_id"] for row in rows(migrated.registry.path, sql)}
    assert due, "the registry has no run of before the migration"
    assert not due - held, f"the backup lacks the runs {sorted(due - held)[:3]}"


@pytest.mark.criterion("migration-keeps-data")
def test_no_row_was_changed(migrated: Migrated, observe: Observe) -> None:
    backup = migrated.backup.path
    for table in TABLES:
        key, old = keys(backup, table), columns(backup, table)
        now = {
            tuple(row[name] for name in key): row
            for row in rows(migrated.registry.path, f"SELECT * FROM {table}")
        }
        for row in rows(backup, f"SELECT * FROM {table}"):
            if table == "project_runs" and row["status"] not in ENDED:
                continue  # it went on since then
            kept = now.get(tuple(row[name] for name in key), {})
            changed = any(kept.get(name, kept) != row[name] for name in old)
            made_up = any(value is not None for name, value in kept.items() if name not in old)
            observe("old_row_changed", changed or made_up, table=table)


@pytest.mark.criterion("migration-keeps-data")
def test_a_run_that_has_not_ended_is_kept(migrated_twice: MigratedTwice) -> None:
    run = migrated_twice.unfinished
    often = len(migrated_twice.kept)
    assert often == 1, f"a run without an end is there {often} times"
    (now,) = migrated_twice.kept
    changed = [name for name, value in now.items() if value != run.get(name)]
    assert not changed, f"of a run without an end {', '.join(changed)} was made up"


@pytest.mark.criterion("migration-keeps-data")
def test_no_old_column_is_declared_otherwise(migrated: Migrated) -> None:
    """Types, keys, defaults and indexes: a table that was made anew has often lost them."""
    for table in TABLES:
        was, now = shape(migrated.backup.path, table), shape(migrated.registry.path, table)
        for name, declared in was.items():
            assert now.get(name) == declared, (
                f"{name} of {table} was declared as {declared}, and is {now.get(name)}"
            )


@pytest.mark.criterion("migration-repeatable")
def test_the_migration_can_be_repeated(migrated_twice: MigratedTwice) -> None:
    assert migrated_twice.first.status == 0, migrated_twice.first.in_words()
    missing = [name for name in TELEMETRY if name not in migrated_twice.columns]
    assert not missing, f"after the first time there is no column {', '.join(missing)}"
    assert migrated_twice.second.status == 0, f"the second time: {migrated_twice.second.in_words()}"
    assert not migrated_twice.changed, (
        f"the second time changed {', '.join(migrated_twice.changed[:3])}"
    )
    once, twice = migrated_twice.backups
    assert (once, twice) == (1, 1), f"there are {once} backups after once, {twice} after twice"


@pytest.mark.criterion("prepared-in-week-1")
def test_the_migration_was_prepared(phase: Stage) -> None:
    tracked = git(phase.file("checkout"), "ls-files", FILE).strip()
    assert tracked, f"the repository has no {FILE}"
    preparations = of_kind(records(phase), "prepared", what="telemetry-migration")
    assert preparations, "nobody recorded that the migration was prepared"
    day = min(day_of(row) for row in preparations)
    assert day <= date(2025, 11, 14), f"the migration was prepared on {day}"


@pytest.mark.criterion("on-schedule")
def test_the_phase_was_accepted_in_time(weeks: Weeks) -> None:
    weeks.demand_by(date(2025, 11, 21))
