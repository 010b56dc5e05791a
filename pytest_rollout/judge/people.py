"""What people answer: the part of a criterion that no test brings.

An answer counts where it is of the release that was judged, in a role that may give it and, where
the plan's people have keys, signed by the person whom it names. What does not count is never
dropped where it says no: a no that nobody can be sure of holds the gate, until somebody who can
be believed answers.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from pytest_rollout import calendar
from pytest_rollout.judge.case import Case
from pytest_rollout.judge.pairing import one_person_each
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.attestation import Attestation
from pytest_rollout.model.finding import (
    Attempted,
    Fact,
    Part,
    Reason,
    Subject,
    SubjectKind,
    said,
)
from pytest_rollout.model.people import Authors, Person
from pytest_rollout.model.plan import Criterion, Plan
from pytest_rollout.model.verdict import Verdict

SUBJECT = Subject(SubjectKind.ATTESTATION)


@dataclass(frozen=True, slots=True)
class _Answered:
    """What was answered of a criterion in some roles."""

    verdict: Verdict
    reason: Reason
    counted: tuple[Attestation, ...]


def attested(case: Case, criterion: Criterion, role: str | None = None) -> Part:
    """Return the part of a criterion's attestation: the newest answer about the release decides.

    One that is too old is none. In a rehearsal the plan's own stand-in answers. With ``role``
    what that role alone has answered, of a criterion that each of several must attest.
    """
    if case.embedded:
        return stand_in(case, criterion)
    roles = criterion.by or case.plan.known_roles()
    if role is not None:
        answer = _in_role(case, criterion, role)
    elif criterion.by_each:
        answer = _each(case, criterion)
    else:
        answer = _newest(case, criterion, roles, _of_release(case, criterion, roles))
    several = len(answer.counted) > 1
    attempts = (
        tuple(_attempted(attestation, case, criterion) for attestation in answer.counted)
        if several
        else ()
    )
    return Part(SUBJECT, answer.verdict, answer.reason, attempts=attempts)


def _of_release(
    case: Case, criterion: Criterion, roles: Collection[str]
) -> tuple[Attestation, ...]:
    """The answers about the release that was judged; a no weighs in whatever role it was given."""
    full = case.full(criterion.id)
    return tuple(
        answer
        for answer in case.world.attestations
        if answer.criterion == full
        and answer.release == case.release
        and (answer.role in roles or not answer.passed)
    )


def _newest(
    case: Case, criterion: Criterion, roles: Collection[str], counted: tuple[Attestation, ...]
) -> _Answered:
    """What the newest answer that is believed comes to, and what may not be ignored beside it."""
    if not counted:
        return _Answered(Verdict.MISSING, _nobody(case, criterion), counted)
    doubts = [_doubt(case, criterion, answer) for answer in counted]
    last = max((at for at, doubt in enumerate(doubts) if doubt is None), default=None)
    after = range(0 if last is None else last + 1, len(counted))
    open_no = max((at for at in after if not counted[at].passed), default=None)
    if open_no is not None and not (last is not None and not counted[last].passed):
        reason = _not_believed(case, criterion, roles, "attested.doubtful-no", counted[open_no])
        return _Answered(Verdict.MISSING, reason, counted)
    if last is None:
        reason = _not_believed(case, criterion, roles, "attested.not-believed", counted[-1])
        return _Answered(Verdict.MISSING, reason, counted)
    return _believed(case, criterion, counted, last)


def _believed(
    case: Case, criterion: Criterion, counted: tuple[Attestation, ...], last: int
) -> _Answered:
    """What the last answer that counts comes to, after those before it."""
    newest = counted[last]
    reason = _answer(newest, case)
    life_us = shelf_life(case.plan, criterion, case.world.run.environment)
    if life_us is not None and case.world.run.ended_us - newest.at_us > life_us:
        old = Reason("attested.too-old", {"answer": reason, "life_us": life_us})
        return _Answered(Verdict.MISSING, old, counted)
    if not newest.passed:
        return _Answered(Verdict.FAIL, reason, counted)
    noes = [answer for answer in counted[:last] if not answer.passed]
    if not noes:
        return _Answered(Verdict.PASS, reason, counted)
    facts: dict[str, Fact] = {"answer": reason, "before": _answer(noes[-1], case)}
    return _Answered(Verdict.WARN, Reason("attested.after-no", facts), counted)


def _in_role(case: Case, criterion: Criterion, role: str) -> _Answered:
    """What one of several roles has answered; a no in none of them weighs in each."""
    answers = _of_release(case, criterion, criterion.by or (role,))
    mine = tuple(
        answer for answer in answers if answer.role == role or answer.role not in criterion.by
    )
    return _newest(case, criterion, (role,), mine)


def _each(case: Case, criterion: Criterion) -> _Answered:
    """The worst answer of all roles; one person never counts for two of them."""
    roles = criterion.by
    by_role = {role: _in_role(case, criterion, role) for role in roles}
    good = {role: answered for role, answered in by_role.items() if not answered.verdict.holds_back}
    people = {
        role: _people(case, criterion, role, answered.counted) for role, answered in good.items()
    }
    pairs = one_person_each(tuple(good), people)
    reasons: list[Fact] = []
    verdicts = []
    for role, answered in by_role.items():
        verdict, reason = answered.verdict, answered.reason
        if role in good and role not in pairs:
            who = tuple(dict.fromkeys(answer.by for answer in answered.counted if answer.passed))
            can = _holders(case, criterion, (role,))
            facts: dict[str, Fact] = {"by": who, "role": role, "can": can}
            verdict, reason = Verdict.MISSING, Reason("attested.twice", facts)
        verdicts.append(verdict)
        if verdict is not Verdict.PASS or len(good) == len(roles) == len(pairs):
            reasons.append(Reason("attested.as", {"role": role, "reason": reason}))
    worst = min(verdicts, key=list(Verdict).index)
    counted = [answer for answered in by_role.values() for answer in answered.counted]
    in_order = tuple(answer for answer in case.world.attestations if answer in counted)
    return _Answered(worst, Reason("several", {"reasons": tuple(reasons)}), in_order)


def _people(
    case: Case, criterion: Criterion, role: str, counted: Sequence[Attestation]
) -> tuple[str, ...]:
    """Who answered yes in a role since the last no, and counts."""
    noes = [at for at, answer in enumerate(counted) if not answer.passed]
    since = counted[noes[-1] + 1 :] if noes else counted
    life_us = shelf_life(case.plan, criterion, case.world.run.environment)
    oldest_us = 0 if life_us is None else case.world.run.ended_us - life_us
    fresh = [
        attestation
        for attestation in since
        if attestation.role == role and attestation.at_us >= oldest_us
    ]
    able = (attestation for attestation in fresh if _doubt(case, criterion, attestation) is None)
    return tuple(_person(case.plan, attestation.by) for attestation in able)


def _person(plan: Plan, by: str) -> str:
    """The one name of a person: an id of the roster, or what was typed, however it is spaced."""
    typed = " ".join(by.split()).casefold()
    for person in plan.roster.people:
        if typed in (person.id.casefold(), person.name.casefold()):
            return person.id
    return typed


def _doubt(case: Case, criterion: Criterion, answer: Attestation) -> Reason | None:
    """Why an answer does not count; None where it does."""
    signs = case.plan.roster.has_keys or answer.proof is not None
    if answer.verified and answer.doubt is not None:
        return answer.doubt
    if signs and not answer.verified:
        return Reason("attested.unverified")
    return _own_change(case, answer) if criterion.by_others and answer.passed else None


def _own_change(case: Case, answer: Attestation) -> Reason | None:
    """Why somebody may not answer for a change: they made it, or nobody knows who did."""
    authors = case.world.run.authors
    if authors is None or not authors.names:
        return nobody_known(authors)
    person = case.plan.roster.person(_person(case.plan, answer.by)) or Person(
        answer.by, answer.by, ()
    )
    return Reason("attested.by-author") if authors.include(person) else None


def nobody_known(authors: Authors | None) -> Reason:
    """Return why it is not known who made the change."""
    why = Reason("author.unread") if authors is None else said(authors.error or "it named nobody")
    return Reason("author.unknown", {"why": why})


def _not_believed(
    case: Case, criterion: Criterion, roles: Collection[str], code: str, answer: Attestation
) -> Reason:
    facts: dict[str, Fact] = {
        "answer": _answer(answer, case),
        "why": _doubt(case, criterion, answer),
        "can": _holders(case, criterion, tuple(roles)),
        "criterion": case.full(criterion.id),
        "environment": case.world.run.environment,
    }
    return Reason(code, facts)


def _holders(case: Case, criterion: Criterion, roles: Sequence[str]) -> tuple[str, ...]:
    """Who could answer in one of some roles on the day of the run."""
    day, authors = day_of(case.world.run.ended_us, case.plan), case.world.run.authors
    apart = authors if criterion.by_others and authors else Authors()
    held = (person for role in roles for person in case.plan.roster.holders(role, day))
    return tuple(dict.fromkeys(person.id for person in held if not apart.include(person)))


def day_of(at_us: int, plan: Plan) -> date:
    """Return the day of an instant in a plan's zone."""
    return calendar.from_us(at_us).astimezone(ZoneInfo(plan.timezone)).date()


def newest_answer(case: Case, criterion: Criterion) -> Attestation | None:
    """Return the answer that decides about a criterion; None where nobody's counts."""
    return next(reversed(_counted(case, criterion)), None)


def _counted(case: Case, criterion: Criterion) -> list[Attestation]:
    """The answers about the release, by people who may give them; any no."""
    full, roles = case.full(criterion.id), criterion.by or case.plan.known_roles()
    return [
        answer
        for answer in case.world.attestations
        if (answer.criterion, answer.release) == (full, case.release)
        and (answer.role in roles or not answer.passed)
    ]


def carrying(case: Case, criterion: Criterion) -> tuple[Attestation, ...]:
    """Return the yes that a criterion rests on: the newest that counts, of each role it asks."""
    roles = criterion.by or case.plan.known_roles()
    sets = [(role,) for role in roles] if criterion.by_each else [roles]
    newest = (
        next(
            (
                answer
                for answer in reversed(_of_release(case, criterion, asked))
                if answer.passed and _doubt(case, criterion, answer) is None
            ),
            None,
        )
        for asked in sets
    )
    return tuple(answer for answer in newest if criterion.attested and answer is not None)


def stand_in(case: Case, criterion: Criterion) -> Part:
    """Return the part of a rehearsal: the plan's own answer, which counts nowhere else."""
    drill = case.world.run.drill
    for answer in case.plan.stand_ins:
        if (answer.phase, answer.criterion) == (case.phase.id, criterion.id):
            facts: dict[str, Fact] = {"by": answer.by, "role": answer.role, "note": answer.note}
            if drill in answer.faults:
                reason = Reason("stand-in.drilled", facts | {"drill": drill})
                return Part(SUBJECT, Verdict.FAIL, reason)
            verdict = Verdict.PASS if answer.passed else Verdict.FAIL
            return Part(SUBJECT, verdict, Reason("stand-in", facts))
    return Part(SUBJECT, Verdict.MISSING, Reason("stand-in.none"))


def shelf_life(plan: Plan, criterion: Criterion, environment: str) -> int | None:
    """Return how long an attestation counts, in microseconds; None: as long as its release."""
    stated = plan.environments.get(environment)
    return criterion.valid_for_us or (stated.max_age_us if stated else None)


def _nobody(case: Case, criterion: Criterion) -> Reason:
    full = case.full(criterion.id)
    of_it = [answer for answer in case.world.attestations if answer.criterion == full]
    if of_it and of_it[-1].release != case.release:
        facts: dict[str, Fact] = {"release": case.release, "of": of_it[-1].release}
        return Reason("attested.other-release", facts)
    return Reason("attested.nobody")


def _answer(answer: Attestation, case: Case) -> Reason:
    facts: dict[str, Fact] = {
        "by": answer.by,
        "role": answer.role,
        "at": case.instant(answer.at_us),
        "release": answer.release,
        "note": answer.note,
        "file": answer.file,
        "digest": answer.digest,
    }
    return Reason("attested" if answer.passed else "attested.no", facts)


def _attempted(answer: Attestation, case: Case, criterion: Criterion) -> Attempted:
    reason, doubt = _answer(answer, case), _doubt(case, criterion, answer)
    if doubt is not None:
        return Attempted(
            Verdict.MISSING, Reason("attested.doubted", {"answer": reason, "why": doubt})
        )
    return Attempted(Verdict.PASS if answer.passed else Verdict.FAIL, reason)
