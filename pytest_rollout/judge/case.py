"""What one judgement is of: a phase of a plan, a world, and the moment of judging."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from zoneinfo import ZoneInfo

from pytest_rollout import calendar
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import canonical
from pytest_rollout.model.evidence import Hole, Rolled, World
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.plan import EMBEDDED, Criterion, Gate, Guardrail, Phase, Plan
from pytest_rollout.model.recorded import Recorded


@dataclass(frozen=True)
class Case:
    """A phase of a plan, what is known of it, and the event time at which it is judged."""

    plan: Plan
    phase: Phase
    world: World
    at_us: int

    def full(self, slug: str) -> str:
        """Return the full id of a criterion or guardrail of the phase."""
        return self.plan.address(self.phase.id).full(slug)

    def instant(self, at_us: int) -> str:
        """Return an instant as the judge records it: ISO 8601 in the plan's zone."""
        return instant(at_us, self.plan.timezone)

    @cached_property
    def embedded(self) -> bool:
        """Whether this is a rehearsal."""
        return self.world.run.environment == EMBEDDED

    @property
    def looks(self) -> int:
        """How often this release was looked at, this time included; rehearsals have no looks."""
        return 1 if self.embedded else max(1, self.world.looks)

    @cached_property
    def release(self) -> str | None:
        """The one release that the run judged, or None."""
        return self.world.run.release

    @cached_property
    def recorded(self) -> Recorded:
        """What was recorded of this release."""
        return Recorded(self.world.seen)

    @cached_property
    def past(self) -> Recorded:
        """What was recorded of other releases."""
        return Recorded(self.world.past)

    def oldest_us(self, max_age_us: int | None = None) -> int:
        """Return the record time before which evidence is stale; 0 where any age is allowed.

        A criterion's own limit, if it states one, takes the place of the environment's.
        """
        environment = self.plan.environments.get(self.world.run.environment)
        if max_age_us is None and environment is not None:
            max_age_us = environment.max_age_us
        return 0 if max_age_us is None else self.world.run.ended_us - max_age_us

    def counted(self) -> Case:
        """Return the case with what counts: of a run without a seal, nothing.

        What another gate found counts only where that gate asks now what it asked then.
        """
        if not self.world.run.sealed:
            bare = replace(self.world, checks={}, seen=(), lost=(), rolled=(), brought=())
            return replace(self, world=bare)
        rolled = tuple(map(self._as_asked, self.world.rolled))
        return replace(self, world=replace(self.world, rolled=rolled))

    def _as_asked(self, rolled: Rolled) -> Rolled:
        phase = self.plan.phase(rolled.of.phase)
        if phase is None or isinstance(rolled.verdict, Hole):
            return rolled
        if rolled.asked == criteria_digest(phase, rolled.of.gate):
            return rolled
        gate = str(rolled.of.address(self.plan.id))
        return replace(rolled, verdict=Hole(Reason("gate.asked-otherwise", {"gate": gate})))


def instant(at_us: int, zone: str) -> str:
    """Return an instant as ISO 8601 text with the offset of a zone."""
    moment: datetime = calendar.from_us(at_us).astimezone(ZoneInfo(zone))
    return moment.isoformat()


def watched(phase: Phase, gate: Gate) -> tuple[Guardrail, ...]:
    """Return the guardrails that weigh at a gate: watched from begin to end, at the exit."""
    return phase.guardrails if gate is Gate.EXIT else ()


def criteria_digest(phase: Phase, gate: Gate) -> str:
    """Return a fingerprint of what a gate asks, whatever the layout of the file.

    What stands at its default is left out, so that a key which the plan language learns later
    voids no decision about a plan that does not use it. A default must therefore never change
    its meaning. The faults that drills plant and the controls that auditors
    know a criterion by are no part of it: they ask nothing of the target.
    """
    stated: tuple[Criterion | Guardrail, ...] = (*phase.of(gate), *watched(phase, gate))
    return hashlib.sha256(canonical(_plain(stated)).encode()).hexdigest()


def statement_digest(stated: Criterion | Guardrail) -> str:
    """Return a fingerprint of what one criterion or guardrail asks, in the same way."""
    return hashlib.sha256(canonical(_plain(stated)).encode()).hexdigest()


_ASKS_NOTHING = ("line", "faults", "controls")


def _plain(value: object) -> object:
    """Return a value as JSON has it; of a dataclass the fields that are not at their default."""
    if dataclasses.is_dataclass(value):
        asked = (field for field in dataclasses.fields(value) if field.name not in _ASKS_NOTHING)
        pairs = ((field, getattr(value, field.name)) for field in asked)
        return {field.name: _plain(item) for field, item in pairs if not _at_default(field, item)}
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
