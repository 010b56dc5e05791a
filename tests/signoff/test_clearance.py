"""When a change may start: a GO that still holds, at a moment that is open for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import Attempt, ReleaseFact
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.plan import Address, Gate, Plan
from pytest_rollout.model.provenance import Bound
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.signoff.clearance import Clearance, GateFacts, clearance
from tests.judge.worlds import decided, plan_of, world_of
from tests.words import because

# The world is decided on Monday 2025-11-10 at ten in New York.
HEADER = """\
plan: p
timezone: America/New_York
release: {target: api, path: /version, json: version}
environments:
  embedded: {targets: {api: {serve: "a:b"}}}
  prod: {targets: {api: "http://api"}, max_age: 24h}
windows:
  change: [{days: mon-thu, hours: "09:00-16:00"}, {days: sat-sun, risk: low}]
  freeze: [{days: mon-fri, hours: "10:30-10:45", why: daily stand-up}]
phases:
  - {id: zero, date: 2025-11-07, criteria: [{id: c, kind: operational}]}
  - id: one
    owners: [engineering]
"""
CRITERIA = """\
    criteria:
      - {id: ready, gate: entry, kind: operational}
      - {id: done, kind: operational}
"""
RELEASES = (ReleaseFact("start", "v1"), ReleaseFact("end", "v1"))


def plan(more: str = "", header: str = HEADER) -> Plan:
    found = plan_of(more + CRITERIA, header=header)
    return replace(found, phases=found.phases[::-1])  # `one` first, as the worlds expect


def decision_of(
    judged: Plan, gate: Gate = Gate.ENTRY, verdict: Verdict = Verdict.PASS, where: str = "prod"
) -> Decision:
    checks = {"t.py::test_ready": [Attempt(verdict)], "t.py::test_done": [Attempt(verdict)]}
    world = world_of(judged, checks=checks, environment=where, releases=RELEASES)
    return decided(judged, world, gate)


def asked(
    at: str = "2025-11-10T11:00:00-05:00",
    more: str = "",
    *,
    gate: Gate = Gate.ENTRY,
    verdict: Verdict = Verdict.PASS,
    where: str = "prod",
    today: Plan | None = None,
    max_age: timedelta | None = None,
    **known: Any,
) -> Clearance:
    """The clearance of a gate at a moment, where nothing but what is given stands against it."""
    judged = plan(more)
    decision = decision_of(judged, gate, verdict, where)
    facts = {"run": "r1", "decision": decision, "again": decision, "release": "v1", **known}
    limit = max_age // timedelta(microseconds=1) if max_age else None
    address = Address("p", "one", gate)
    return clearance(
        today or judged, address, GateFacts(**facts), datetime.fromisoformat(at), limit
    )


def reason(answer: Clearance) -> str:
    """The one reason against a change."""
    (found,) = [because(one) for one in answer.findings if one.verdict.holds_back]
    return found


def test_a_go_that_still_holds_is_clear() -> None:
    answer = asked()
    assert answer.answer is Answer.GO
    assert not [one for one in answer.findings if one.verdict.holds_back]


@pytest.mark.parametrize(("verdict", "answer"), [("fail", "NO-GO"), ("missing", "HOLD")])
def test_another_decision_is_its_own_answer(verdict: str, answer: str) -> None:
    found = asked(verdict=Verdict(verdict))
    assert found.answer.value == answer
    assert reason(found).startswith(f"{answer}: p.one.ready")


def test_a_decision_in_doubt_is_not_looked_at() -> None:
    found = asked(doubt=Reason("run.unfinished", {"run": "r2"}))
    assert (found.answer, reason(found)) == (Answer.HOLD, "run r2 never finished")


def test_a_run_that_was_killed_can_be_run_again_or_settled() -> None:
    found = asked(doubt=Reason("run.unfinished", {"run": "r2", "settle": True}))
    assert reason(found) == "run r2 never finished: run it again, or settle it (rollout settle r2)"


def test_a_run_without_a_decision() -> None:
    assert reason(asked(decision=None)) == "run r1 stored no decision"


def test_a_decision_that_the_evidence_does_not_give() -> None:
    worse = decision_of(plan(), verdict=Verdict.FAIL)
    found = asked(again=worse)
    assert found.answer is Answer.HOLD
    assert "recomputed it is not the same (now NO-GO)" in reason(found)
    assert "not in the ledger" in reason(asked(again=None))


def test_what_is_asked_was_changed() -> None:
    changed = plan_of(CRITERIA.replace("ready", "up"), header=HEADER)
    assert "were changed since" in reason(asked(today=changed))
    gone = replace(plan(), phases=plan().phases[1:])
    assert "no phase one any more" in reason(asked(today=gone))


def test_how_old_a_decision_may_be() -> None:
    tomorrow = "2025-11-11T10:01:00-05:00"
    assert "longer ago than 1d" in reason(asked(tomorrow))
    assert asked("2025-11-11T09:59:00-05:00").answer is Answer.GO
    assert "longer ago than 30m" in reason(asked(max_age=timedelta(minutes=30)))
    assert asked(max_age=timedelta(hours=2)).answer is Answer.GO
    assert "still to come" in reason(asked("2025-11-10T09:59:00-05:00"))


def test_another_release_runs_now() -> None:
    assert reason(asked(release="v2")) == "v1 was judged, v2 runs now"
    assert "refused" in reason(asked(release=None, release_error="refused"))


def test_phases_that_must_be_done_before() -> None:
    requires = "    requires: [zero]\n"
    assert reason(asked(more=requires)) == "zero/exit is undecided"
    assert reason(asked(more=requires, required={"zero": "HOLD"})) == "zero/exit is HOLD"
    assert asked(more=requires, required={"zero": "GO"}).answer is Answer.GO
    older: dict[str, Any] = {"required": {"zero": "GO"}, "required_release": {"zero": "v0"}}
    assert reason(asked(more=requires, **older)) == (
        "p.zero/exit is GO for v0, and v1 runs now (any_release, if that is meant)"
    )
    assert asked(more=f"{requires}    any_release: [zero]\n", **older).answer is Answer.GO
    assert asked(more=requires, gate=Gate.EXIT).answer is Answer.GO


def test_the_phases_own_window() -> None:
    dated = '    date: 2025-11-10\n    hours: "09:00-11:00"\n'
    assert "is outside of Mon 2025-11-10 09:00-11:00 EST" in reason(asked(more=dated))
    assert asked("2025-11-10T10:59:59-05:00", dated).answer is Answer.GO


def test_a_freeze_is_named() -> None:
    assert "in a freeze: daily stand-up" in reason(asked("2025-11-10T10:40:00-05:00"))


@pytest.mark.parametrize(
    ("risk", "at", "clear"),
    [
        ("medium", "2025-11-10T15:59:00-05:00", True),
        ("medium", "2025-11-10T16:00:00-05:00", False),
        ("low", "2025-11-15T03:00:00-05:00", True),
        ("medium", "2025-11-15T03:00:00-05:00", False),
        ("", "2025-11-15T03:00:00-05:00", False),
    ],
)
def test_change_windows_admit_by_risk(risk: str, at: str, *, clear: bool) -> None:
    header = HEADER.replace("max_age: 24h", "max_age: 30d")
    judged = plan(f"    risk: {risk}\n" if risk else "", header)
    decision = decision_of(judged)
    known = GateFacts("r1", decision, decision, release="v1")
    moment = datetime.fromisoformat(at)
    answer = clearance(judged, Address("p", "one", Gate.ENTRY), known, moment)
    assert (answer.answer is Answer.GO) is clear
    if not clear:
        assert "no change window admits" in reason(answer)


def test_signatures_that_are_missing() -> None:
    signed = "    signoff: [ops]\n"
    assert reason(asked(more=signed)).startswith("nobody has signed as ops; roles.yaml names")


def test_a_rehearsal_asks_for_no_release_window_or_signature() -> None:
    more = "    requires: [zero]\n    signoff: [ops]\n    date: 2025-11-11\n"
    answer = asked("2025-11-16T03:00:00-05:00", more, where="embedded", release=None)
    assert answer.answer is Answer.GO


def test_a_go_is_refused_after_the_instant_until_which_it_counts() -> None:
    at_three = "2025-11-10T15:00:00-05:00"
    ended = Bound("2025-11-10T14:59:59-05:00", Reason("ends.rolled", {"criterion": "p.one.c"}))
    later = Bound("2025-11-10T15:00:00-05:00", Reason("ends.age", {}))
    decision = decision_of(plan())
    counting = replace(decision, valid_until=later.until, ends=(later,))
    over = replace(decision, valid_until=ended.until, ends=(ended, later))
    assert asked(at_three, decision=counting).answer is Answer.GO
    found = asked(at_three, decision=over)
    assert found.answer is Answer.HOLD
    assert reason(found).startswith("the GO counted until 2025-11-10 19:59:59 UTC: what p.one.c")


def test_a_settled_run_is_said_and_stands_against_nothing() -> None:
    told = Reason("settled", {"run": "r2", "by": "A. Person", "why": "another push"})
    found = asked(settled=(told,))
    assert found.answer is Answer.GO
    (line,) = [because(one) for one in found.findings if one.id == "clearance.settled"]
    assert "r2" in line
    assert "A. Person: another push" in line


def test_where_the_ledger_begins_with_the_run_it_may_be_another_one() -> None:
    told = reason(asked(more="    requires: [zero]\n", begins="r1"))
    assert told.startswith("zero/exit is undecided, and the ledger begins with run r1 itself")
    assert reason(asked(more="    requires: [zero]\n")) == "zero/exit is undecided"
    red = reason(asked(more="    requires: [zero]\n", begins="r1", required={"zero": "HOLD"}))
    assert red == "zero/exit is HOLD"
