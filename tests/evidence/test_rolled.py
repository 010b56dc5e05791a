"""Which decisions of other gates a run may read, now and at any later time."""

from __future__ import annotations

import pytest

from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.evidence.world import read_world
from pytest_rollout.model.evidence import Hole, Rolled
from pytest_rollout.model.plan import EMBEDDED, Address, Gate
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.report import sentences
from tests.evidence.runs import ENTRY, EXIT, FAIL, PASS, PLAN, Writer, plan_of, tamper
from tests.words import because

TEXT = f"""{PLAN}
  - id: after
    criteria:
      - {{id: both, kind: demo, rolls_up: [canary.works, canary/exit]}}
"""
AFTER = Address("demo", "after", Gate.EXIT)
SKIPPED = (("missing", "skipped"),)


def looked(
    ledger: Ledger,
    run: str,
    environment: str = "prod",
    works: tuple[tuple[str, str], ...] = PASS,
    **more: object,
) -> Writer:
    """A whole look at the canary."""
    writer = Writer(ledger, run, environment, TEXT, **more)  # type: ignore[arg-type]
    return writer.good(works=works)


def later(ledger: Ledger, run: str = "late", environment: str = "prod") -> Writer:
    """A sealed run of the phase after it, which has decided nothing yet."""
    writer = Writer(ledger, run, environment, TEXT, gates=(AFTER,))
    writer.start()
    writer.manifest(items={})
    writer.seal()
    return writer


def read(ledger: Ledger, run: str = "late") -> tuple[Rolled, Rolled]:
    phase = plan_of(TEXT).phase("after")
    assert phase is not None
    one, whole = read_world(ledger, run, AFTER, phase).world.rolled
    return one, whole


def holes(ledger: Ledger, run: str = "late") -> str:
    one, whole = read(ledger, run)
    assert isinstance(one.verdict, Hole)
    assert one.verdict == whole.verdict
    return sentences.text(one.verdict.reason, "UTC")


def test_the_last_decision_with_where_it_comes_from(ledger: Ledger) -> None:
    looked(ledger, "old", works=SKIPPED)
    new = looked(ledger, "new")
    later(ledger)
    one, whole = read(ledger)
    assert (one.verdict, one.run, one.release) == (Verdict.PASS, "new", "v1")
    assert (whole.verdict, because(whole)) == (Verdict.PASS, "GO")
    assert one.asked == new.decisions[1].criteria_digest
    assert one.decided_us == next(
        record.at_us for record in ledger.of_run("new") if record.kind is RecordKind.SEAL
    )


def test_a_gate_that_is_not_go_is_read_as_it_is(ledger: Ledger) -> None:
    looked(ledger, "r", works=FAIL)
    later(ledger)
    one, whole = read(ledger)
    assert (one.verdict, whole.verdict) == (Verdict.FAIL, Verdict.FAIL)
    assert because(whole).startswith("NO-GO: demo.canary.works: ")


def test_a_go_after_a_failure_is_one_with_a_condition(ledger: Ledger) -> None:
    looked(ledger, "old", works=FAIL)
    looked(ledger, "new")
    later(ledger)
    one, whole = read(ledger)
    assert (one.verdict, whole.verdict) == (Verdict.PASS, Verdict.WARN)
    assert because(whole) == "GO, with conditions on demo.canary.works"


def test_what_is_held_leaves_it_open(ledger: Ledger) -> None:
    looked(ledger, "r", works=SKIPPED)
    later(ledger)
    assert [one.verdict for one in read(ledger)] == [Verdict.MISSING, Verdict.INCONCLUSIVE]


def test_no_look_no_drill_no_part_and_no_other_environment(ledger: Ledger) -> None:
    looked(ledger, "r1", EMBEDDED)
    looked(ledger, "r2", drill="x")
    looked(ledger, "r3", partial=["-k"])
    looked(ledger, "r4", gates=(ENTRY,))
    later(ledger)
    assert holes(ledger) == "no full run has asked for demo.canary/exit"


def test_one_that_never_finished_since(ledger: Ledger) -> None:
    looked(ledger, "good")
    dying = Writer(ledger, "dead", "prod", TEXT)
    dying.start()
    dying.manifest()
    later(ledger)
    assert "run dead, the last that asked for demo.canary/exit, never finished" in holes(ledger)


def test_what_came_after_the_seal_changes_nothing(ledger: Ledger) -> None:
    looked(ledger, "good")
    early = Writer(ledger, "slow", "prod", TEXT)
    early.start()
    later(ledger)
    before = read(ledger)
    early.manifest()
    early.checks()
    early.seal()
    early.decide()
    looked(ledger, "bad", works=FAIL)
    assert read(ledger) == before
    assert "never finished" in holes(ledger)


def test_sealed_but_decided_only_afterwards(ledger: Ledger) -> None:
    slow = Writer(ledger, "slow", "prod", TEXT)
    slow.start()
    slow.manifest()
    slow.checks()
    slow.seal()
    later(ledger)
    slow.decide()
    assert "has stored no decision of demo.canary/exit" in holes(ledger)


@pytest.mark.parametrize("environment", [EMBEDDED, "prod"])
def test_a_run_reads_what_it_decided_itself_before(ledger: Ledger, environment: str) -> None:
    looked(ledger, "old", environment, works=SKIPPED)
    both = Writer(ledger, "both", environment, TEXT, gates=(ENTRY, EXIT, AFTER))
    both.start()
    both.manifest()
    both.checks()
    both.seal()
    assert "this run has stored no decision of demo.canary/exit" in holes(ledger, "both")
    both.gates = (ENTRY, EXIT)
    both.decide()
    one, whole = read(ledger, "both")
    assert (one.verdict, one.run, whole.verdict) == (Verdict.PASS, "both", Verdict.PASS)


def test_a_rehearsal_reads_no_other_run(ledger: Ledger) -> None:
    looked(ledger, "good", EMBEDDED)
    later(ledger, environment=EMBEDDED)
    assert "this run has stored no decision" in holes(ledger)


SPOILT = {
    "its decision": "UPDATE records SET body = replace(body, 'GO', 'NO') "
    "WHERE run = 'good' AND kind = 'decision'",
    "its observations": "DELETE FROM observations WHERE batch IN "
    "(SELECT sequence FROM records WHERE run = 'good')",
    "a later look that was taken out": "DELETE FROM records WHERE run = 'bad'",
}


@pytest.mark.parametrize("what", SPOILT)
def test_what_was_damaged_is_not_read(ledger: Ledger, what: str) -> None:
    looked(ledger, "good")
    if what == "a later look that was taken out":
        looked(ledger, "bad", works=FAIL)
    later(ledger)
    tamper(ledger.name, SPOILT[what])
    assert "damaged" in holes(ledger)
