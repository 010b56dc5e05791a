"""Drills in the ledger: when a gate last said no, and that they are evidence of nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_rollout.evidence.drills import keep, last_no
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.verify import verify
from pytest_rollout.model.drill import Cell, Drill, DrillOutcome, FaultRow, Rehearsal
from pytest_rollout.model.plan import Address, Gate
from pytest_rollout.model.verdict import Answer, Verdict
from tests.evidence.runs import ENTRY, EXIT, Writer, tamper

GO = {Gate.ENTRY: Answer.GO, Gate.EXIT: Answer.GO}


def drill(
    answer: Answer = Answer.NO_GO,
    outcome: DrillOutcome = DrillOutcome.CAUGHT,
    healthy: Answer = Answer.GO,
    fault: str = "sour",
) -> Drill:
    """A drill of one fault that a criterion of the exit gate names."""
    cell = Cell("works", Gate.EXIT, outcome, Verdict.FAIL, "it broke")
    row = FaultRow(fault, (cell,), answers={**GO, Gate.EXIT: answer})
    without = Rehearsal(answers={**GO, Gate.EXIT: healthy}, release="v1")
    return Drill(Address("demo", "canary"), "digest", without, (row,))


def test_a_gate_that_said_no_is_known_by_fault_release_and_plan(ledger: Ledger) -> None:
    keep(ledger, drill())
    found = last_no(ledger, EXIT, "digest")
    assert found is not None
    assert (found.fault, found.answer, found.release) == ("sour", Answer.NO_GO, "v1")
    assert not found.outdated
    assert last_no(ledger, ENTRY, "digest") is None


def test_a_drill_of_another_text_of_the_plan_is_outdated(ledger: Ledger) -> None:
    keep(ledger, drill())
    found = last_no(ledger, EXIT, "another")
    assert found is not None
    assert found.outdated


def test_a_gate_that_was_dragged_along_did_not_notice_anything(ledger: Ledger) -> None:
    """Its criteria do not name the fault; the target may be gone, or the run not be whole."""
    found = drill()
    row = replace(found.rows[0], answers={Gate.ENTRY: Answer.HOLD, Gate.EXIT: Answer.NO_GO})
    keep(ledger, replace(found, rows=(row,)))
    assert last_no(ledger, ENTRY, "digest") is None
    assert last_no(ledger, EXIT, "digest") is not None


@pytest.mark.parametrize(
    "proves_nothing",
    [
        drill(answer=Answer.GO),
        drill(outcome=DrillOutcome.MISSED),
        drill(outcome=DrillOutcome.COLLAPSED),
        drill(outcome=DrillOutcome.NOT_RUN),
        drill(healthy=Answer.HOLD),
    ],
)
def test_an_earlier_no_stands_where_a_later_drill_shows_none(
    ledger: Ledger, proves_nothing: Drill
) -> None:
    keep(ledger, proves_nothing)
    assert last_no(ledger, EXIT, "digest") is None
    keep(ledger, drill(fault="first"))
    keep(ledger, drill(fault="second"))
    keep(ledger, proves_nothing)
    found = last_no(ledger, EXIT, "digest")
    assert found is not None
    assert found.fault == "second"


def test_a_changed_record_proves_nothing_and_verify_says_so(ledger: Ledger) -> None:
    keep(ledger, drill(outcome=DrillOutcome.MISSED))
    assert verify(ledger, []).problems == ()
    tamper(ledger.name, "UPDATE records SET body = replace(body, 'MISSED', 'caught')")
    assert last_no(ledger, EXIT, "digest") is None
    assert "record 1 (drill) was changed" in verify(ledger, []).problems[0]


def test_a_drill_is_no_look_and_changes_no_decision(ledger: Ledger) -> None:
    run = Writer(ledger, "r1", "prod")
    run.good()
    keep(ledger, drill())
    again = Writer(ledger, "r2", "prod")
    again.good()
    assert again.decisions[1].looks == 2
    assert again.decisions[1].substance_digest == run.decisions[1].substance_digest
    assert verify(ledger, []).problems == ()
