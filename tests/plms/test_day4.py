"""Day 4 of PLMS, rehearsed whole; a few of its faults (`rollout drill plms.day4` plants all)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plms.rehearsal import rehearse


def test_a_healthy_rehearsal_is_go(tmp_path: Path) -> None:
    run = rehearse(tmp_path, phase="day4")
    assert run.status == 0, run.output
    assert run.last_line == "GO: plms.day4/entry GO, plms.day4/exit GO"
    assert set(run.verdicts().values()) == {"pass"}


def test_without_promtool_it_says_what_to_install(tmp_path: Path) -> None:
    # Of what is on the path only what starts Python is left.
    run = rehearse(tmp_path, "-k", "nowhere_else and runway-warning", phase="day4", PATH="/nowhere")
    assert run.status == 11
    assert "apt-get install --no-install-recommends prometheus" in run.output


# A panel that keeps its first answer, a ratio held against percent.
FAULTS = {
    "panel1-stale": (
        10,
        {"panel-1-current-status", "all-panels-have-data", "drill-panel-shows-fail"},
    ),
    "rule-ci-width-spike-inclusive": (
        12,
        {
            "alert-ci-width-spike-configured",
            "alert-ci-width-spike-boundary",
            "alert-ci-width-per-lane",
        },
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught_by_what_names_it(fault: str, tmp_path: Path) -> None:
    status, leaves = FAULTS[fault]
    run = rehearse(tmp_path, f"--rollout-fault={fault}", phase="day4")
    found = run.verdicts(fault)
    assert {name for name, verdict in found.items() if verdict != "pass"} == leaves
    assert run.status == status, run.output
