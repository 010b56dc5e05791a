"""What people answer, and what other gates found: the parts of a criterion that no test brings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from pytest_rollout import calendar
from pytest_rollout.judge.case import Case
from pytest_rollout.model.attestation import Attestation
from pytest_rollout.model.evidence import Hole, Rolled
from pytest_rollout.model.finding import Attempted, Fact, Part, Reason, Subject, SubjectKind
from pytest_rollout.model.plan import Criterion, Plan, RollsUp
from pytest_rollout.model.verdict import Verdict

SUBJECT = Subject(SubjectKind.ATTESTATION)


def attested(case: Case, criterion: Criterion) -> Part:
    """Return the part of a criterion's attestation: the newest answer about the release decides.

    One that is too old is none. In a rehearsal the plan's own stand-in answers.
    """
    if case.embedded:
        return _stand_in(case, criterion)
    full, plan, now_us = case.full(criterion.id), case.plan, case.world.run.ended_us
    of_it = [answer for answer in case.world.attestations if answer.criterion == full]
    counted = _counted(case, criterion)
    if not counted:
        return Part(SUBJECT, Verdict.MISSING, _nobody(of_it, case.release))
    last = counted[-1]
    attempts = tuple(_attempted(answer, case) for answer in counted) if len(counted) > 1 else ()
    verdict, reason = Verdict.PASS, _answer(last, case)
    life_us = shelf_life(plan, criterion, case.world.run.environment)
    if life_us is not None and now_us - last.at_us > life_us:
        reason = Reason("attested.too-old", {"answer": reason, "life_us": life_us})
        verdict = Verdict.MISSING
    elif not last.passed:
        verdict = Verdict.FAIL
    elif not all(answer.passed for answer in counted):
        before = next(answer for answer in reversed(counted) if not answer.passed)
        facts: dict[str, Fact] = {"answer": reason, "before": _answer(before, case)}
        verdict, reason = Verdict.WARN, Reason("attested.after-no", facts)
    return Part(SUBJECT, verdict, reason, attempts=attempts)


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


def _stand_in(case: Case, criterion: Criterion) -> Part:
    """The part of a rehearsal: the plan's own answer, which counts nowhere else."""
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
    known = plan.environments.get(environment)
    return criterion.valid_for_us or (known.max_age_us if known else None)


def _nobody(of_it: Sequence[Attestation], release: str | None) -> Reason:
    if of_it and of_it[-1].release != release:
        return Reason("attested.other-release", {"release": release, "of": of_it[-1].release})
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


def _attempted(answer: Attestation, case: Case) -> Attempted:
    return Attempted(Verdict.PASS if answer.passed else Verdict.FAIL, _answer(answer, case))


def rolled_up(case: Case, criterion: Criterion) -> tuple[Part, ...]:
    """Return a part for each finding that a criterion names; what does not count is missing."""
    return tuple(_rolled(case, criterion, named) for named in criterion.rolls_up)


def gate_subject(named: RollsUp) -> Subject:
    """Return the subject of what another gate found."""
    return Subject(SubjectKind.GATE, named.name)


def _rolled(case: Case, criterion: Criterion, named: RollsUp) -> Part:
    subject, gate = gate_subject(named), str(named.address(case.plan.id))
    rolled = next((known for known in case.world.rolled if known.of == named), None)
    if rolled is None:
        return Part(subject, Verdict.MISSING, Reason("gate.unread", {"gate": gate}))
    if isinstance(rolled.verdict, Hole):
        return Part(subject, Verdict.MISSING, rolled.verdict.reason)
    own = rolled.run == case.world.run.id
    facts: dict[str, Fact] = {
        "gate": gate,
        "verdict": rolled.verdict.value if named.criterion else None,
        "run": None if own else rolled.run,
        "ended": None if own else case.instant(rolled.decided_us),
    }
    lack = _lack(case, criterion, rolled)
    if lack is not None:
        return Part(subject, Verdict.MISSING, Reason("gate.lacks", facts | {"lack": lack}))
    return Part(subject, rolled.verdict, Reason("gate.found", facts | {"reason": rolled.reason}))


def _lack(case: Case, criterion: Criterion, rolled: Rolled) -> Reason | None:
    """Why a finding that was read does not count; None where it does."""
    now_us = case.world.run.ended_us
    if rolled.release != case.release:
        return Reason("lack.release", {"of": rolled.release, "release": case.release})
    life_us = criterion.valid_for_us
    if life_us is not None and now_us - rolled.decided_us > life_us:
        return Reason("lack.too-old", {"life_us": life_us})
    ends = dt.date.fromisoformat(rolled.until) if rolled.until else None
    if ends is not None and calendar.end_of_day(ends, case.plan.timezone) <= now_us:
        return Reason("lack.waiver-ended", {"until": rolled.until})
    return None
