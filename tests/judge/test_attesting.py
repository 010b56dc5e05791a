"""People's answers: the newest of the release counts, as long as its shelf life."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_rollout.model.attestation import Attestation
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import ReleaseFact
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.verdict import Answer
from pytest_rollout.plan.load import parse
from tests.judge.worlds import AT, SECOND, decided, text, told, world_of

HEADER = """\
plan: p
timezone: America/New_York
roles: {pm: PM, engineering: Engineering}
environments:
  prod: {targets: {api: "http://api"}, max_age: 24h}
  lab: {targets: {api: "http://lab"}}
phases:
  - id: one
    owners: [engineering]
    criteria:
"""
V1 = (ReleaseFact("start", "v1"), ReleaseFact("end", "v1"))
HOUR = 3600


def plan_of(more: str = "kind: manual", stand_ins: str = "") -> Plan:
    text = f"{HEADER}      - {{id: c, {more}}}\n"
    beside = {"attestations.embedded.yaml": stand_ins} if stand_ins else {}
    found = parse(text, Path("p/rollout.yaml"), "rollout.yaml", beside)
    assert found.problems == (), [str(problem) for problem in found.problems]
    assert found.plan is not None
    return found.plan


def said(
    ago_s: float = HOUR, *, passed: bool = True, release: str | None = "v1", role: str = "pm"
) -> Attestation:
    """An answer about `c` some time before the run ended."""
    at_us = AT - round(ago_s * SECOND)
    return Attestation("p.one.c", "A. Person", role, "read it", passed, at_us, release)


def judged(
    plan: Plan,
    *attestations: Attestation,
    where: str = "prod",
    sealed: bool = True,
    drill: str | None = None,
) -> Decision:
    world = world_of(plan, items={"p.one.c": ()}, environment=where, releases=V1, sealed=sealed)
    world = replace(world, run=replace(world.run, drill=drill))
    return decided(plan, replace(world, attestations=attestations))


def verdict(decision: Decision) -> str:
    return decision.criteria[0].verdict.value


def test_an_answer_is_evidence_and_says_who_gave_it() -> None:
    decision = judged(plan_of(), said())
    assert (decision.answer, verdict(decision)) == (Answer.GO, "pass")
    assert text(decision.criteria[0]) == (
        "attested by A. Person (pm) at 2025-11-10 09:00:00 EST of v1: read it"
    )
    assert decision.criteria[0].parts[0].attempts == ()


def test_an_answer_names_its_file_by_its_digest() -> None:
    filed = replace(said(), file="minutes.pdf", digest="0123456789abcdef")
    because = text(judged(plan_of(), filed).criteria[0])
    assert because.endswith("of v1, with minutes.pdf (SHA-256 0123456789ab): read it")


def test_nobody_answered() -> None:
    decision = judged(plan_of())
    assert decision.answer is Answer.HOLD
    assert told(decision) == ["p.one.c: nobody has attested it"]


def test_an_answer_that_it_does_not_hold_is_a_failure() -> None:
    decision = judged(plan_of(), said(passed=False))
    assert (decision.answer, verdict(decision)) == (Answer.NO_GO, "fail")
    assert "attested as failing by A. Person" in told(decision)[0]


def test_the_newest_answer_counts_and_a_change_of_mind_is_a_condition() -> None:
    good, bad = said(2 * HOUR), said(HOUR, passed=False)
    assert verdict(judged(plan_of(), good, bad)) == "fail"
    decision = judged(plan_of(), replace(bad, at_us=good.at_us - 1), good)
    assert (decision.answer, verdict(decision)) == (Answer.GO, "warn")
    assert "before: attested as failing" in text(decision.conditions[0])
    attempts = decision.criteria[0].parts[0].attempts
    assert [(one.verdict.value, text(one)) for one in attempts] == [
        ("fail", "attested as failing by A. Person (pm) at 2025-11-10 07:59:59 EST of v1: read it"),
        ("pass", "attested by A. Person (pm) at 2025-11-10 08:00:00 EST of v1: read it"),
    ]


def test_another_release_was_attested() -> None:
    decision = judged(plan_of(), said(release="v0"))
    assert told(decision) == ["p.one.c: nobody has attested it of v1, but of v0"]
    assert verdict(judged(plan_of(), said(3, passed=False, release="v0"), said(9))) == "pass"
    assert verdict(judged(plan_of(), said(release=None))) == "missing"


@pytest.mark.parametrize(
    ("more", "where", "age", "found"),
    [
        ("kind: manual", "prod", 24 * HOUR, "pass"),
        ("kind: manual", "prod", 24 * HOUR + 0.000001, "missing"),
        ("kind: manual, valid_for: 7d", "prod", 7 * 24 * HOUR, "pass"),
        ("kind: manual, valid_for: 7d", "prod", 7 * 24 * HOUR + 1, "missing"),
        ("kind: manual, valid_for: 1h", "prod", 2 * HOUR, "missing"),
        ("kind: manual", "lab", 1000 * 24 * HOUR, "pass"),
        ("kind: manual, valid_for: 1h", "lab", 2 * HOUR, "missing"),
    ],
)
def test_an_answer_has_a_shelf_life(more: str, where: str, age: float, found: str) -> None:
    assert verdict(judged(plan_of(more), said(age), where=where)) == found


def test_a_failing_answer_that_is_too_old_is_none() -> None:
    decision = judged(plan_of(), said(25 * HOUR, passed=False))
    assert (decision.answer, verdict(decision)) == (Answer.HOLD, "missing")
    assert told(decision)[0].startswith("p.one.c: attested as failing by A. Person")
    assert "; longer ago than the 1d for which it counts" in told(decision)[0]


def test_only_the_roles_that_the_plan_names_may_say_yes() -> None:
    limited = plan_of("kind: manual, by: [pm]")
    assert verdict(judged(limited, said(role="engineering"))) == "missing"
    assert verdict(judged(limited, said(role="engineering", passed=False))) == "fail"
    assert verdict(judged(limited, said(role="pm"))) == "pass"


def test_other_kinds_are_attested_where_the_plan_says_so() -> None:
    documented = plan_of("kind: documentation, by: [pm]")
    assert verdict(judged(documented, said())) == "pass"
    assert verdict(judged(documented)) == "missing"


def test_a_bound_check_does_not_replace_the_answer() -> None:
    plan = plan_of()
    world = world_of(plan, environment="prod", releases=V1)
    assert decided(plan, world).answer is Answer.HOLD
    assert decided(plan, replace(world, attestations=(said(),))).answer is Answer.GO


def test_an_unsealed_run_counts_no_answer() -> None:
    decision = judged(plan_of(), said(), sealed=False)
    assert (decision.answer, verdict(decision)) == (Answer.HOLD, "missing")


STAND_IN = "attestations: [{phase: one, criterion: c, by: a script, role: pm, note: as if}]\n"


def test_a_stand_in_answers_in_a_rehearsal_and_nowhere_else() -> None:
    plan = plan_of(stand_ins=STAND_IN)
    rehearsed = judged(plan, where="embedded")
    assert (rehearsed.answer, rehearsed.stand_ins) == (
        Answer.GO,
        ("p.one.c: a script (pm): as if",),
    )
    assert "a stand-in for an attestation" in text(rehearsed.criteria[0])
    real = judged(plan)
    assert (real.answer, real.stand_ins) == (Answer.HOLD, ())


def test_a_rehearsal_asks_no_people() -> None:
    decision = judged(plan_of(), said(), where="embedded")
    assert decision.answer is Answer.HOLD
    assert "attestations.embedded.yaml has no stand-in" in told(decision)[0]


def test_a_stand_in_says_no_under_its_own_fault_and_no_other() -> None:
    plan = plan_of(stand_ins=STAND_IN.replace("note:", "faults: [not-held], note:"))
    assert plan.faults_of_people() == {"not-held"}
    answers = [judged(plan, where="embedded", drill=one) for one in (None, "other", "not-held")]
    assert [one.answer for one in answers] == [Answer.GO, Answer.GO, Answer.NO_GO]
    assert [len(one.stand_ins) for one in answers] == [1, 1, 0]
    assert told(answers[-1]) == ["p.one.c: under not-held its stand-in says no: a script (pm)"]


def test_a_stand_in_may_say_no() -> None:
    no = STAND_IN.replace("note:", "fail: true, note:")
    assert judged(plan_of(stand_ins=no), where="embedded").answer is Answer.NO_GO
