"""Day 5 of PLMS, rehearsed whole; a few of its faults (`rollout drill plms.day5` plants all)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pytest_rollout.model.check import Check
from pytest_rollout.plan.load import load
from tests.plms.rehearsal import ROOT, rehearse


def test_a_healthy_rehearsal_is_go_and_the_same_with_two_workers(tmp_path: Path) -> None:
    alone = rehearse(tmp_path / "alone", phase="day5")
    assert alone.status == 0, alone.output
    assert alone.last_line == "GO: plms.day5/entry GO, plms.day5/exit GO"
    assert set(alone.verdicts().values()) == {"pass"}
    parallel = rehearse(tmp_path / "parallel", "-n2", phase="day5")
    assert (
        parallel.decision("exit")["substance_digest"] == alone.decision("exit")["substance_digest"]
    )


FAULTS = {
    "slow-baseline": (0, {"baselines-sequential"}),
    "revert-utc-cutoff": (0, {"rollback-priors-reverted"}),
    "calibration-takes-failed": (
        10,
        {"policy-rejects-validation-fail", "policy-truth-table", "learning-rate"},
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught_by_what_names_it(fault: str, tmp_path: Path) -> None:
    status, leaves = FAULTS[fault]
    run = rehearse(tmp_path, f"--rollout-fault={fault}", phase="day5")
    found = run.verdicts(fault)
    assert {name for name, verdict in found.items() if verdict != "pass"} == leaves
    assert run.status == status, run.output


def registry_of(path: Path, mark: str | None) -> sqlite3.Connection:
    """A registry with three priors, of which two are newer than the mark."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("CREATE TABLE system_config (key TEXT PRIMARY KEY, value TEXT)")
    db.execute("CREATE TABLE estimate_versions (id INTEGER PRIMARY KEY, created_at TEXT)")
    db.execute("INSERT INTO system_config VALUES ('calibration_enabled', 'true')")
    if mark:
        db.execute("INSERT INTO system_config VALUES ('calibration_newest_prior', ?)", (mark,))
    made = [(4, "2025-11-12 18:30:00"), (10, "2025-11-12 19:40:00"), (11, "2025-11-12 20:10:00")]
    db.executemany("INSERT INTO estimate_versions VALUES (?, ?)", made)
    return db


@pytest.mark.parametrize(
    ("mark", "left", "held"), [("4", [4], [1, 1]), (None, [4, 10, 11], [1, 0])]
)
def test_the_rollback_can_be_run_and_each_step_is_seen_to_hold(
    mark: str | None, left: list[int], held: list[int], tmp_path: Path
) -> None:
    plan = load(ROOT / "suites/plms/rollout.yaml", "suites/plms/rollout.yaml").plan
    assert plan is not None
    day5 = next(phase for phase in plan.phases if phase.id == "day5")
    with closing(registry_of(tmp_path / "registry.db", mark)) as db:

        def holds(check: Check | None) -> bool:
            assert check is not None
            (value,) = db.execute(check.text).fetchone()
            return bool(value == check.expect.value)

        steps = day5.rollback.steps
        assert [holds(step.check) for step in steps] == [False, False], "nothing is done yet"
        for step in steps:
            assert step.action is not None, f"people do: {step.says}"
            db.execute(step.action.text)
        assert [holds(step.check) for step in steps] == [bool(each) for each in held]
        assert [row[0] for row in db.execute("SELECT id FROM estimate_versions")] == left
