"""What people accepted: no release, overrides of clearances, and soft criteria until a day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from pytest_rollout import calendar
from pytest_rollout.judge.case import Case
from pytest_rollout.judge.people import attested
from pytest_rollout.model.decision import Cause, Condition
from pytest_rollout.model.evidence import Hole
from pytest_rollout.model.finding import Fact, Finding, Reason
from pytest_rollout.model.plan import Gate, RollsUp, Severity
from pytest_rollout.model.verdict import Answer, Verdict


def accepted(case: Case, owner: str, due: str) -> Iterator[Condition]:
    """A condition for each: it stands on every later decision of the phase and the release."""
    if case.embedded:
        return
    if case.plan.no_release:
        why = Reason("release.has-none", {"why": case.plan.no_release})
        yield Condition("run.release", Verdict.WARN, why, owner, due)
    for override in case.world.overrides:
        reason = Reason(
            "overridden",
            {
                "gate": override.gate,
                "by": override.by,
                "at": case.instant(override.at_us),
                "why": override.why,
            },
        )
        yield Condition("clearance.override", Verdict.WAIVED, reason, owner, due)


_NEVER_GIVEN = ("gate.never-asked",)  # no decision has such a condition
_NOT_REHEARSED = (*_NEVER_GIVEN, "gate.undecided")  # a rehearsal of some phases alone


def due_here(case: Case, gate: Gate) -> Iterator[Finding]:
    """Yield a finding for each condition of another gate that is due here and not known as met."""
    nothing = _NOT_REHEARSED if case.embedded else _NEVER_GIVEN
    for named in (due for at, due in case.phase.dues if at is gate):
        facts: dict[str, Fact] = {
            "criterion": f"{case.plan.id}.{named.name}",
            "gate": str(named.address(case.plan.id)),
        }
        read = next((rolled for rolled in case.world.rolled if rolled.of == named), None)
        if read is None:
            why = Reason("gate.unread", {"gate": facts["gate"]})
        elif not isinstance(read.verdict, Hole):
            if read.verdict.holds_back and not _attested_since(case, named):
                reason = Reason("due.open", {**facts, "reason": read.reason})
                yield Finding("gate.due", Verdict.MISSING, reason)
            continue
        elif read.verdict.reason.code in nothing:
            continue
        else:
            why = read.verdict.reason
        yield Finding("gate.due", Verdict.MISSING, Reason("due.unknown", {**facts, "reason": why}))


def _attested_since(case: Case, named: RollsUp) -> bool:
    """Whether people answered by now what was open: their answer counts as in its own gate."""
    phase = case.plan.phase(named.phase)
    stated = (
        [criterion for criterion in phase.criteria if criterion.id == named.criterion]
        if phase
        else []
    )
    if phase is None or case.embedded or not stated or not stated[0].attested:
        return False
    return not attested(replace(case, phase=phase), stated[0]).verdict.holds_back


def overdue(case: Case, gate: Gate, criteria: Sequence[Finding]) -> Iterator[Cause]:
    """Yield a cause of HOLD for each soft criterion whose last day is over, and that is not met."""
    for stated, finding in zip(case.phase.of(gate), criteria, strict=True):
        if stated.severity is not Severity.SOFT or not finding.verdict.holds_back:
            continue
        if not stated.due or stated.due_gate:
            continue
        last = date.fromisoformat(stated.due)
        if calendar.end_of_day(last, case.plan.timezone) <= case.world.run.ended_us:
            why = Reason("condition.overdue", {"due": stated.due, "reason": finding.reason})
            yield Cause(finding.id, Answer.HOLD, why)
