"""How each guardrail stands at a look, and what that answers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from pytest_rollout.judge.case import Case
from pytest_rollout.judge.guardrails import judge_guardrail, look_again
from pytest_rollout.judge.memory import Memory
from pytest_rollout.judge.since_begin import drift_finding
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import World
from pytest_rollout.model.finding import Finding, Part
from pytest_rollout.model.life import DRIFT
from pytest_rollout.model.plan import Guardrail, Phase, Plan
from pytest_rollout.model.verdict import Answer, State, worst_answer
from pytest_rollout.report.fact_words import amount


@dataclass(frozen=True, slots=True)
class GuardrailStanding:
    """A guardrail at one look."""

    guardrail: Guardrail
    finding: Finding
    memory: Memory = field(default_factory=Memory)  # for the next look at the same world

    @property
    def state(self) -> State:
        """Tripped, blind or quiet."""
        return self.finding.state

    @property
    def latched(self) -> bool:
        """Whether only a reset changes it: a trip, or a hole that may have been one."""
        lost = any(hole is not None for _, hole in self.memory.latched.values())
        return self.state is State.TRIPPED or (self.state is State.BLIND and lost)

    @property
    def worst(self) -> Part | None:
        """The group that tells most."""
        return min(self.finding.parts, key=lambda part: part.verdict.rank, default=None)

    @property
    def value(self) -> str:
        """What was taken last of that group; empty where nothing was."""
        part = self.worst
        estimate = part.estimate if part else None
        return amount(estimate.value, estimate.unit, "") if estimate else ""

    @property
    def answer(self) -> Answer:
        """What the gate would answer because of this one."""
        return self.guardrail.effect(self.finding)


def standings(
    plan: Plan,
    phase: Phase,
    world: World,
    running: World,
    at_us: int,
    before: Sequence[GuardrailStanding] = (),
) -> tuple[GuardrailStanding, ...]:
    """Each guardrail as a gate would see it; one that what still runs has tripped is tripped.

    The last is the built-in one of a phase that has begun: drift. ``before`` is an earlier look
    at the same world, to which only later slots were added.
    """
    case = Case(plan, phase, world, at_us)
    memories = {standing.guardrail.id: standing.memory for standing in before}
    standing = []
    for rail in phase.guardrails:
        finding, memory = look_again(case, rail, memories.get(rail.id, Memory()))
        if finding.state is not State.TRIPPED and running.seen != world.seen:
            ahead = judge_guardrail(Case(plan, phase, running, at_us), rail)
            finding = ahead if ahead.state is State.TRIPPED else finding
        standing.append(GuardrailStanding(rail, finding, memory))
    drift = drift_finding(case)
    return (*standing, *([GuardrailStanding(DRIFT, drift)] if drift else []))


def answer(standing: Sequence[GuardrailStanding]) -> Answer:
    """The worst that any of them asks for; HOLD where nothing is watched."""
    return worst_answer(rail.answer for rail in standing)
