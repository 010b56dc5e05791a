"""Day 1 of PLMS, rehearsed whole; a few of its faults (`rollout drill plms.day1` plants all)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plms.rehearsal import rehearse


def test_a_healthy_rehearsal_is_go(tmp_path: Path) -> None:
    run = rehearse(tmp_path, phase="day1")
    assert run.status == 0, run.output
    assert run.last_line == "GO: plms.day1/entry GO, plms.day1/exit GO"
    assert set(run.verdicts().values()) == {"pass"}


# A health of 200 over a dead dependency, a clean-up that takes too much, and what checks nothing.
FAULTS = {
    "redis-down": (10, {"healthz-redis", "healthz-detects-outage"}),
    "cleanup-collateral": (0, {"drill-cleanup-no-collateral"}),
    "checker-shallow": (10, {"checker-proves-each-rule", "unit-runs-the-job"}),
    "unit-does-nothing": (10, {"unit-runs-the-job"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught_by_what_names_it(fault: str, tmp_path: Path) -> None:
    status, leaves = FAULTS[fault]
    run = rehearse(tmp_path, f"--rollout-fault={fault}", phase="day1")
    found = run.verdicts(fault)
    assert {name for name, verdict in found.items() if verdict != "pass"} == leaves
    assert run.status == status, run.output
