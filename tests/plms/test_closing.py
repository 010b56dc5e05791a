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
}
# Of the phases that read others: what no run of theirs alone can know is missing besides.
ALONE: dict[tuple[str, str], set[str]] = {
    ("post", "gap-in-metrics"): {"day14-metrics-reviewed"},
    ("post", "figures-invented"): {"day14-metrics-reviewed"},
    ("post", "rollout-logs-emptied"): {"day8-logs-archived"},
    ("post", "report-announced-only"): {"day8-report-sent"},
    ("post", "thresholds-in-part"): {"day14-thresholds-published"},
    ("done", "nightly-ok-with-violations"): {"invariants-three-nights"},
    ("done", "signed-rejected"): {"signoff-engineering", "signoff-operations", "signoff-pm"},
    ("rollout", "restart-gap"): {"zero-downtime"},
    ("rollout", "contracts-missing"): {"referenced-artifacts-exist"},
}


@pytest.mark.parametrize("phase", ["day7", "live"])
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


@pytest.mark.parametrize(("phase", "fault"), ALONE)
def test_a_fault_of_the_end_is_caught_although_the_days_are_unknown(
    phase: str, fault: str, tmp_path: Path
) -> None:
    drilled = rehearse(tmp_path, f"--rollout-fault={fault}", phase=phase)
    assert drilled.status in (10, 11), drilled.output
    verdicts = drilled.verdicts(fault)
    found = {name for name, verdict in verdicts.items() if verdict not in ("pass", "missing")}
    assert found == ALONE[phase, fault]


def test_what_follows_is_not_accepted_before_the_rollout_is(tmp_path: Path) -> None:
    alone = rehearse(tmp_path, phase="post")
    assert alone.last_line == "HOLD: plms.post/entry HOLD, plms.post/exit GO"
    left = {name: verdict for name, verdict in alone.verdicts().items() if verdict != "pass"}
    assert left == {"rollout-accepted": "missing"}
    assert "next: pytest -m plms (it reads gates of other phases" in alone.output


def test_done_alone_does_not_believe_that_the_days_were_good(tmp_path: Path) -> None:
    alone = rehearse(tmp_path, phase="done")
    assert alone.status == 11
    verdicts = alone.verdicts()
    assert verdicts["days-accepted"] == verdicts["demos"] == "missing"
    assert verdicts["kpi-pass-rate"] == verdicts["ci-coverage"] == "pass"
    told = alone.rollout("report", "plms.done", "--final", "--format", "md").stdout
    assert "- Projects completed: 7 (day 3: 2, day 5: 2, day 6: 2, else: 1)" in told
    assert "| Narrative | N/A | N/A | N/A |" in told
