"""Day 0 of PLMS, rehearsed whole; a few of its faults (`rollout drill plms.day0` plants all)."""

from __future__ import annotations

from pathlib import Path

import pytest

from suites.plms.scenarios.preparation import Attempt
from tests.plms.rehearsal import rehearse


def test_a_healthy_rehearsal_is_go_with_its_stand_in_named(tmp_path: Path) -> None:
    run = rehearse(tmp_path, phase="day0")
    assert run.status == 0, run.output
    assert run.last_line == "GO: plms.day0/entry GO, plms.day0/exit GO"
    assert set(run.verdicts().values()) == {"pass"}
    assert "stand-in: plms.day0.freeze-declared: the rehearsal (operations)" in run.output


# Backups and a tag that are not what they should be, and an exit status that a pipe would hide.
FAULTS = {
    "tag-ahead": (10, {"release-tag-exists"}),
    "backup-of-other-values": (10, {"registry-backup-nonempty", "registry-backup-restorable"}),
    "logs-archive-of-empty-files": (10, {"logs-backup-nonempty"}),
    "slack-other-channel": (10, {"slack-webhook-200"}),
    "logs-archive-of-missing-dir": (10, {"logs-backup-nonempty"}),
    "checker-exit-1-valid-json": (
        10,
        {"invariants-dry-run-exit-code", "invariants-dry-run-staging-first"},
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught_by_what_names_it(fault: str, tmp_path: Path) -> None:
    status, leaves = FAULTS[fault]
    run = rehearse(tmp_path, f"--rollout-fault={fault}", phase="day0")
    found = run.verdicts(fault)
    assert {name for name, verdict in found.items() if verdict != "pass"} == leaves
    assert run.status == status, run.output


def test_what_a_part_raises_is_raised_where_it_is_read() -> None:
    good, bad = Attempt.to(lambda: ("kept",)), Attempt.to(lambda: 1 // 0)
    assert good.result == ("kept",)
    with pytest.raises(ZeroDivisionError):
        _ = bad.result
