"""The retro, the whole week and what follows: GO when healthy, and some faults caught."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plms.rehearsal import rehearse

# What leaves pass: the criteria that name the fault, and those that depend on them.
FAULTS: dict[tuple[str, str], tuple[int, set[str]]] = {
    ("day7", "integer-division"): (
        10,
        {"ratios-are-real-division", "report-figures-match-evidence"},
    ),
    ("day7", "survivorship"): (0, {"kpi-pass-rate-not-vacuous"}),
    ("live", "autopause-inclusive"): (0, {"budget-overrun-boundary"}),
    ("live", "friday-change"): (10, {"change-window-weekdays"}),
    ("post", "gap-in-metrics"): (0, {"day14-metrics-reviewed"}),
}


@pytest.mark.parametrize("phase", ["day7", "live", "post"])
def test_a_healthy_rehearsal_is_go(phase: str, tmp_path: Path) -> None:
    healthy = rehearse(tmp_path, phase=phase)
    assert healthy.status == 0, healthy.output
    assert healthy.last_line == f"GO: plms.{phase}/entry GO, plms.{phase}/exit GO"
    assert set(healthy.verdicts().values()) == {"pass"}


@pytest.mark.parametrize(("phase", "fault"), FAULTS)
def test_a_fault_is_caught_by_what_names_it(phase: str, fault: str, tmp_path: Path) -> None:
    status, caught = FAULTS[phase, fault]
    drilled = rehearse(tmp_path, f"--rollout-fault={fault}", phase=phase)
    assert drilled.status == status, drilled.output
    verdicts = drilled.verdicts(drill=fault)
    assert {name for name, verdict in verdicts.items() if verdict != "pass"} == caught


def test_done_alone_does_not_believe_that_the_days_were_good(tmp_path: Path) -> None:
    alone = rehearse(tmp_path, phase="done")
    assert alone.status == 11
    verdicts = alone.verdicts()
    assert verdicts["days-accepted"] == verdicts["demos"] == "missing"
    assert verdicts["kpi-pass-rate"] == verdicts["ci-coverage"] == "pass"
    told = alone.rollout("report", "plms.done", "--final", "--format", "md").stdout
    assert "- Projects completed: 6 (day 3: 2, day 5: 2, day 6: 2)" in told
    assert "| Narrative | N/A | N/A | N/A |" in told
