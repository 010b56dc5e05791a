"""Answers of people who have keys, and of several roles that must each answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout.judge.case import criteria_digest
from pytest_rollout.model.attestation import Attestation, Proof
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import World
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.people import Authors
from pytest_rollout.model.plan import Gate, Plan
from pytest_rollout.plan.load import Loaded, parse
from tests.judge.test_attesting import HEADER as BARE
from tests.judge.test_attesting import HOUR, V1, said, verdict
from tests.judge.worlds import decided, text, world_of

AUTHOR = "author: {variable: CHANGE_AUTHOR}\n"
HEADER = BARE.replace("phases:", f"{AUTHOR}phases:")
ROLES = """\
people:
  - {id: ada@x.org, name: A. Person, roles: [pm]}
  - {id: bob@x.org, roles: [pm, engineering]}
  - {id: eve@x.org, roles: [engineering]}
"""
KEYS = "ada@x.org ssh-ed25519 AAAA\n"
UNSIGNED = Reason("attested.unsigned")
EACH = "kind: manual, by: {each: [pm, engineering]}"


def loaded(more: str = "kind: manual", roles: str = "", keys: str = "") -> Loaded:
    beside = {"roles.yaml": roles, "allowed_signers": keys} if roles else {}
    stated = f"{HEADER}      - {{id: c, {more}}}\n"
    return parse(stated, Path("p/rollout.yaml"), "rollout.yaml", beside)


def plan_of(more: str = "kind: manual", roles: str = ROLES, keys: str = KEYS) -> Plan:
    found = loaded(more, roles, keys)
    assert found.problems == (), [str(problem) for problem in found.problems]
    assert found.plan is not None
    return found.plan


def judged(plan: Plan, *answers: Attestation, authors: Authors | None = None) -> Decision:
    world: World = world_of(plan, items={"p.one.c": ()}, environment="prod", releases=V1)
    run = replace(world.run, authors=authors)
    return decided(plan, replace(world, run=run, attestations=answers))


def good(ago_s: float = HOUR, *, by: str = "ada@x.org", **more: Any) -> Attestation:
    """An answer whose signature was looked at and is its person's."""
    return replace(said(ago_s, **more), by=by, verified=True)


def bad(ago_s: float = HOUR, **more: Any) -> Attestation:
    """The same, but nobody signed it."""
    return replace(good(ago_s, **more), doubt=UNSIGNED)


def test_a_signed_answer_counts() -> None:
    assert verdict(judged(plan_of(), good())) == "pass"


def test_what_nobody_signed_does_not_count_and_says_who_can() -> None:
    decision = judged(plan_of(), bad(by="ada@x.org"))
    assert decision.answer.value == "HOLD"
    assert text(decision.criteria[0]) == (
        "attested by ada@x.org (pm) at 2025-11-10 09:00:00 EST of v1: read it; it does not count: "
        "it is not signed, and roles.yaml has keys; can be answered by ada@x.org, bob@x.org, "
        "eve@x.org"
    )


def test_only_holders_of_the_roles_that_may_are_named() -> None:
    decision = judged(plan_of("kind: manual, by: [engineering]"), bad(role="engineering"))
    assert text(decision.criteria[0]).endswith("; can be answered by bob@x.org, eve@x.org")


def test_an_answer_whose_signature_nobody_looked_at_counts_for_nothing() -> None:
    forgotten = replace(good(), verified=False)
    assert verdict(judged(plan_of(), forgotten)) == "missing"
    proven = replace(forgotten, proof=Proof("prod", "2025-11-10T14:00:00+00:00", "armour"))
    assert verdict(judged(plan_of(roles=""), proven)) == "missing", "a proof is never ignored"
    assert verdict(judged(plan_of(roles=""), forgotten)) == "pass", "without people, as ever"
    assert verdict(judged(plan_of(keys="# nobody yet\n"), forgotten)) == "pass", "and without keys"


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ((good(9), bad(3)), "pass"),
        ((good(9), bad(3, passed=False)), "missing"),
        ((good(9, passed=False), bad(3)), "fail"),
        ((good(9, passed=False), bad(3, passed=False)), "fail"),
        ((bad(9, passed=False), good(3)), "warn"),
        ((bad(9, passed=False),), "missing"),
        ((bad(9, passed=False), bad(3)), "missing"),
        ((good(9), bad(6, passed=False), bad(3)), "missing"),
        ((good(9), bad(6, passed=False), good(3)), "warn"),
    ],
)
def test_a_no_that_is_not_believed_is_never_ignored(
    answers: tuple[Attestation, ...], found: str
) -> None:
    assert verdict(judged(plan_of(), *answers)) == found


def test_losing_belief_in_any_answer_never_makes_a_go() -> None:
    """In every history of up to four answers: what was no GO is none when one is doubted."""
    kinds = [(passed, doubted) for passed in (True, False) for doubted in (True, False)]

    def answer(at: int, passed: bool, doubted: bool) -> Attestation:
        return (bad if doubted else good)(100 - at, passed=passed)

    histories: list[tuple[tuple[bool, bool], ...]] = [()]
    for _ in range(4):
        histories += [(*one, kind) for one in histories for kind in kinds if len(one) < 4]
    go = {}
    plan = plan_of()
    for history in dict.fromkeys(histories):
        answers = [answer(at, *kind) for at, kind in enumerate(history)]
        go[history] = judged(plan, *answers).answer.value == "GO"
    for history, cleared in go.items():
        for at, (passed, doubted) in enumerate(history):
            if not doubted and not cleared:
                doubtful = (*history[:at], (passed, True), *history[at + 1 :])
                assert not go[doubtful], (history, at)


def test_attempts_say_which_answer_does_not_count() -> None:
    (part,) = judged(plan_of(), good(9), bad(3)).criteria[0].parts
    assert [one.verdict.value for one in part.attempts] == ["pass", "missing"]
    assert text(part.attempts[1]).endswith(
        "it does not count: it is not signed, and roles.yaml has keys"
    )


def test_each_role_answers_by_a_person_of_its_own() -> None:
    plan = plan_of(EACH)
    pm, engineer = good(9, by="bob@x.org"), good(6, by="eve@x.org", role="engineering")
    assert verdict(judged(plan, pm)) == "missing"
    assert text(judged(plan, pm).criteria[0]) == "engineering: nobody has attested it"
    decision = judged(plan, pm, engineer)
    assert verdict(decision) == "pass"
    assert text(decision.criteria[0]).startswith("pm: attested by bob@x.org (pm) at ")
    assert "; engineering: attested by eve@x.org (engineering) at " in text(decision.criteria[0])


def test_one_name_never_answers_for_two_roles() -> None:
    plan = plan_of(EACH)
    both = good(9, by="bob@x.org"), good(6, by="bob@x.org", role="engineering")
    decision = judged(plan, *both)
    assert verdict(decision) == "missing"
    assert text(decision.criteria[0]) == (
        "engineering: bob@x.org counts for another role, and each role needs a person of its own; "
        "can be answered by bob@x.org, eve@x.org"
    )
    assert verdict(judged(plan, *both, good(3))) == "pass", "then ada is the product manager"
    eve = good(3, by="eve@x.org", role="engineering")
    assert verdict(judged(plan, *both, eve)) == "pass", "then bob is"


@pytest.mark.parametrize("other", ["A. Person", "a.  person", "ADA@x.org "])
def test_a_name_is_the_same_however_it_is_written(other: str) -> None:
    plan = plan_of(EACH, keys="# nobody yet\n")
    typed = replace(good(9), by="ada@x.org"), replace(good(6, role="engineering"), by=other)
    assert verdict(judged(plan, *typed)) == "missing"
    same = replace(typed[0], by="x  Y"), replace(typed[1], by="X y")
    assert verdict(judged(plan_of(EACH, roles=""), *same)) == "missing", "without a roster, too"


def test_a_no_in_any_role_fails_and_an_older_yes_of_the_other_does_not_help() -> None:
    plan = plan_of(EACH)
    pm, no = good(9), good(3, by="eve@x.org", role="engineering", passed=False)
    assert verdict(judged(plan, pm, no)) == "fail"
    assert verdict(judged(plan, no, pm)) == "fail", "a pm does not answer for an engineer"
    elsewhere = replace(no, role="nobody")
    yes = good(6, by="eve@x.org", role="engineering")
    assert verdict(judged(plan, pm, yes, elsewhere)) == "fail"


def test_one_of_several_roles_is_enough_where_the_plan_asks_for_no_more() -> None:
    plan = plan_of("kind: manual, by: [pm, engineering]")
    assert verdict(judged(plan, good())) == "pass"


def test_what_the_plan_did_not_say_before_changes_no_fingerprint() -> None:
    one, each = plan_of("kind: manual, by: [pm, engineering]"), plan_of(EACH)
    digests = {criteria_digest(plan.phases[0], Gate.EXIT) for plan in (one, each)}
    assert len(digests) == 2
    assert replace(each.phases[0].criteria[0], by_each=False) == one.phases[0].criteria[0]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("by: {each: [pm]}", "`each` is a list of two or more different roles"),
        ("by: {each: [pm, pm]}", "`each` is a list of two or more different roles"),
        ("by: {each: [pm, enginering]}", "unknown role `enginering` (did you mean `engineering`?)"),
        ("by: {all: [pm]}", "by: unknown key `all`"),
        ("by: {}", "by names no roles"),
    ],
)
def test_wrong_roles_are_told(more: str, why: str) -> None:
    problems = " ".join(map(str, loaded(f"kind: manual, {more}").problems))
    assert why in problems


OTHERS = "kind: manual, by_others: true"


def apart(*answers: Attestation, authors: Authors | None) -> Decision:
    return judged(plan_of(OTHERS), *answers, authors=authors)


def test_an_author_of_the_change_does_not_answer_for_it() -> None:
    made_by_ada = Authors(("A. Person <ada@home.example>",))
    decision = apart(good(), authors=made_by_ada)
    assert verdict(decision) == "missing"
    assert text(decision.criteria[0]).endswith(
        "it does not count: it is an author of the change who says so; can be answered by "
        "bob@x.org, eve@x.org"
    )
    assert verdict(apart(good(9, by="bob@x.org"), good(6), authors=made_by_ada)) == "pass"
    assert verdict(apart(good(passed=False), authors=made_by_ada)) == "fail", "a no counts"
    assert verdict(apart(good(), authors=Authors(("mallory",)))) == "pass"
    assert verdict(judged(plan_of(), good(), authors=made_by_ada)) == "pass", "where nobody asks"


@pytest.mark.parametrize("authors", [None, Authors(error="it is not set"), Authors()])
def test_where_nobody_knows_the_author_no_answer_counts(authors: Authors | None) -> None:
    decision = apart(good(), authors=authors)
    assert verdict(decision) == "missing"
    assert "who made the change is not known" in text(decision.criteria[0])


def test_who_may_not_answer_because_of_the_author_needs_the_author() -> None:
    stated = HEADER.replace(AUTHOR, "")
    found = parse(f"{stated}      - {{id: c, {OTHERS}}}\n", Path("p/rollout.yaml"), "rollout.yaml")
    (problem,) = found.problems
    assert "criterion c: `by_others` needs to know who made the change" in str(problem)
