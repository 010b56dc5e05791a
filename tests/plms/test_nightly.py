"""The loads and bursts of a night: GO when healthy, and each fault caught by what names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_rollout.drill.matrix import named
from tests.plms.rehearsal import rehearse
from tests.plms.test_drills import plms

PHASE, MARK = "nightly", "plms_nightly"
BURSTS = "suites/plms/test_nightly_bursts.py"
FAULTS = sorted({one.fault for phase in plms().phases if phase.id == PHASE for one in named(phase)})


def naming(fault: str) -> set[str]:
    """The criteria of the phase that name a fault."""
    (phase,) = (each for each in plms().phases if each.id == PHASE)
    return {each.id for each in phase.criteria if fault in each.faults}


def test_the_mark_of_the_phase_is_not_that_of_long_tests() -> None:
    (phase,) = (each for each in plms().phases if each.id == PHASE)
    assert phase.marks == (MARK,)


def test_each_hard_criterion_of_the_night_names_a_fault() -> None:
    (phase,) = (each for each in plms().phases if each.id == PHASE)
    assert [each.id for each in phase.criteria if not each.faults] == []


@pytest.mark.slow
def test_what_malformed_starts_leave_behind_is_noticed(tmp_path: Path) -> None:
    only = (BURSTS, "--deselect=suites/plms/rollout.yaml", "-k", "bursts")
    drilled = rehearse(tmp_path, "--rollout-fault=malformed-starts", *only, phase=MARK)
    assert "1 failed, 8 passed" in drilled.output, drilled.output
    assert "malformed-leaves-nothing: test_malformed_starts_leave_nothing" in drilled.output


@pytest.mark.nightly
def test_a_healthy_night_is_go(tmp_path: Path) -> None:
    healthy = rehearse(tmp_path, phase=MARK)
    assert healthy.status == 0, healthy.output
    assert healthy.last_line == f"GO: plms.{PHASE}/entry GO, plms.{PHASE}/exit GO"


@pytest.mark.nightly
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught_by_what_names_it(fault: str, tmp_path: Path) -> None:
    drilled = rehearse(tmp_path, f"--rollout-fault={fault}", phase=MARK)
    assert drilled.status in (10, 11), drilled.output
    lines = drilled.output.splitlines()
    said = {line.split(":")[0].rpartition(".")[2] for line in lines if line.startswith("  - plms.")}
    assert naming(fault) <= said, drilled.output
