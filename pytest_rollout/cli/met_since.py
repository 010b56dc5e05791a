"""Conditions that runs of their checks alone met after the decision that stated them."""

from __future__ import annotations

from pytest_rollout.cli.project import Project
from pytest_rollout.evidence.gate_findings import met_since
from pytest_rollout.model.decision import Cause, Condition, Decision
from pytest_rollout.model.plan import Phase, RollsUp, Severity


def still_owed(project: Project, phase: Phase, decision: Decision) -> tuple[Condition, ...]:
    """Return the conditions of a decision without those that are due at a gate and met by now."""
    due = {
        decision.address.full(stated.id): RollsUp(phase.id, decision.gate, stated.id)
        for stated in phase.of(decision.gate)
        if stated.severity is Severity.SOFT and stated.due_gate
    }
    return tuple(
        owed
        for owed in decision.conditions
        if owed.id not in due or not met_since(project.ledger, decision, due[owed.id])
    )


def still_against(project: Project, phase: Phase, decision: Decision) -> tuple[Cause, ...]:
    """Return the causes of a decision without what was due there, still open, and is met by now."""
    plan, environment = decision.plan, decision.environment
    met = set()
    for named in (one for gate, one in phase.dues if gate is decision.gate):
        standing = project.history.standing(named.address(plan), environment)
        last = standing.decision if standing and not standing.damage else None
        if last is not None and met_since(project.ledger, last, named):
            met.add(f"{plan}.{named.name}")
    return tuple(
        cause
        for cause in decision.reasons
        if cause.reason.code != "due.open" or cause.reason.facts["criterion"] not in met
    )
