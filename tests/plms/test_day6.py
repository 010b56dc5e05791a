"""Day 6 of PLMS, rehearsed whole; a few of its faults (`rollout drill plms.day6` plants all)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plms.rehearsal import rehearse


def test_a_healthy_rehearsal_is_go(tmp_path: Path) -> None:
    run = rehearse(tmp_path, phase="day6")
    assert run.status == 0, run.output
    assert run.last_line == "GO: plms.day6/entry GO, plms.day6/exit GO"
    assert set(run.verdicts().values()) == {"pass"}
    criteria = run.decision("exit")["criteria"]
    samples = {one["id"].rpartition(".")[2]: one["samples"] for one in criteria if one["allowed"]}
    assert samples["portfolio-observed"] == 648, "108 minutes, every ten seconds"
    assert samples["alpha-runway-observed"] == 216, "every thirty"
    assert samples["warning-t15"] == 4, "two drills, and both projects of the stress run"


# An estimate that is read after the run moved it, a warning at every look.
FAULTS = {
    "estimate-leakage": (10, {"estimates-frozen-at-start", "final-metrics-collected"}),
    "alert-storm": (0, {"warnings-ordered-once"}),
    # A runway that never moves, submissions that nobody opens again.
    "runway-frozen": (
        10,
        {"runway-recounted", "warning-t15", "warning-t5-slack", "warning-t5-pagerduty"}
        | {"warnings-ordered-once"},
    ),
    "submissions-stay-paused": (0, {"rollback-submissions-resumed"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught_by_what_names_it(fault: str, tmp_path: Path) -> None:
    status, leaves = FAULTS[fault]
    run = rehearse(tmp_path, f"--rollout-fault={fault}", phase="day6")
    found = run.verdicts(fault)
    assert {name for name, verdict in found.items() if verdict != "pass"} == leaves
    assert run.status == status, run.output
