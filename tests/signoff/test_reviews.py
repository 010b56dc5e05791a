"""Reviews that stand for signatures: pure, so that each rule is seen by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from pytest_rollout import calendar
from pytest_rollout.model.people import Authors, Roster, Stance
from pytest_rollout.model.plan import FactSource
from pytest_rollout.model.review import PullRequest, Review, Reviewed, ReviewState
from pytest_rollout.signoff.reviews import Opinion, opinions, substance_line, why_not_believed
from pytest_rollout.signoff.signatures import Signed, SignoffDemand
from tests.signoff.test_clearance import RELEASES
from tests.signoff.test_signatures import DECISION as SEEN
from tests.signoff.test_signatures import MADE, PEOPLE, findings, signed
from tests.signoff.test_signatures import PLAN as STATED

assert RELEASES[0].release == SEEN.release
COMMIT = "c" * 40
LOGINS = {"ada": "ada", "bob": "bob", "pam": "pam"}
ROSTER = Roster(tuple(replace(one, github=LOGINS.get(one.id, "")) for one in PEOPLE))
PLAN = replace(STATED, roster=ROSTER)
DECISION = replace(SEEN, release=COMMIT)
FIRST_US = calendar.to_us(MADE)
PULL = PullRequest(
    url="https://github.com/o/r/pull/7",
    author="mallory",
    text="A change.",
    text_since="2025-11-10T01:00:00+00:00",
    reviews=(
        Review(
            id="PRR_1",
            url="https://github.com/o/r/pull/7#r1",
            login="bob",
            state=ReviewState.APPROVED,
            text="",
            commit=COMMIT,
            submitted_at="2025-11-10T15:31:00+00:00",
        ),
    ),
)


def judged(pull: PullRequest, given: Sequence[Signed] = ()) -> list[Opinion]:
    phase = PLAN.phase("one")
    assert phase is not None
    asked = SignoffDemand(PLAN, phase, DECISION, MADE + timedelta(hours=1))
    return list(opinions(asked, pull, given, FIRST_US))


def recorded(told: Sequence[Opinion]) -> list[Signed]:
    """What a ledger holds of opinions afterwards."""
    at_us = FIRST_US + 7_200_000_000
    given = [one for opinion in told for one in opinion.given]
    return [
        Signed(
            one.signature, at_us, why_not_believed(one.signature, one.review, ROSTER), one.review
        )
        for one in given
    ]


def one(**changes: object) -> PullRequest:
    (review,) = PULL.reviews
    return replace(PULL, reviews=(replace(review, **changes),))  # type: ignore[arg-type]


def test_an_approval_stands_for_each_role_that_its_person_holds() -> None:
    (opinion,) = judged(PULL)
    assert [(one.signature.role, one.signature.stance) for one in opinion.given] == [
        ("engineering", Stance.FOR),
        ("operations", Stance.FOR),
    ]
    assert {one.signature.substance for one in opinion.given} == {DECISION.substance_digest}


@pytest.mark.parametrize(
    ("pull", "code"),
    [
        (one(), "review.for"),
        (one(commit="d" * 40), "review.untied"),
        (one(commit=""), "review.untied"),
        (one(commit=COMMIT[:12]), "review.untied"),
        (one(submitted_at="2025-11-10T15:29:58+00:00"), "review.too-early"),
        (one(login="BOB"), "review.for"),
        (one(login=""), "review.nobody"),
        (replace(one(), author="Bob"), "review.of-author"),
        (one(state=ReviewState.CHANGES_REQUESTED, commit=""), "review.against"),
        (one(state=ReviewState.DISMISSED), "review.dismissed"),
    ],
)
def test_which_reviews_count(pull: PullRequest, code: str) -> None:
    (opinion,) = judged(pull)
    assert opinion.reason.code == code
    assert bool(opinion.given) is (code in ("review.for", "review.against"))


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (ReviewState.APPROVED, "signature.of-the-author"),
        (ReviewState.CHANGES_REQUESTED, "review.against"),
    ],
)
def test_an_author_of_the_change_may_only_object(state: ReviewState, code: str) -> None:
    plan = replace(PLAN, author=FactSource(variable="CHANGE_AUTHOR"))
    phase = plan.phase("one")
    assert phase is not None
    authors = Authors(("12+bob@users.noreply.github.com",))
    asked = SignoffDemand(plan, phase, DECISION, MADE + timedelta(hours=1), authors)
    (opinion,) = opinions(asked, one(state=state), (), FIRST_US)
    assert opinion.reason.code == code
    assert bool(opinion.given) is (state is ReviewState.CHANGES_REQUESTED)


def test_a_digest_that_is_cut_ties_nothing() -> None:
    line = substance_line(DECISION.substance_digest)
    assert judged(one(commit="", text=line))[0].reason.code == "review.for"
    assert judged(one(commit="", text=line[:-1]))[0].reason.code == "review.untied"


def test_what_was_recorded_is_not_recorded_again() -> None:
    first = judged(PULL)
    (again,) = judged(PULL, recorded(first))
    assert (again.reason.code, again.given) == ("review.for-before", ())
    (half,) = judged(PULL, recorded(first)[:1])
    assert [one.signature.role for one in half.given] == ["operations"]


def test_a_review_is_somebodys_word_since_it_was_given_and_no_longer_than_asked() -> None:
    (first, *_) = recorded(judged(PULL))
    assert first.since_us == FIRST_US + 60_000_000
    assert signed("ada", "engineering", recorded_s=7).since_us == FIRST_US + 7_000_000
    ahead = replace(first, recorded_us=first.since_us - 301_000_000)
    told = [one.reason.code for one in findings([ahead])]
    assert told.count("signature.missing") == 2


KEPT = Reviewed(
    "PRR_1",
    "u",
    "bob",
    ReviewState.APPROVED,
    COMMIT,
    "2025-11-10T15:31:00+00:00",
    "https://github.com/o/r/pull/7",
    "mallory",
)


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        (KEPT, ""),
        (replace(KEPT, login="BOB"), ""),
        (replace(KEPT, login="ada"), "roles.yaml does not give the GitHub login ada to bob"),
        (replace(KEPT, login=""), "roles.yaml does not give the GitHub login  to bob"),
        (replace(KEPT, author="bob"), "bob is the author of https://github.com/o/r/pull/7"),
        (replace(KEPT, state=ReviewState.DISMISSED), "the review on record says something else"),
        (replace(KEPT, state=ReviewState.CHANGES_REQUESTED), "the review on record says somethin"),
        (replace(KEPT, submitted_at="2025-11-10T15:30:00+00:00"), "the review on record says s"),
    ],
)
def test_a_record_is_believed_where_it_is_of_one_piece(kept: Reviewed, why: str) -> None:
    (opinion,) = judged(PULL)
    signature = opinion.given[0].signature
    assert why_not_believed(signature, kept, ROSTER).startswith(why)
    assert bool(why_not_believed(signature, kept, ROSTER)) is bool(why)


def test_somebody_without_a_login_is_nobodys_review() -> None:
    (opinion,) = judged(PULL)
    eve = replace(opinion.given[0].signature, person="eve")
    assert why_not_believed(eve, replace(KEPT, login=""), ROSTER)
