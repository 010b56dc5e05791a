"""Day 2 of PLMS, rehearsed whole; a few of its faults (`rollout drill plms.day2` plants all)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from suites.plms.test_day2_starts import bodies
from tests.plms.rehearsal import rehearse


def test_a_healthy_rehearsal_is_go(tmp_path: Path) -> None:
    run = rehearse(tmp_path, phase="day2")
    assert run.status == 0, run.output
    assert run.last_line == "GO: plms.day2/entry GO, plms.day2/exit GO"
    assert set(run.verdicts().values()) == {"pass"}


DEMO_3_STOPS = {
    *("demo3-exit-0", "all-demos-exit-0", "output-matches", "demo3-fixed-run-exits-0"),
    *("demo3-validator-passes", "demo3-calibration-accepts"),
}
FAULTS = {
    "demo3-failure-swallowed": (
        10,
        {
            *DEMO_3_STOPS,
            *("demo3-failing-run-exits-1", "demo3-validator-catches", "demo3-failing-run-blocked"),
            "demo3-calibration-rejects-failed",
        },
    ),
    "idem-race": (0, {"demo1-concurrent-same-key"}),
    "demo-pollutes-kpi": (0, {"testing-only"}),
    "idem-key-expires": (10, {"demo1-key-lifetime"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught_by_what_names_it(fault: str, tmp_path: Path) -> None:
    status, leaves = FAULTS[fault]
    run = rehearse(tmp_path, f"--rollout-fault={fault}", phase="day2")
    found = run.verdicts(fault)
    assert {name for name, verdict in found.items() if verdict != "pass"} == leaves
    assert run.status == status, run.output


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(body=bodies)
def test_no_start_of_the_day_breaks_an_invariant(body: Mapping[str, Any]) -> None:
    """The nightly check objects to a baseline that writes to a sandbox, in production too."""
    assert body["run_kind"] != "baseline" or not body.get("write_sandbox")
