"""Whether the roles of a phase have signed a decision, and by whom the rest can be. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from pytest_rollout import calendar
from pytest_rollout.judge.case import instant
from pytest_rollout.judge.pairing import one_person_each
from pytest_rollout.judge.people import nobody_known
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.finding import Fact, Finding, Reason
from pytest_rollout.model.people import Authors, Signature, Stance
from pytest_rollout.model.plan import Phase, Plan
from pytest_rollout.model.review import Reviewed
from pytest_rollout.model.verdict import Answer, Verdict

CLOCKS_APART_US = 300 * 1_000_000
_LEFT = "roles.yaml does not give them this role any more"
_NOT_FOR = {Stance.AGAINST: "signature.against", Stance.WITHDRAWN: "signature.withdrawn"}


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature as the ledger holds it."""

    signature: Signature
    recorded_us: int
    trouble: str = ""  # why it is not believed; empty where its key and person agree
    review: Reviewed | None = None  # that stands for it

    @property
    def since_us(self) -> int:
        """Since when it is somebody's word: a review is recorded later than it was given."""
        if self.review is None:
            return self.recorded_us
        return calendar.to_us(datetime.fromisoformat(self.signature.at))


@dataclass(frozen=True, slots=True)
class SignoffDemand:
    """Which roles must sign which decision, at which moment."""

    plan: Plan
    phase: Phase
    decision: Decision
    now: datetime
    authors: Authors | None = None  # of the change; None: nobody asked
    disowned: tuple[Reason, ...] = ()  # answers that today's keys do not bear out

    def by_author(self, person: str) -> bool:
        """Whether somebody made the change, so that they cannot sign for it."""
        member = self.plan.roster.person(person)
        if self.plan.author is None or self.authors is None or member is None:
            return False
        return self.authors.include(member)


def signatures(asked: SignoffDemand, signed: Sequence[Signed]) -> Iterator[Finding]:
    """Return a finding for each role of the phase, and one for each standing signature against.

    Several roles ask for as many people: one who holds two of them counts for one.
    """
    for reason in asked.disowned:
        yield Finding("clearance.attestations", Verdict.MISSING, reason)
    if asked.plan.author is not None and asked.phase.signoff:
        yield _apart(asked)
    newest: dict[tuple[str, str], Signed] = {}
    signed = [given for given in signed if given.signature.stance is not Stance.OVERRIDE]
    for given in sorted(signed, key=lambda given: given.since_us):
        if not (given.trouble or _says_nothing(given.signature)):  # those replace nothing
            newest[given.signature.role, given.signature.person] = given
    for given in newest.values():
        if _objects(asked, given):
            yield _against(asked, given)
    left = [replace(given, trouble=_LEFT) for given in newest.values() if _left(asked, given)]
    for given in (*left, *(given for given in signed if given.trouble)):
        if _unsettled(asked, given, newest.values()):
            yield _against(asked, given)
    doubts = {
        key: why for key, given in newest.items() if (why := _doubt(asked, given)) is not None
    }
    counted = {key: given for key, given in newest.items() if key not in doubts}
    for given in signed:
        if given.trouble:
            doubts[given.signature.role, given.signature.person] = Reason(
                "signature.not-believed", {"why": given.trouble}
            )
    able = {role: [who for of, who in counted if of == role] for role in asked.phase.signoff}
    people = one_person_each(asked.phase.signoff, able)
    for role in asked.phase.signoff:
        yield _role(asked, role, people, counted, doubts)


def _says_nothing(signature: Signature) -> bool:
    """Whether a signature is for a decision that lets nothing pass: it is no yes to anything."""
    return signature.stance is Stance.FOR and signature.decision != Answer.GO.value


def _role(
    asked: SignoffDemand,
    role: str,
    people: Mapping[str, str],
    counted: Mapping[tuple[str, str], Signed],
    doubts: Mapping[tuple[str, str], Reason],
) -> Finding:
    name = f"clearance.signatures.{role}"
    if role in people:
        given = counted[role, people[role]]
        facts: dict[str, Fact] = {
            "role": role,
            "person": people[role],
            "at": _stamp(asked, given.signature.at),
            **_review(given),
        }
        return Finding(name, Verdict.PASS, Reason("signature.given", facts))
    day = asked.now.astimezone(ZoneInfo(asked.plan.timezone)).date()
    holders = tuple(
        person.id
        for person in asked.plan.roster.holders(role, day)
        if not asked.by_author(person.id)
    )
    why = tuple(
        Reason("told", {"subject": person, "reason": reason})
        for (of, person), reason in doubts.items()
        if of == role
    )
    twice = tuple(person for (of, person) in counted if of == role)
    facts = {"role": role, "holders": holders, "why": why, "twice": twice}
    return Finding(name, Verdict.MISSING, Reason("signature.missing", facts))


def why_not_counted(asked: SignoffDemand, given: Signed) -> Reason | None:
    """Return why a signature for a decision clears nothing; None where it counts, or is against.

    Nobody signs for their own change, and a decision that is not GO clears nothing.
    """
    if given.signature.stance is not Stance.FOR:
        return None
    if asked.decision.answer is not Answer.GO:
        return Reason("signature.of-no-go", {"answer": asked.decision.answer.value})
    person = given.signature.person
    return Reason("signature.own-change", {"person": person}) if asked.by_author(person) else None


def _doubt(asked: SignoffDemand, given: Signed) -> Reason | None:
    """Why a believed signature does not count for this decision; None where it does."""
    signature = given.signature
    made = datetime.fromisoformat(signature.at)
    if signature.stance is not Stance.FOR:
        return Reason(_NOT_FOR[signature.stance])
    if signature.substance != asked.decision.substance_digest:
        return Reason("signature.of-another-state", {"at": _stamp(asked, signature.at)})
    ahead_us = calendar.to_us(made) - given.recorded_us
    if ahead_us > CLOCKS_APART_US or (given.review is None and -ahead_us > CLOCKS_APART_US):
        recorded = instant(given.recorded_us, asked.plan.timezone)
        facts: dict[str, Fact] = {"at": _stamp(asked, signature.at), "recorded": recorded}
        return Reason("signature.at-another-time", facts)
    day = _day(asked, signature)
    if not asked.plan.roster.holds(signature.person, signature.role, day):
        return Reason("signature.no-such-role", {"role": signature.role, "day": day.isoformat()})
    return Reason("signature.of-the-author") if asked.by_author(signature.person) else None


def _apart(asked: SignoffDemand) -> Finding:
    """Whether it is known who made the change: nobody signs for their own."""
    authors = asked.authors
    if authors is None or not authors.names:
        return Finding("clearance.author", Verdict.MISSING, nobody_known(authors))
    people = (person.id for person in asked.plan.roster.people if asked.by_author(person.id))
    facts: dict[str, Fact] = {"names": authors.names, "people": tuple(people)}
    return Finding("clearance.author", Verdict.PASS, Reason("author.known", facts))


def _objects(asked: SignoffDemand, given: Signed) -> bool:
    """Whether an objection stands: it is of the release, whatever was seen since."""
    signature = given.signature
    against = signature.stance is Stance.AGAINST
    return (
        against
        and signature.release == asked.decision.release
        and asked.plan.roster.holds(signature.person, signature.role, _day(asked, signature))
    )


def _left(asked: SignoffDemand, given: Signed) -> bool:
    """Whether roles.yaml does not give the role any more to somebody who objected in it."""
    signature = given.signature
    held = asked.plan.roster.holds(signature.person, signature.role, _day(asked, signature))
    return signature.stance is Stance.AGAINST and not held


def _unsettled(asked: SignoffDemand, given: Signed, believed: Iterable[Signed]) -> bool:
    """Whether an objection that is not believed any more still holds: it is never just ignored.

    Somebody who holds the role settles it, with a later signature for the decision.
    """
    objection = given.signature
    if objection.stance is not Stance.AGAINST or objection.release != asked.decision.release:
        return False
    return not any(
        later.signature.role == objection.role
        and later.since_us > given.since_us
        and _doubt(asked, later) is None
        for later in believed
    )


def _against(asked: SignoffDemand, given: Signed) -> Finding:
    signature = given.signature
    facts: dict[str, Fact] = {
        "role": signature.role,
        "person": signature.person,
        "at": _stamp(asked, signature.at),
        "why": signature.why,
        "doubt": given.trouble,
        **_review(given),
    }
    name = f"clearance.signatures.{signature.role}"
    return Finding(name, Verdict.MISSING, Reason("signature.objection", facts))


def _review(given: Signed) -> dict[str, Fact]:
    """Which review stands for a signature, if one does."""
    if given.review is None:
        return {}
    return {"login": given.review.login, "url": given.review.url, "tied": given.review.tied}


def _day(asked: SignoffDemand, signature: Signature) -> date:
    """The day on which a signature was made, in the plan's zone."""
    made = datetime.fromisoformat(signature.at)
    return made.astimezone(ZoneInfo(asked.plan.timezone)).date()


def _stamp(asked: SignoffDemand, at: str) -> str:
    return instant(calendar.to_us(datetime.fromisoformat(at)), asked.plan.timezone)
