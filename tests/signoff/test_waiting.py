"""What time can bring of what stands against a change."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from pytest_rollout.model.evidence import Attempt
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.plan import Address, Gate
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.signoff.clearance import GateFacts, clearance
from pytest_rollout.signoff.moments import named
from pytest_rollout.signoff.waiting import hopeless
from tests.judge.worlds import decided, plan_of, world_of
from tests.signoff.test_situations import (
    DATED,
    HELD,
    MONDAY,
    RELEASES,
    SITUATIONS,
    answered,
    header,
)

MANUAL = """\
    criteria:
      - {id: ready, gate: entry, kind: operational}
      - {id: read, gate: entry, kind: manual, by: [engineering]}
"""
COMES = {
    "in a freeze of the calendar",
    *("in an event of a shared calendar", "outside of every change window"),
    *("the change window closes before the change is done", "somebody recorded a freeze"),
    *("a freeze begins before the change is done", "the last full run was killed"),
    *("clocks go back: a freeze holds from its first reading to its last", "a role has not signed"),
    *("clocks go forward: the hour that is skipped never opens", "an older state was signed"),
    *("clocks go forward: four hours do not fit between 0 and 4", "one person signs for both"),
    *("F5: a run that began earlier has not finished", "a key that was not valid"),
    "a deputy signs after the last day",
}


@pytest.mark.parametrize("name", HELD)
def test_what_is_waited_for(name: str) -> None:
    known = GateFacts("", None, None)
    stays = hopeless(answered(HELD[name]), known)
    assert (not stays) is (name in COMES), [one.reason.code for one in stays]


def test_a_window_that_is_to_come_is_waited_for_and_one_that_is_over_is_not() -> None:
    asked = replace(SITUATIONS[0], more=DATED, now="2025-11-10T11:29:00-05:00")
    known = GateFacts("", None, None)
    for for_us, final in ((0, []), (10 * 60_000_000, ["window"])):
        found = hopeless(answered(replace(asked, for_us=for_us)), known)
        assert [named(one) for one in found] == final


def test_a_run_whose_process_is_gone_is_not_waited_for() -> None:
    answer = answered(HELD["the last full run was killed"])
    assert hopeless(answer, GateFacts("", None, None, running=False))


@pytest.mark.parametrize(
    ("ready", "waits"), [(Verdict.PASS, True), (Verdict.MISSING, False), (Verdict.FAIL, False)]
)
def test_an_attestation_is_waited_for_where_nothing_else_is_missing(
    ready: Verdict, *, waits: bool
) -> None:
    plan = plan_of(MANUAL, header=header())
    first = replace(plan, phases=plan.phases[::-1])
    checks = {"t.py::test_ready": [Attempt(ready)]}
    world = world_of(first, checks=checks, environment="prod", releases=RELEASES)
    decision = decided(first, world, Gate.ENTRY)
    assert decision.answer is not Answer.GO
    facts: dict[str, Any] = {"run": "r1", "decision": decision, "again": decision}
    known = GateFacts(**facts, release="v1", environment="prod")
    now = datetime.fromisoformat(MONDAY)
    answer = clearance(plan, Address("p", "one", Gate.ENTRY), known, now)
    assert (hopeless(answer, known) == ()) is waits
    frozen = Reason("clear.held", {"at": MONDAY, "says": "x"})
    both = replace(known, frozen=frozen)
    more = clearance(plan, Address("p", "one", Gate.ENTRY), both, now)
    assert (hopeless(more, both) == ()) is waits
