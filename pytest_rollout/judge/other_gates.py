"""What other gates found, as part of a criterion that names them."""

from __future__ import annotations

import datetime as dt

from pytest_rollout import calendar
from pytest_rollout.judge.case import Case
from pytest_rollout.model.evidence import Hole, Rolled
from pytest_rollout.model.finding import Fact, Part, Reason, Subject, SubjectKind
from pytest_rollout.model.plan import Criterion, RollsUp
from pytest_rollout.model.verdict import Verdict


def rolled_up(case: Case, criterion: Criterion) -> tuple[Part, ...]:
    """Return a part for each finding that a criterion names; what does not count is missing."""
    return tuple(_rolled(case, criterion, named) for named in criterion.rolls_up)


def gate_subject(named: RollsUp) -> Subject:
    """Return the subject of what another gate found."""
    return Subject(SubjectKind.GATE, named.name)


def _rolled(case: Case, criterion: Criterion, named: RollsUp) -> Part:
    subject, gate = gate_subject(named), str(named.address(case.plan.id))
    rolled = next((candidate for candidate in case.world.rolled if candidate.of == named), None)
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
