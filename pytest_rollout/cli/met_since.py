"""Conditions met after the decision that stated them, by a run of their checks alone or by people.

They are read as the gate where they are due reads them.
"""

from __future__ import annotations

from pytest_rollout.cli.answers_now import answers_now
from pytest_rollout.cli.project import Project
from pytest_rollout.evidence.gate_findings import met_since
from pytest_rollout.evidence.history import GateStanding
from pytest_rollout.judge.people import attested
from pytest_rollout.model.decision import Cause, Condition, Decision
from pytest_rollout.model.plan import Criterion, Phase, Plan, RollsUp, Severity


def still_owed(
    project: Project, plan: Plan, phase: Phase, standing: GateStanding
) -> tuple[Condition, ...]:
    """Return the conditions of a gate's decision, less those due at another gate and met by now."""
    decision = standing.decision
    if decision is None:
        return ()
    due = {
        decision.address.full(stated.id): RollsUp(phase.id, decision.gate, stated.id)
        for stated in phase.of(decision.gate)
        if stated.severity is Severity.SOFT and stated.due_gate
    }
    return tuple(
        owed
        for owed in decision.conditions
        if owed.id not in due
        or not _met(project, plan, due[owed.id], standing, decision, decision.release)
    )


def still_against(
    project: Project, plan: Plan, phase: Phase, decision: Decision
) -> tuple[Cause, ...]:
    """Return the causes of a decision without what was due there, still open, and is met by now."""
    met = set()
    for named in (named for gate, named in phase.dues if gate is decision.gate):
        standing = project.history.standing(named.address(plan.id), decision.environment)
        last = standing.decision if standing and not standing.damage else None
        if standing and last and _met(project, plan, named, standing, last, decision.release):
            met.add(f"{plan.id}.{named.name}")
    return tuple(
        cause
        for cause in decision.reasons
        if cause.reason.code != "due.open" or cause.reason.facts["criterion"] not in met
    )


def _met(
    project: Project,
    plan: Plan,
    named: RollsUp,
    standing: GateStanding,
    last: Decision,
    release: str | None,
) -> bool:
    """Whether a run since the last decision of a condition, or people, met it."""
    if met_since(project.ledger, last, named):
        return True
    phase = plan.phase(named.phase)
    stated = _stated(phase, named.criterion) if phase else None
    if phase is None or stated is None or not stated.attested:
        return False
    authors = standing.asked.authors
    case = answers_now(project, plan, phase, last.environment, release, authors)
    return not attested(case, stated).verdict.holds_back


def _stated(phase: Phase, criterion: str | None) -> Criterion | None:
    return next((stated for stated in phase.criteria if stated.id == criterion), None)
