"""What a gate asks, as a fingerprint, and what of a world counts for it."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from pytest_rollout.model.decision import canonical
from pytest_rollout.model.evidence import Hole, Rolled, World
from pytest_rollout.model.plan import Criterion, Gate, Guardrail, Phase, Plan


def counted(plan: Plan, world: World) -> World:
    """What counts: of a run without a seal nothing, of a gate what was found as it asks now."""
    if not world.run.sealed:
        return replace(world, checks={}, seen=(), lost=(), rolled=())
    return replace(world, rolled=tuple(_as_asked(plan, item) for item in world.rolled))


def _as_asked(plan: Plan, item: Rolled) -> Rolled:
    phase = plan.phase(item.of.phase)
    if phase is None or isinstance(item.verdict, Hole):
        return item
    if item.asked == criteria_digest(phase, item.of.gate):
        return item
    why = f"{item.of.address(plan.id)} was decided by other criteria than the plan states now"
    return replace(item, verdict=Hole(why))


def watched(phase: Phase, gate: Gate) -> tuple[Guardrail, ...]:
    """Guardrails are watched from begin to end, so they weigh at the exit."""
    return phase.guardrails if gate is Gate.EXIT else ()


def criteria_digest(phase: Phase, gate: Gate) -> str:
    """A fingerprint of what a gate asks, whatever the layout of the file.

    The faults that drills plant are no part of it: they ask nothing of the target.
    """
    stated: tuple[Criterion | Guardrail, ...] = (*phase.of(gate), *watched(phase, gate))
    rows = [{**dataclasses.asdict(one), "line": 0} for one in stated]
    for row in rows:
        del row["faults"]
        if row.get("check"):
            row["check"]["line"] = 0
    return hashlib.sha256(canonical(_plain(rows)).encode()).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (Fraction, Decimal)):
        return str(value)
    return getattr(value, "value", value)
