"""Whether a real environment runs what was decided about: `rollout status --drift`."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.cli.project import Project
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.plan import EMBEDDED, Gate, Plan
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report.fact_words import wall
from pytest_rollout.targets.identity import identify


def drifted(project: Project, plan: Plan, environment: str) -> list[str]:
    """Return what runs otherwise than at the newest GO of a plan, or cannot be told.

    The target is asked once, within the time that :mod:`identity` gives an answer.
    """
    return list(_drifted(project, plan, environment))


def _drifted(project: Project, plan: Plan, environment: str) -> Iterator[str]:
    if environment == EMBEDDED:
        return
    go = _newest_go(project, plan, environment)
    if go is None:
        yield f"{plan.id} has no GO in {environment} to compare with"
        return
    if plan.release is None:
        yield "the plan does not say where the release is read (`release:`), so nobody knows"
        return
    fact = identify("now", plan, plan.environments[environment], project.root)
    at = wall(go.decided_at, plan.timezone)
    judged = f"the last GO ({go.address.phase}/{go.gate} at {at})"
    if fact.error:
        why = f"{environment} does not say what it runs ({fact.error})"
        yield f"{why}; {judged} is for {go.release}"
    elif fact.reference:
        yield f"{environment} answers as a reference target ({fact.reference})"
    elif fact.release != go.release:
        yield f"{environment} runs {fact.release}; {judged} is for {go.release}"
    elif fact.configuration != go.configuration:
        yield f"{environment} runs {fact.release} with another configuration than {judged}"


def _newest_go(project: Project, plan: Plan, environment: str) -> Decision | None:
    """The GO that was decided last, of whatever gate."""
    if not project.has_ledger:
        return None
    standings = (
        project.history.standing(plan.address(phase.id, gate), environment)
        for phase in plan.phases
        for gate in Gate
    )
    decisions = (
        standing.decision for standing in standings if standing is not None and not standing.damage
    )
    goes = [
        decision for decision in decisions if decision is not None and decision.answer is Answer.GO
    ]
    return max(goes, key=lambda goe: goe.decided_at, default=None)
