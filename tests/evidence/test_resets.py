"""Resets in the ledger: of a release, before a run's end, and worth nothing where touched."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pytest_rollout.evidence.bodies import PhaseBegun
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.evidence.resets import reset
from pytest_rollout.evidence.verify import verify
from pytest_rollout.judge.since_begin import statements_of
from pytest_rollout.model.reset import Reset
from pytest_rollout.report.stored import to_json
from tests.evidence.runs import EXIT, PLAN, Place, Writer, append, opened, plan_of, tamper

RAIL = "demo.canary.cap"
TEXT = (
    PLAN
    + '    guardrails:\n      - {id: cap, metric: errors, take: max, fail: "> 5", then: rollback}\n'
)


def begin(ledger: Ledger) -> None:
    """The phase begins in prod."""
    body = {"type": "begin", "t_us": now()}
    append(ledger, RecordKind.EVENT, "", body, "demo", "demo.canary", "prod")


def now() -> int:
    """This instant."""
    return time.time_ns() // 1000


def run(ledger: Ledger, name: str, *errors: int, release: str | None = "v1") -> Writer:
    """A whole run in prod that saw some errors."""
    one = Writer(ledger, name, "prod", TEXT, gates=(EXIT,), release=release)
    one.start()
    one.manifest()
    one.checks(errors=errors, t_us=now())
    one.seal()
    return one.decide()


def lift(ledger: Ledger, release: str = "v1", environment: str = "prod", rail: str = RAIL) -> None:
    """Somebody resets the guardrail."""
    one = Reset(rail, "A. Person", "repaired", 0, "", "tripped", release)
    reset(ledger, one, environment)


def state(one: Writer) -> str:
    """The guardrail's state in a run's decision."""
    return one.decisions[0].guardrails[0].verdict.value


def test_a_reset_counts_from_the_next_run_on_and_changes_no_earlier_decision(
    ledger: Ledger,
) -> None:
    begin(ledger)
    first = run(ledger, "r1", 9, 0)
    assert (state(first), first.decisions[0].answer.value) == ("fail", "ROLLBACK")
    assert state(run(ledger, "r2", 0, 0)) == "fail"  # it latches
    lift(ledger)
    assert state(run(ledger, "r3", 0, 0)) == "pass"
    assert to_json(first.judged()) == to_json(first.decisions[0])
    assert state(run(ledger, "r4", 9, 0)) == "fail"
    assert verify(ledger, ()).problems == ()


def test_a_trip_stands_while_the_release_cannot_be_read(ledger: Ledger) -> None:
    stated = statements_of(plan_of(TEXT).phases[0])
    frozen: dict[str, Any] = {
        "plan_digest": "p",
        "stated": stated,
        "entry": "e",
        "asked": "a",
    }
    body = PhaseBegun(type="begin", t_us=now(), by="A", release="v1", configuration=None, **frozen)
    PhaseLife(ledger, EXIT, "prod").record(body)
    good = run(ledger, "r0", 0, 0)
    nameless = run(ledger, "r1", 0, 0, release=None).decisions[0]
    assert (state(good), nameless.answer.value) == ("pass", "HOLD")
    run(ledger, "r2", 9, 0)
    tripped = run(ledger, "r3", 0, 0, release=None)
    assert (state(tripped), tripped.decisions[0].answer.value) == ("fail", "ROLLBACK")
    lift(ledger)
    lifted = run(ledger, "r4", 0, 0, release=None)
    assert (state(lifted), lifted.decisions[0].answer.value) == ("pass", "HOLD")
    assert to_json(tripped.judged()) == to_json(tripped.decisions[0])


@pytest.mark.parametrize("where", [{"release": "v0"}, {"environment": "stage"}])
def test_a_reset_is_of_one_release_in_one_environment(
    ledger: Ledger, where: dict[str, str]
) -> None:
    begin(ledger)
    run(ledger, "r1", 9, 0)
    lift(ledger, **where)
    assert state(run(ledger, "r2", 0, 0)) == "fail"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE records SET body = replace(body, 'v0', 'v1') WHERE kind = 'reset'",
        "UPDATE records SET subject = 'demo.canary.cap' WHERE kind = 'reset'",
        "UPDATE records SET at_us = at_us + 100000 WHERE kind = 'reset'",
        "DELETE FROM records WHERE kind = 'reset'",
    ],
)
def test_a_reset_that_was_touched_lifts_nothing(place: Place, statement: str) -> None:
    with opened(place) as ledger:
        begin(ledger)
        run(ledger, "r1", 9, 0)
        other = "demo.canary.other" if "subject" in statement else RAIL
        lift(ledger, "v0" if "v0" in statement else "v1", rail=other)
        run(ledger, "r2", 0, 0)
    tamper(place, statement)
    with opened(place) as ledger:
        found = run(ledger, "r3", 0, 0).decisions[0]
        assert found.answer.value != "GO"
        assert verify(ledger, ()).problems
