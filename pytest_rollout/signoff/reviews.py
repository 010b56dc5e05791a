"""Which reviews of a pull request stand for signatures of a decision. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from pytest_rollout import calendar
from pytest_rollout.judge.case import instant
from pytest_rollout.judge.people import day_of
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.finding import Fact, Reason
from pytest_rollout.model.people import Person, Roster, Signature, Stance
from pytest_rollout.model.plan import Gate
from pytest_rollout.model.review import PullRequest, Review, Reviewed, ReviewState
from pytest_rollout.signoff.signatures import Signed, SignoffDemand

LINE = "rollout-substance"  # begins the line by which a text names what it is about
_COMMIT = re.compile(r"(?:.*[@:])?([0-9a-f]{40}|[0-9a-f]{64})", re.DOTALL)
_SECOND_US = 1_000_000
_NOT_ITS_PERSONS = "roles.yaml does not give the GitHub login {login} to {person}"


@dataclass(frozen=True, slots=True)
class Given:
    """A signature that a review stands for."""

    signature: Signature
    review: Reviewed


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the newest review of one account comes to."""

    review: Review
    reason: Reason
    given: tuple[Given, ...] = ()  # what is new of it


def substance_line(digest: str) -> str:
    """Return the line that ties a text to the substance of a decision."""
    return f"{LINE}: {digest}"


def why_not_believed(signature: Signature, review: Reviewed, roster: Roster) -> str:
    """Return why a review on record does not stand for a signature; empty where it does."""
    person = roster.person(signature.person)
    if person is None or not _is(person, review.login):
        return _NOT_ITS_PERSONS.format(login=review.login, person=signature.person)
    if _is(person, review.author):
        return f"{review.login} is the author of {review.pull}"
    state = {
        Stance.FOR: ReviewState.APPROVED,
        Stance.AGAINST: ReviewState.CHANGES_REQUESTED,
        Stance.WITHDRAWN: ReviewState.DISMISSED,
    }.get(signature.stance)
    same = state is ReviewState.DISMISSED or signature.at == review.submitted_at
    return "" if state is review.state and same else "the review on record says something else"


def opinions(
    asked: SignoffDemand, pull: PullRequest, recorded: Sequence[Signed], first_us: int
) -> Iterator[Opinion]:
    """Yield what the newest review of each account comes to.

    ``recorded`` are the signatures of the gate, ``first_us`` is when this state of the decision
    was first decided: who approved a commit before that has not seen it.
    """
    newest: dict[str, Review] = {}
    for review in sorted(pull.reviews, key=lambda review: review.submitted_at):
        newest[review.login.lower()] = review
    for review in newest.values():
        yield _opinion(asked, pull, review, recorded, first_us)


def _opinion(
    asked: SignoffDemand,
    pull: PullRequest,
    review: Review,
    recorded: Sequence[Signed],
    first_us: int,
) -> Opinion:
    roster, signoff = asked.plan.roster, asked.phase.signoff
    person = next((person for person in roster.people if _is(person, review.login)), None)
    if person is None:
        return Opinion(review, Reason("review.nobody"))
    if _is(person, pull.author):
        return Opinion(review, Reason("review.of-author"))
    if review.state is ReviewState.APPROVED and asked.by_author(person.id):
        return Opinion(review, Reason("signature.of-the-author"))
    day = day_of(_us(review.submitted_at), asked.plan)
    roles = tuple(role for role in signoff if roster.holds(person.id, role, day))
    if not roles:
        facts: dict[str, Fact] = {"person": person.id, "roles": signoff, "day": day.isoformat()}
        return Opinion(review, Reason("review.no-role", facts))
    mine = [signed for signed in recorded if signed.signature.person == person.id]
    if review.state is ReviewState.DISMISSED:
        return _dismissed(asked, pull, review, person, mine)
    if review.state is ReviewState.CHANGES_REQUESTED:
        tied: str | Reason = ""
    else:
        tied = _tied(asked, pull, review, first_us)
    if isinstance(tied, Reason):
        return Opinion(review, tied)
    return _recorded(asked, pull, review, person, roles, mine, tied)


def _recorded(
    asked: SignoffDemand,
    pull: PullRequest,
    review: Review,
    person: Person,
    roles: tuple[str, ...],
    mine: Sequence[Signed],
    tied: str,
) -> Opinion:
    against = review.state is ReviewState.CHANGES_REQUESTED
    stance = Stance.AGAINST if against else Stance.FOR
    why = (review.text.strip() or "changes requested") if against else ""
    made = [
        _given(asked, pull, review, person, role, stance, why, tied=tied)
        for role in roles
        if not _known(asked, mine, review, role, stance)
    ]
    facts: dict[str, Fact] = {"person": person.id, "roles": roles, "tied": tied, "why": why}
    if against:
        code = "review.against" if made else "review.against-before"
    else:
        code = "review.for" if made else "review.for-before"
    return Opinion(review, Reason(code, facts), tuple(made))


def _dismissed(
    asked: SignoffDemand,
    pull: PullRequest,
    review: Review,
    person: Person,
    mine: Sequence[Signed],
) -> Opinion:
    """A review that somebody dismissed takes its own approval back, and no objection."""
    newest: dict[str, Signed] = {}
    for signed in sorted(mine, key=lambda signed: signed.since_us):
        newest[signed.signature.role] = signed
    own = {
        role: signed.signature.stance
        for role, signed in newest.items()
        if signed.review is not None and signed.review.id == review.id
    }
    if Stance.AGAINST in own.values():
        return Opinion(review, Reason("review.dismissed-objection", {"person": person.id}))
    roles = tuple(role for role, stance in own.items() if stance is Stance.FOR)
    if not roles:
        return Opinion(review, Reason("review.dismissed"))
    at = asked.now.replace(microsecond=0).isoformat()
    why = "the review was dismissed at GitHub"
    given = tuple(
        _given(asked, pull, review, person, role, Stance.WITHDRAWN, why, at=at) for role in roles
    )
    facts: dict[str, Fact] = {"person": person.id, "roles": roles}
    return Opinion(review, Reason("review.withdrawn", facts), given)


def _given(
    asked: SignoffDemand,
    pull: PullRequest,
    review: Review,
    person: Person,
    role: str,
    stance: Stance,
    why: str,
    *,
    at: str = "",
    tied: str = "",
) -> Given:
    decision = asked.decision
    signature = Signature(
        gate=str(decision.address.at(Gate(decision.gate))),
        environment=decision.environment,
        release=decision.release,
        decision=decision.answer.value,
        substance=decision.substance_digest,
        role=role,
        person=person.id,
        stance=stance,
        at=at or review.submitted_at,
        why=why,
    )
    reviewed = Reviewed(
        id=review.id,
        url=review.url,
        login=review.login,
        state=review.state,
        commit=review.commit,
        submitted_at=review.submitted_at,
        pull=pull.url,
        author=pull.author,
        tied=tied,
    )
    return Given(signature, reviewed)


def _known(
    asked: SignoffDemand, mine: Sequence[Signed], review: Review, role: str, stance: Stance
) -> bool:
    """Whether the same was recorded before: asking again changes nothing."""
    decision = asked.decision
    return any(
        signed.review is not None
        and signed.review.id == review.id
        and (signed.signature.role, signed.signature.stance) == (role, stance)
        and signed.signature.release == decision.release
        and (stance is Stance.AGAINST or signed.signature.substance == decision.substance_digest)
        for signed in mine
    )


def _tied(asked: SignoffDemand, pull: PullRequest, review: Review, first_us: int) -> str | Reason:
    """What says that an approval is of this state of the decision; a reason where nothing does."""
    decision, zone = asked.decision, asked.plan.timezone
    digest, line = decision.substance_digest, substance_line(decision.substance_digest)
    if digest in review.text.lower() and not review.edited:
        return "the text of the review"
    if digest in pull.text.lower() and pull.text_since <= review.submitted_at:
        return "the text of the pull request"
    facts: dict[str, Fact] = {
        "commit": review.commit,
        "release": decision.release,
        "line": line,
        "edited": True if digest in review.text.lower() else None,
        "since": instant(_us(pull.text_since), zone) if digest in pull.text.lower() else None,
    }
    if not _is_release(review.commit, decision.release or ""):
        return Reason("review.untied", facts)
    if _us(review.submitted_at) + _SECOND_US <= first_us:  # GitHub tells whole seconds
        return Reason("review.too-early", facts | {"decided": instant(first_us, zone)})
    return "the commit"


def _is_release(commit: str, release: str) -> bool:
    """Whether a commit is the release, by its whole digest: a short one could be made to fit."""
    match = _COMMIT.fullmatch(release.strip().lower())
    return bool(commit) and match is not None and match[1] == commit.lower()


def _is(person: Person, login: str) -> bool:
    return bool(login) and person.github.lower() == login.lower()


def _us(at: str) -> int:
    return calendar.to_us(datetime.fromisoformat(at))
