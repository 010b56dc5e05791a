"""What a gate asks, as a fingerprint, and what of a world counts for it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
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
    """Return a fingerprint of what a gate asks, whatever the layout of the file.

    What stands at its default is left out, so that a key which the plan language learns later
    voids no decision about a plan that does not use it. A default must therefore never change
    its meaning. The faults that drills plant are no part of it: they ask nothing of the target.
    """
    stated: tuple[Criterion | Guardrail, ...] = (*phase.of(gate), *watched(phase, gate))
    return hashlib.sha256(canonical(_plain(stated)).encode()).hexdigest()


_ASKS_NOTHING = ("line", "faults")


def _plain(value: object) -> object:
    """Return a value as JSON has it; of a dataclass the fields that are not at their default."""
    if dataclasses.is_dataclass(value):
        asked = (one for one in dataclasses.fields(value) if one.name not in _ASKS_NOTHING)
        held = ((one, getattr(value, one.name)) for one in asked)
        return {one.name: _plain(item) for one, item in held if not _at_default(one, item)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (Fraction, Decimal)):
        return str(value)
    return getattr(value, "value", value)


def _at_default(field: dataclasses.Field[object], value: object) -> bool:
    if field.default_factory is not dataclasses.MISSING:
        return value == field.default_factory()
    return field.default is not dataclasses.MISSING and value == field.default
