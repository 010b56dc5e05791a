"""The executable steps of the roll-backs of days 3 and 6: each check says no before, yes after."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fixtures.plms.data.registry import Registry
from pytest_rollout.model.check import Check
from pytest_rollout.model.rollback import RollbackStep
from pytest_rollout.plan.load import load
from tests.plms.rehearsal import ROOT

PROJECTS = (101, 102, 301, 302)


def steps(day: str) -> list[RollbackStep]:
    """The steps of a day that a machine can do and see done."""
    plan = load(ROOT / "suites/plms/rollout.yaml", "suites/plms/rollout.yaml").plan
    assert plan is not None
    (phase,) = [phase for phase in plan.phases if phase.id == day]
    return [step for step in phase.rollback.steps if step.action and step.check]


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """A registry in which all four projects execute."""
    path = tmp_path / "registry.db"
    Registry(path).close()
    with closing(sqlite3.connect(path)) as db, db:
        query = "INSERT INTO project_runs (run_id, project_id, status) VALUES (?, ?, 'executing')"
        db.executemany(query, [(f"run-{project}", project) for project in PROJECTS])
    return path


def holds(check: Check, registry: Path) -> bool:
    """Whether the check of a step holds."""
    with closing(sqlite3.connect(registry)) as db:
        return [(check.expect.value,)] == db.execute(check.text).fetchall()


def do(action: Check, registry: Path) -> None:
    """Do a step: its statement, or what the cancel that it posts comes to in the registry."""
    cancel = re.fullmatch(r"/api/projects/(\d+)/cancel", action.text)
    with closing(sqlite3.connect(registry)) as db, db:
        if cancel is None:
            db.execute(action.text)
        else:
            assert action.method == "POST"
            query = "UPDATE project_runs SET status = 'cancelled' WHERE project_id = ?"
            db.execute(query, (int(cancel[1]),))


@pytest.mark.parametrize("day", ["day3", "day6"])
def test_a_check_holds_once_its_step_is_done(day: str, registry: Path) -> None:
    assert len(steps(day)) == 3
    for step in steps(day):
        assert step.action is not None
        assert step.check is not None
        assert not holds(step.check, registry), step.says
        do(step.action, registry)
        assert holds(step.check, registry), step.says
