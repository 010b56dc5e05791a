"""A few faults of each phase are planted with every run of the tests, all of them at night."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from pytest_rollout.drill.matrix import named
from pytest_rollout.model.plan import Plan
from pytest_rollout.plan.load import load
from pytest_rollout.targets.launch import known_faults
from tests.plms.rehearsal import ROOT

SUITE = ROOT / "suites/plms/rollout.yaml"
SAMPLE = ["--sample", "2", "--jobs", "2"]


def plms() -> Plan:
    """The plan."""
    plan = load(SUITE, "suites/plms/rollout.yaml").plan
    assert plan is not None
    return plan


def test_the_target_knows_every_fault_that_the_plan_names() -> None:
    named_faults = {one.fault.partition(":")[0] for phase in plms().phases for one in named(phase)}
    assert named_faults
    assert named_faults <= set(known_faults("fixtures.plms:app", ROOT))


def test_a_few_faults_of_each_phase_are_caught_by_what_names_them(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest_rollout.cli", "drill", "plms", *SAMPLE, "--json"]
    done = subprocess.run(
        [*command, "--ledger", str(tmp_path / "ledger.db"), "--report", str(tmp_path / "report")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    phases = json.loads(done.stdout)["phases"]
    drilled = {one["phase"]: len(one["faults"]) for one in phases}
    assert drilled == {f"plms.{one.id}": 2 for one in plms().phases if named(one)}
