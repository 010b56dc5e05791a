"""How each guardrail stands at a look, and what that answers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pytest_rollout.judge.guardrails import judge_guardrail, look_again
from pytest_rollout.judge.memory import Memory
from pytest_rollout.model.decision import Finding, Part
from pytest_rollout.model.evidence import World
from pytest_rollout.model.plan import Guardrail, Phase, Plan, Then
from pytest_rollout.model.verdict import Answer, Verdict


class State(StrEnum):
    """How a guardrail stands."""

    TRIPPED = "tripped"
    BLIND = "blind"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Standing:
    """A guardrail at one look."""

    guardrail: Guardrail
    finding: Finding
    memory: Memory = field(default_factory=Memory)  # for the next look at the same world

    @property
    def state(self) -> State:
        """Tripped, blind or quiet."""
        known = {Verdict.FAIL: State.TRIPPED, Verdict.PASS: State.QUIET}
        return known.get(self.finding.verdict, State.BLIND)

    @property
    def worst(self) -> Part | None:
        """The group that tells most."""
        return min(self.finding.parts, key=lambda part: part.verdict.rank, default=None)

    @property
    def value(self) -> str:
        """What was taken last of that group; empty where nothing was."""
        part = self.worst
        return part.estimate.value if part and part.estimate else ""

    @property
    def answer(self) -> Answer:
        """What the gate would answer because of this one."""
        then = self.guardrail.then
        tripped = self.state is State.TRIPPED
        if tripped and Then.ROLLBACK in then:
            return Answer.ROLLBACK
        blind = any(
            part.verdict.holds_back and part.verdict is not Verdict.FAIL
            for part in self.finding.parts
        )
        if blind or self.state is State.BLIND or (tripped and Then.PAUSE in then):
            return Answer.HOLD
        return Answer.GO


def standings(
    plan: Plan,
    phase: Phase,
    world: World,
    running: World,
    at_us: int,
    before: Sequence[Standing] = (),
) -> tuple[Standing, ...]:
    """Each guardrail as a gate would see it; one that what still runs has tripped is tripped.

    ``before`` is an earlier look at the same world, to which only later slots were added.
    """
    environment = plan.environments.get(world.run.environment)
    max_age = environment.max_age_us if environment else None
    oldest_us = at_us - max_age if max_age is not None else 0
    memories = {one.guardrail.id: one.memory for one in before}
    found = []
    for one in phase.guardrails:
        memory = memories.get(one.id, Memory())
        finding, memory = look_again(plan, phase, one, world, at_us, oldest_us, memory)
        if finding.verdict is not Verdict.FAIL and running.seen != world.seen:
            ahead = judge_guardrail(plan, phase, one, running, at_us, oldest_us)
            finding = ahead if ahead.verdict is Verdict.FAIL else finding
        found.append(Standing(one, finding, memory))
    return tuple(found)


def answer(found: Sequence[Standing]) -> Answer:
    """The worst that any of them asks for; HOLD where nothing is watched."""
    return min((one.answer for one in found), key=lambda one: one.rank, default=Answer.HOLD)
