"""Checks that measure nothing in real environments: their effect is refused, or they stay out."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence

from pytest_rollout.model.check import Effect
from pytest_rollout.model.node_id import NodeId
from pytest_rollout.model.plan import EMBEDDED, Criterion, Environment, Gate, Phase, Plan, Severity

_MOST_CHECKS = 3


def refused(
    plan: Plan, items: Mapping[str, Sequence[str]], effects: Mapping[str, str]
) -> Iterator[str]:
    """Yield a remark for each gate of which a real environment refuses checks.

    ``items`` are those of each criterion (full id), ``effects`` what items declare beyond looking.
    """
    for environment in plan.environments.values():
        for phase in plan.phases if not environment.embedded else ():
            for gate in Gate:
                rejected = [
                    (criterion, node, Effect(effects[node]))
                    for criterion in phase.of(gate)
                    for node in items.get(plan.address(phase.id).full(criterion.id), ())
                    if node in effects and _refuses(environment, gate, Effect(effects[node]))
                ]
                if rejected:
                    yield _said(plan, phase, gate, environment, rejected)


def only_rehearsed(
    plan: Plan, items: Mapping[str, Sequence[str]], rehearsed: Container[str]
) -> Iterator[str]:
    """Yield a remark for each criterion that has checks for rehearsals and no other."""
    if plan.environments.keys() <= {EMBEDDED}:
        return
    for phase, criterion in plan.criteria():
        checks = items.get(plan.address(phase.id).full(criterion.id), ())
        if checks and all(check in rehearsed for check in checks):
            yield (
                f"{plan.path}:{criterion.line}: {plan.address(phase.id).full(criterion.id)} has "
                "only checks for rehearsals, so nothing measures it in real environments (add a "
                "check without `rehearsal_only`)"
            )


def _refuses(environment: Environment, gate: Gate, effect: Effect) -> bool:
    return gate is Gate.ENTRY or effect not in environment.allow


def _said(
    plan: Plan,
    phase: Phase,
    gate: Gate,
    environment: Environment,
    rejected: Sequence[tuple[Criterion, str, Effect]],
) -> str:
    """Where it stands, what is refused, by which rule, and what helps."""
    checks = [
        f"{criterion.id} ({NodeId.parse(node).name} has effect {effect.value})"
        for criterion, node, effect in rejected
    ]
    rest = len(checks) - _MOST_CHECKS
    shown = ", ".join(checks[:_MOST_CHECKS]) + (f" and {rest} more" if rest > 0 else "")
    hard = any(criterion.severity is Severity.HARD for criterion, _, _ in rejected)
    never = ", so that gate is never GO there" if hard else ""
    if gate is Gate.ENTRY:
        rule = "nothing may be changed before the phase has begun, and its entry comes before that"
        fix = "move it to `gate: exit`, or have its check only look"
    else:
        lacking = {effect for _, _, effect in rejected}
        allow = ", ".join(
            effect.value for effect in Effect if effect in environment.allow | lacking
        )
        rule = f"the environment does not allow it ({plan.path}:{environment.line})"
        fix = f"`allow: [{allow}]` there, or have the check only look"
    line = min(criterion.line for criterion, _, _ in rejected)
    name = environment.name
    where = f"{plan.path}:{line}: {plan.address(phase.id, gate)} is never measured in {name} by"
    return f"{where} {shown}{never}: {rule} ({fix})"
