"""Which run a gate stands on."""

from __future__ import annotations

from pytest_rollout.evidence.history import History, last_full_run, stored_decision
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.model.plan import EMBEDDED, Address, Gate
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report.stored import to_json
from tests.evidence.runs import ENTRY, EXIT, FAIL, PLAN, Writer, plan_of, tamper


def last(ledger: Ledger, address: Address = EXIT, environment: str = EMBEDDED) -> str | None:
    asked = last_full_run(ledger, address, environment)
    return asked.run if asked else None


def test_nothing_asked(ledger: Ledger) -> None:
    assert last(ledger) is None
    assert History(ledger).standing(EXIT, EMBEDDED) is None


def test_the_newest_full_run_with_its_plan(ledger: Ledger) -> None:
    Writer(ledger, "r1").good()
    second = Writer(ledger, "r2").good()
    asked = last_full_run(ledger, EXIT, EMBEDDED)
    assert asked is not None
    assert (asked.run, asked.finished, asked.plan_digest) == ("r2", True, plan_of(PLAN).digest)
    assert stored_decision(ledger, EXIT, "r2") == to_json(second.decisions[1])
    assert stored_decision(ledger, ENTRY, "r2") == to_json(second.decisions[0])


def test_other_gates_environments_drills_and_partial_runs_are_skipped(ledger: Ledger) -> None:
    Writer(ledger, "r1").good()
    Writer(ledger, "r2", gates=(ENTRY,)).good()
    Writer(ledger, "r3", "prod").good()
    Writer(ledger, "r4", drill="x").good()
    Writer(ledger, "r5", partial=["-k"]).good()
    dropped = Writer(ledger, "r6")
    dropped.start()
    dropped.manifest(dropped={"t.py::test_works": "deselected"})
    dropped.seal()
    assert last(ledger) == "r1"
    assert last(ledger, ENTRY) == "r2"
    assert last(ledger, environment="prod") == "r3"


def test_a_check_dropped_in_another_phase_does_not_hide_a_full_look(ledger: Ledger) -> None:
    Writer(ledger, "r1").good()
    run = Writer(ledger, "r2")
    run.start()
    run.manifest(dropped={"t.py::test_of_another_phase": "deselected"})
    run.checks(works=FAIL)
    run.seal()
    run.decide()
    found = History(ledger).standing(EXIT, EMBEDDED)
    assert found is not None
    assert found.decision is not None
    assert found.decision.answer is Answer.NO_GO


def test_a_run_that_never_finished_takes_the_decision_away(ledger: Ledger) -> None:
    Writer(ledger, "r1").good()
    Writer(ledger, "r2").start()
    asked = last_full_run(ledger, EXIT, EMBEDDED)
    assert asked is not None
    assert (asked.run, asked.finished) == ("r2", False)
    found = History(ledger).standing(EXIT, EMBEDDED)
    assert found is not None
    assert found.decision is None
    Writer(ledger, "r3").good()
    assert last(ledger) == "r3"


def test_a_stopped_run_counts_as_finished(ledger: Ledger) -> None:
    run = Writer(ledger, "r1")
    run.start()
    run.stop("Ctrl-C")
    asked = last_full_run(ledger, EXIT, EMBEDDED)
    assert asked is not None
    assert asked.finished


def test_a_damaged_run_is_not_skipped_for_an_older_good_one(ledger: Ledger) -> None:
    Writer(ledger, "r1").good()
    Writer(ledger, "r2").good(works=FAIL)
    tamper(ledger.name, "UPDATE observations SET value = '5' WHERE id = 4")
    found = History(ledger).standing(EXIT, EMBEDDED)
    assert found is not None
    assert found.asked.run == "r2"
    assert found.decision is None
    assert "observation was changed" in str(found.damage)


def test_a_run_made_unreadable_takes_the_older_decision_with_it(ledger: Ledger) -> None:
    Writer(ledger, "r1").good()
    Writer(ledger, "r2").good(works=FAIL)
    tamper(ledger.name, "UPDATE records SET body = '{' WHERE run = 'r2' AND kind = 'run'")
    found = History(ledger).standing(EXIT, EMBEDDED)
    assert found is not None
    assert found.decision is None
    assert "was changed" in str(found.damage)


def test_a_gate_is_looked_up_without_reading_older_runs(ledger: Ledger) -> None:
    for number in range(5):
        Writer(ledger, f"r{number}").good()
    runs = ledger.runs(str(EXIT), EMBEDDED)
    assert next(runs).run == "r4"
    assert next(runs).run == "r3"
    assert last(ledger, Address("demo", "other", Gate.EXIT)) is None
