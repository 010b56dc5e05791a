"""What a phase that has begun asks of a clearance: that nothing changed which nobody recorded."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.judge.since_begin import back_reason, changed_since, drift_reasons
from pytest_rollout.model.finding import Finding
from pytest_rollout.model.life import Life
from pytest_rollout.model.plan import Gate, Phase, Plan
from pytest_rollout.model.verdict import Verdict


def since_begin(
    plan: Plan, phase: Phase, gate: Gate | None, life: Life | None
) -> Iterator[Finding]:
    """Yield what stands against the exit of a phase, with what its targets run now in its life."""
    if gate is not Gate.EXIT or life is None:
        return
    name = plan.address(phase.id).name
    for finding in changed_since(phase, life, name):
        yield Finding("clearance.stated", finding.verdict, finding.reason)
    for reason in drift_reasons(life, plan.timezone, name):
        yield Finding("clearance.drift", Verdict.MISSING, reason)
    back = back_reason(life, plan.timezone)
    if back is not None:
        yield Finding("clearance.rolled-back", Verdict.MISSING, back)
