"""What counts as a ROLLBACK of a phase, and as having been looked at anew since then."""

from __future__ import annotations

import pytest

from pytest_rollout.evidence.history import History
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.rollbacks import last_rollback, open_gates
from pytest_rollout.model.plan import Address
from tests.cli.watched import happen
from tests.evidence.runs import ENTRY, EXIT, FAIL, PLAN, Writer, plan_of

RAIL = "{id: cap, metric: errors, take: max, fail: '> 5', then: rollback}"
TEXT = f"{PLAN}    guardrails: [{RAIL}]\n    on_rollback: {{revalidate: [canary/entry]}}\n"
WHERE = Address("demo", "canary")


def run(ledger: Ledger, name: str, gate: Address, worst: int = 0, **more: object) -> Writer:
    """A whole run in prod."""
    one = Writer(ledger, name, "prod", TEXT, gates=(gate,), **more)  # type: ignore[arg-type]
    one.start()
    one.manifest()
    one.checks(errors=(worst, 0), t_us=one.ledger_now())
    one.seal()
    return one.decide()


def lacking(ledger: Ledger) -> dict[str, str]:
    """What is not looked at anew."""
    phase = plan_of(TEXT).phase("canary")
    assert phase is not None
    return open_gates(ledger, History(ledger), WHERE, phase, "prod")[1]


def test_a_decision_is_a_rollback_and_a_drill_is_none(ledger: Ledger) -> None:
    happen(ledger)
    run(ledger, "r1", EXIT)
    assert last_rollback(ledger, WHERE, "prod") is None
    run(ledger, "r2", EXIT, 9, drill="fault")
    assert last_rollback(ledger, WHERE, "prod") is None
    assert lacking(ledger) == {}
    run(ledger, "r3", EXIT, 9)
    back = last_rollback(ledger, WHERE, "prod")
    assert back is not None
    assert back.what == "run r3 decided ROLLBACK"
    assert last_rollback(ledger, WHERE, "embedded") is None
    assert lacking(ledger) == {"canary/entry": "no full run has asked for it"}


@pytest.mark.parametrize("how", ["partial", "failing", "unfinished"])
def test_only_a_whole_run_that_is_go_is_a_new_look(ledger: Ledger, how: str) -> None:
    happen(ledger)
    run(ledger, "r1", EXIT, 9)
    if how == "partial":
        run(ledger, "r2", ENTRY, partial=("-k",))
    else:
        late = Writer(ledger, "r2", "prod", TEXT, gates=(ENTRY,))
        late.start()
        late.manifest()
        late.batch("t.py::test_ready", FAIL)
        if how == "failing":
            late.checks()
            late.seal()
            late.decide()
    assert list(lacking(ledger)) == ["canary/entry"]
    run(ledger, "r3", ENTRY)
    assert lacking(ledger) == {}
    run(ledger, "r4", EXIT, 9)  # rolled back once more
    assert list(lacking(ledger)) == ["canary/entry"]
