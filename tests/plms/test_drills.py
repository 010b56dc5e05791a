"""Drills of the whole plan; a few faults of each day are planted by the tests of that day."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_rollout.drill.matrix import named
from pytest_rollout.model.plan import Plan
from pytest_rollout.plan.load import load
from pytest_rollout.targets.launch import known_faults
from tests.plms.rehearsal import ROOT

SUITE = ROOT / "suites/plms/rollout.yaml"


def plms() -> Plan:
    """The plan."""
    plan = load(SUITE, "suites/plms/rollout.yaml").plan
    assert plan is not None
    return plan


def test_the_target_knows_every_fault_that_the_plan_names() -> None:
    named_faults = {one.fault.partition(":")[0] for phase in plms().phases for one in named(phase)}
    assert named_faults
    known = set(known_faults("fixtures.plms:app", ROOT)) | plms().faults_of_people()
    assert named_faults <= known


@pytest.mark.nightly
def test_what_a_day_got_wrong_is_noticed_where_it_is_rolled_up(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest_rollout.cli", "drill", "plms.done", "--json"]
    for fault in ("run-stuck", "nightly-missed"):
        command += ["--fault", fault]
    done = subprocess.run(
        [*command, "--ledger", str(tmp_path / "ledger.db"), "--report", str(tmp_path / "report")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (phase,) = json.loads(done.stdout)["phases"]
    caught = {row["fault"]: [cell["id"] for cell in row["criteria"]] for row in phase["faults"]}
    assert caught == {
        "run-stuck": ["two-real-projects"],
        "nightly-missed": ["invariants-three-nights"],
    }
