"""Which signatures count for a decision: roles, people, deputies, objections, times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from pytest_rollout import calendar
from pytest_rollout.model.finding import Finding, Reason
from pytest_rollout.model.people import Authors, Deputy, Person, Roster, Signature, Stance
from pytest_rollout.model.plan import FactSource, Gate
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.report import sentences
from pytest_rollout.signoff.signatures import Signed, SignoffDemand, signatures, why_not_counted
from tests.signoff.test_clearance import decision_of, plan
from tests.words import because

PEOPLE = (
    Person("ada", "Ada", ("engineering",)),
    Person("bob", "Bob", ("engineering", "operations")),
    Person("eve", "Eve", ("operations",)),
    Person("pam", "Pam", ()),
)
DEPUTIES = (Deputy("engineering", "pam", date(2025, 11, 10), date(2025, 11, 12)),)
PLAN = replace(plan("    signoff: [engineering, operations]\n"), roster=Roster(PEOPLE, DEPUTIES))
DECISION = decision_of(PLAN, Gate.ENTRY)
MADE = datetime(2025, 11, 10, 15, 30, tzinfo=UTC)


def signed(
    person: str,
    role: str,
    stance: Stance = Stance.FOR,
    *,
    after_s: int = 0,
    recorded_s: int = 1,
    trouble: str = "",
    **changes: Any,
) -> Signed:
    made = MADE + timedelta(seconds=after_s)
    signature = Signature(
        gate=str(DECISION.address),
        environment="prod",
        release=DECISION.release,
        decision=DECISION.answer.value,
        substance=DECISION.substance_digest,
        role=role,
        person=person,
        stance=stance,
        at=made.isoformat(),
        why="the queue is long" if stance is Stance.AGAINST else "",
    )
    recorded = calendar.to_us(made) + recorded_s * 1_000_000
    return Signed(replace(signature, **changes), recorded, trouble)


ADA, EVE = signed("ada", "engineering"), signed("eve", "operations")


def findings(given: Sequence[Signed]) -> list[Finding]:
    phase = PLAN.phase("one")
    assert phase is not None
    asked = SignoffDemand(PLAN, phase, DECISION, MADE + timedelta(hours=1))
    return list(signatures(asked, given))


def lacking(given: Sequence[Signed]) -> str:
    held = [one for one in findings(given) if one.verdict is not Verdict.PASS]
    return "; ".join(because(one, "America/New_York") for one in held)


def test_a_person_for_each_role_is_enough() -> None:
    told = [because(one, "America/New_York") for one in findings([ADA, EVE])]
    assert told == [
        "ada signed as engineering at 2025-11-10 10:30:00 EST",
        "eve signed as operations at 2025-11-10 10:30:00 EST",
    ]
    assert lacking([EVE, ADA]) == "", "in whichever order"


def test_nobody_is_told_who_can_sign() -> None:
    assert lacking([]) == (
        "nobody has signed as engineering; can be given by ada, bob, pam; "
        "nobody has signed as operations; can be given by bob, eve"
    )


def test_one_person_is_not_two_roles() -> None:
    both = [signed("bob", "engineering"), signed("bob", "operations")]
    assert "bob signed, but counts for another role" in lacking(both)
    assert lacking([*both, EVE]) == "", "then bob is the engineer"
    assert lacking([*both, ADA]) == "", "then bob is the operator"


REFUSED = [
    (signed("ada", "engineering", after_s=9, substance="older"), "sign again"),
    (signed("eve", "engineering", after_s=9), "did not hold the role engineering on 2025-11-10"),
    (signed("ada", "engineering", after_s=9, recorded_s=301), "recorded at 2025-11-10 10:35:10"),
    (signed("ada", "engineering", after_s=9, recorded_s=-301), "recorded at 2025-11-10 10:25:08"),
    (signed("ada", "engineering", Stance.WITHDRAWN, after_s=9), "withdrew the signature"),
    (signed("pam", "engineering", after_s=86_400 * 3), "did not hold the role engineering on"),
]


@pytest.mark.parametrize(("given", "why"), REFUSED)
def test_what_does_not_count_says_why(given: Signed, why: str) -> None:
    assert why in lacking([given, EVE])


def test_a_deputy_signs_from_the_first_day_to_the_last() -> None:
    assert lacking([signed("pam", "engineering"), EVE]) == ""
    last = signed("pam", "engineering", after_s=86_400 * 2)
    assert lacking([last, EVE]) == ""


def test_an_objection_blocks_until_its_person_signs_for_it() -> None:
    against = signed("bob", "operations", Stance.AGAINST, after_s=5)
    assert lacking([ADA, EVE, against]) == (
        "bob signed against it as operations at 2025-11-10 10:30:05 EST: the queue is long"
    )
    assert lacking([ADA, EVE, against, signed("bob", "operations", after_s=9)]) == ""
    older = replace(against, signature=replace(against.signature, substance="an older state"))
    assert "signed against it" in lacking([ADA, EVE, older]), "whatever was seen since"


def test_an_objection_of_another_release_does_not_block() -> None:
    assert lacking([ADA, EVE, signed("bob", "operations", Stance.AGAINST, release="v0")]) == ""


def test_an_objection_of_somebody_who_has_left_the_role_is_not_ignored() -> None:
    objecting = signed("ada", "operations", Stance.AGAINST, after_s=5)
    told = lacking([ADA, EVE, objecting])
    assert "roles.yaml does not give them this role any more, but an objection is not" in told
    assert lacking([ADA, objecting, signed("eve", "operations", after_s=9)]) == ""


def test_what_is_not_believed_neither_counts_nor_replaces() -> None:
    forged = signed("ada", "engineering", after_s=5, trouble="not signed by ada: bad key")
    assert "ada: not signed by ada: bad key" in lacking([forged, EVE])
    assert lacking([ADA, EVE, forged]) == ""


def test_an_objection_that_is_not_believed_any_more_is_not_ignored() -> None:
    """Its key may have been revoked since: somebody who holds the role settles it."""
    objecting = signed("bob", "operations", Stance.AGAINST, after_s=5, trouble="not signed by bob")
    told = lacking([ADA, EVE, objecting])
    assert told.startswith("bob signed against it as operations at 2025-11-10 10:30:05 EST: ")
    assert "(not signed by bob, but an objection is not ignored: somebody who holds" in told
    assert lacking([ADA, objecting, signed("eve", "operations", after_s=9)]) == ""
    other = signed("eve", "operations", after_s=9, substance="older")
    assert "not ignored" in lacking([ADA, EVE, objecting, other])
    elsewhere = replace(objecting, signature=replace(objecting.signature, release="v0"))
    assert lacking([ADA, EVE, elsewhere]) == ""


APART = replace(PLAN, author=FactSource(variable="CHANGE_AUTHOR"))


def apart_findings(authors: Authors | None, *given: Signed) -> list[Finding]:
    phase = APART.phase("one")
    assert phase is not None
    asked = SignoffDemand(APART, phase, DECISION, MADE + timedelta(hours=1), authors)
    return list(signatures(asked, given))


def apart(authors: Authors | None, *given: Signed) -> list[str]:
    found = apart_findings(authors, *given)
    return [f"{one.verdict.value} {because(one, 'America/New_York')}" for one in found]


@pytest.mark.parametrize("name", ["ada", "Ada", "ADA <ada@home.example>", "Ada T. <ada>"])
def test_the_author_of_the_change_does_not_sign_for_it(name: str) -> None:
    first, engineering, operations = apart(Authors((name, "mallory")), ADA, EVE)
    assert first == f"pass {name}, mallory made the change (ada cannot sign)"
    assert engineering == (
        "missing nobody has signed as engineering; can be given by bob, pam "
        "(ada: is an author of the change, so it does not count)"
    )
    assert operations.startswith("pass eve signed")
    others = apart(Authors((name,)), ADA, EVE, signed("bob", "engineering"))
    assert [one.partition(" ")[0] for one in others] == ["pass", "pass", "pass"]


def test_an_author_who_is_none_of_the_people_is_said() -> None:
    first, *rest = apart(Authors(("mallory@x.org",)), ADA, EVE)
    assert first == "pass mallory@x.org made the change (nobody of roles.yaml)"
    assert [one.partition(" ")[0] for one in rest] == ["pass", "pass"]


@pytest.mark.parametrize(
    ("authors", "why"),
    [
        (None, "the run did not read it; the next one will"),
        (Authors(error="CHANGE_AUTHOR is not set"), "CHANGE_AUTHOR is not set"),
        (Authors(), "it named nobody"),
    ],
)
def test_where_nobody_knows_the_author_nothing_is_cleared(
    authors: Authors | None, why: str
) -> None:
    first, *_ = apart(authors, ADA, EVE)
    told = "missing who made the change is not known, and nobody may sign for their own: "
    assert first == told + why


def uncounted(given: Signed, authors: Authors, answer: Answer = Answer.GO) -> Reason | None:
    """Why a signature clears nothing of a decision."""
    phase = APART.phase("one")
    assert phase is not None
    decision = replace(DECISION, decision=answer)
    return why_not_counted(SignoffDemand(APART, phase, decision, MADE, authors), given)


def test_who_signs_is_told_that_it_clears_nothing() -> None:
    own = uncounted(ADA, Authors(("ada",)))
    assert own is not None
    assert sentences.text(own, "UTC") == "ada made the change, and nobody signs for their own"
    held = uncounted(ADA, Authors(("bob",)), Answer.HOLD)
    assert held is not None
    assert "the decision is HOLD, and only a GO is cleared" in sentences.text(held, "UTC")
    assert uncounted(ADA, Authors(("bob",))) is None
    against = signed("ada", "engineering", Stance.AGAINST)
    assert uncounted(against, Authors(("ada",)), Answer.HOLD) is None, "it holds as ever"


def test_an_author_may_still_object() -> None:
    against = signed("ada", "engineering", Stance.AGAINST, after_s=5)
    assert any("ada signed against it" in one for one in apart(Authors(("ada",)), against, EVE))


@pytest.mark.parametrize(
    ("text", "mine"),
    [
        ("ada@x.org", True),
        ("ADA@X.org", True),
        ("A. Turing", True),
        ("a.  turing", True),
        ("Somebody <ada@x.org>", True),
        ("A. Turing <a@elsewhere.org>", True),
        ("adat", True),
        ("12345+adat@users.noreply.github.com", True),
        ("adat@users.noreply.github.com", True),
        ("Somebody <12345+ADAT@users.noreply.github.com>", True),
        ("ada@home.org", True),
        ("12345+adatx@users.noreply.github.com", False),
        ("ada@y.org", False),
        ("", False),
        (" <> ", False),
    ],
)
def test_a_person_is_known_by_each_of_their_names(text: str, *, mine: bool) -> None:
    ada = Person("ada@x.org", "A. Turing", (), "adat", also=("ada@home.org",))
    assert ada.called(text) is mine


def test_somebody_without_a_login_is_not_called_by_an_empty_one() -> None:
    assert not Person("ada", "Ada", ()).called("@users.noreply.github.com")
    assert not Person("ada", "Ada", ()).called("")
