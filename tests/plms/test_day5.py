"""Day 5 of PLMS, rehearsed whole; a few of its faults (`rollout drill plms.day5` plants all)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plms.rehearsal import rehearse


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
    "calibration-takes-failed": (10, {"policy-rejects-validation-fail", "policy-truth-table"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught_by_what_names_it(fault: str, tmp_path: Path) -> None:
    status, leaves = FAULTS[fault]
    run = rehearse(tmp_path, f"--rollout-fault={fault}", phase="day5")
    found = run.verdicts(fault)
    assert {name for name, verdict in found.items() if verdict != "pass"} == leaves
    assert run.status == status, run.output
