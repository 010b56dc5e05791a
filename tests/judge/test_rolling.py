"""Findings of other gates count where a criterion names them, and only while they stand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_rollout.judge.case import criteria_digest
from pytest_rollout.model.attestation import Attestation
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import Hole, ReleaseFact, Rolled
from pytest_rollout.model.finding import Reason, said
from pytest_rollout.model.plan import Gate, Plan, RollsUp
from pytest_rollout.model.verdict import Answer, Verdict
from tests.judge.worlds import AT, SECOND, decided, plan_of, text, told, world_of

V1 = (ReleaseFact("start", "v1"), ReleaseFact("end", "v1"))
HEADER = """\
plan: p
timezone: America/New_York
environments:
  prod: {targets: {api: "http://api"}, max_age: 24h}
phases:
  - id: one
    criteria: [{id: a, kind: demo}, {id: b, kind: demo}]
  - id: two
    owners: [engineering]
    criteria:
"""
A = RollsUp("one", Gate.EXIT, "a")
B = RollsUp("one", Gate.EXIT, "b")
WHOLE = RollsUp("one", Gate.EXIT)


def plan(names: str = "[one.a, one.b]", **more: str) -> Plan:
    rest = "".join(f", {key}: {value}" for key, value in more.items())
    stated = f"      - {{id: c, kind: demo, rolls_up: {names}{rest}}}\n"
    return plan_of(f"{stated}      - {{id: ok, kind: demo}}\n", header=HEADER)


def rolled(of: RollsUp, verdict: Verdict | Hole = Verdict.PASS, **more: Any) -> Rolled:
    asked = criteria_digest(plan().phases[0], Gate.EXIT)
    given = {"run": "r0", "decided_us": AT - 3600 * SECOND, "release": "v1", "asked": asked}
    return Rolled(of, verdict, said("as it was"), **{**given, **more})


def judged(stated: Plan, *found: Rolled, **run: Any) -> Decision:
    world = world_of(stated, items={"p.two.c": ()}, environment="prod", releases=V1, **run)
    world = replace(world, rolled=found)
    return decided(replace(stated, phases=stated.phases[::-1]), world)


def verdict(decision: Decision) -> Verdict:
    return decision.criteria[0].verdict


def test_both_hold_and_it_says_where_they_were_found() -> None:
    decision = judged(plan(), rolled(A), rolled(B))
    assert decision.answer is Answer.GO
    found = "pass in p.one/exit of run r0, ended 2025-11-10 09:00:00 EST: as it was"
    assert text(decision.criteria[0]) == f"one.a and one.b: {found}"


@pytest.mark.parametrize("other", [one for one in Verdict if one is not Verdict.NOT_APPLICABLE])
def test_the_worst_decides(other: Verdict) -> None:
    assert verdict(judged(plan(), rolled(A), rolled(B, other))) is other


def test_what_does_not_apply_is_left_out_and_alone_applies_nowhere() -> None:
    none = Verdict.NOT_APPLICABLE
    assert verdict(judged(plan(), rolled(A), rolled(B, none))) is Verdict.PASS
    assert verdict(judged(plan(), rolled(A, none), rolled(B, none))) is none


GONE = {
    "was not read": (),
    "is a hole": (rolled(B, Hole("its run never finished")),),
    "is of another release": (rolled(B, release="v2"),),
    "was decided by other criteria": (rolled(B, asked="else"),),
    "rests on a waiver that ended": (rolled(B, Verdict.WAIVED, until="2025-11-09"),),
    "is too old": (rolled(B, decided_us=AT - 7201 * SECOND),),
}
TOLD = {
    "was never decided": "one.b: no decision of p.one/exit was read",
    "cannot be read": "one.b: damaged",
    "is too old": "but longer ago than 2h",
}


@pytest.mark.parametrize("why", GONE)
def test_a_finding_that_does_not_stand_is_missing(why: str) -> None:
    decision = judged(plan(valid_for="2h"), rolled(A), *GONE[why])
    assert (decision.answer, verdict(decision)) == (Answer.HOLD, Verdict.MISSING)
    assert TOLD.get(why, "") in told(decision)[0]


def test_a_finding_counts_to_the_end_of_its_shelf_life_and_a_waiver_not_beyond_its_day() -> None:
    last = rolled(B, decided_us=AT - 7200 * SECOND)
    assert judged(plan(valid_for="2h"), rolled(A), last).answer is Answer.GO
    midnight = AT - 10 * 3600 * SECOND  # it is ten in the morning
    ended = rolled(B, Verdict.WAIVED, until="2025-11-09")
    assert verdict(judged(plan(), rolled(A), ended, ended_us=midnight - 1)) is Verdict.WAIVED
    assert verdict(judged(plan(), rolled(A), ended, ended_us=midnight)) is Verdict.MISSING


def test_of_a_whole_gate_it_says_that_it_was_decided() -> None:
    because = text(judged(plan("one/exit"), rolled(WHOLE)).criteria[0])
    assert because.startswith("one/exit: decided of run r0, ended 2025-11-10 09:00:00 EST")


def test_without_a_shelf_life_it_stands_as_long_as_its_release() -> None:
    old = rolled(WHOLE, decided_us=AT - 40 * 86_400 * SECOND)
    assert judged(plan("one/exit"), old).answer is Answer.GO


def test_a_waiver_that_still_stands_makes_a_condition_here_too() -> None:
    decision = judged(plan(), rolled(A), rolled(B, Verdict.WAIVED, until="2025-11-10"))
    assert decision.answer is Answer.GO
    assert [one.id for one in decision.conditions] == ["p.two.c"]


def test_a_bound_check_counts_as_well() -> None:
    stated = plan()
    world = world_of(stated, checks={"t.py::test_c": ()}, environment="prod", releases=V1)
    world = replace(world, rolled=(rolled(A), rolled(B)))
    decision = decided(replace(stated, phases=stated.phases[::-1]), world)
    assert verdict(decision) is Verdict.MISSING


def test_a_rule_beside_it_needs_a_check_of_its_own() -> None:
    more = {"metric": "m", "take": "max", "pass": '"< 1"'}
    assert verdict(judged(plan(**more), rolled(A), rolled(B))) is Verdict.MISSING


def test_an_unsealed_run_reads_nothing() -> None:
    decision = judged(plan(), rolled(A), rolled(B), sealed=False)
    assert verdict(decision) is Verdict.MISSING


WORSE = [*sorted(Verdict, key=lambda one: -one.rank)[1:], Hole("lost"), None]


@settings(deadline=None)
@given(st.lists(st.integers(0, len(WORSE) - 1), min_size=2, max_size=2), st.data())
def test_losing_or_worsening_findings_never_makes_a_go(
    found: list[int], data: st.DataObject
) -> None:
    def answer(ranks: list[int]) -> Answer:
        held = zip((A, B), (WORSE[rank] for rank in ranks), strict=True)
        return judged(plan(), *(rolled(of, one) for of, one in held if one is not None)).answer

    later = [data.draw(st.integers(rank, len(WORSE) - 1)) for rank in found]
    assert answer(later) is not Answer.GO or answer(found) is Answer.GO


DUE = HEADER.replace("{id: a, kind: demo}", "{id: a, kind: demo, severity: soft, due: p.two/exit}")


@pytest.mark.parametrize(
    ("read", "says"),
    [
        ([rolled(A)], ""),
        ([rolled(A, Verdict.WAIVED)], ""),
        (
            [rolled(A, Verdict.FAIL)],
            "p.one.a is due by now and still open in the last decision of p.one/exit (once it "
            "is met, run its checks, and only those, or give the answer that people owe): as it "
            "was",
        ),
        ([rolled(A, Verdict.MISSING, release="v0")], "p.one.a is due by now and still open in"),
        (
            [rolled(A, Hole(Reason("gate.unfinished", {"gate": "p.one/exit", "run": "r0"})))],
            "p.one.a is due by now, and it is not known whether it is met: run r0, the last",
        ),
        ([], "p.one.a is due by now, and it is not known whether it is met: no decision of p.one/"),
        ([rolled(A, Hole(Reason("gate.never-asked", {"gate": "p.one/exit"})))], ""),
    ],
)
def test_a_condition_that_is_due_at_a_gate_holds_it_while_it_is_open(
    read: list[Rolled], says: str
) -> None:
    stated = plan_of("      - {id: ok, kind: demo}\n", header=DUE)
    asked = criteria_digest(stated.phases[0], Gate.EXIT)
    decision = judged(stated, *(replace(one, asked=asked) for one in read))
    assert decision.answer is (Answer.HOLD if says else Answer.GO)
    found = [text(one) for one in decision.demands if one.id == "gate.due"]
    assert [one.startswith(says) for one in found] == [True] * bool(says), found
    entry = decided(replace(stated, phases=stated.phases[::-1]), world_of(stated), Gate.ENTRY)
    assert not [one for one in entry.demands if one.id == "gate.due"], "it is due at the exit"


def test_what_people_answered_since_meets_a_condition_that_is_due() -> None:
    header = DUE.replace("kind: demo, severity", "kind: manual, by: [pm], severity", 1)
    stated = plan_of("      - {id: ok, kind: demo}\n", header=header)
    asked = criteria_digest(stated.phases[0], Gate.EXIT)
    stated = replace(stated, phases=stated.phases[::-1])
    world = world_of(stated, environment="prod", releases=V1)
    world = replace(world, rolled=(rolled(A, Verdict.MISSING, asked=asked),))
    answer = Attestation("p.one.a", "Eve", "pm", "seen", True, AT - SECOND, "v1")
    assert decided(stated, world).answer is Answer.HOLD
    assert decided(stated, replace(world, attestations=(answer,))).answer is Answer.GO
    for other in (replace(answer, passed=False), replace(answer, release="v0")):
        assert decided(stated, replace(world, attestations=(other,))).answer is Answer.HOLD
