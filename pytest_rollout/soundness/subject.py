"""One criterion or guardrail of a plan, and the remarks that are made on it."""

from __future__ import annotations

from dataclasses import replace

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import Problem
from pytest_rollout.model.plan import Criterion, Guardrail, Phase, Plan
from pytest_rollout.model.rule import Rule


@dataclass(frozen=True, slots=True)
class Remark:
    """What is wrong with one thing that a plan states; grave where it is a defect for certain."""

    id: str  # plan.phase.slug
    problem: Problem
    grave: bool = True


@dataclass(frozen=True, slots=True)
class About:
    """One criterion or guardrail, with the phase and the plan that state it."""

    plan: Plan
    phase: Phase
    stated: Criterion | Guardrail

    @property
    def watched(self) -> bool:
        """Whether it is a guardrail."""
        return isinstance(self.stated, Guardrail)

    @property
    def full(self) -> str:
        """The full id."""
        return self.plan.address(self.phase.id).full(self.stated.id)

    @property
    def ageless(self) -> About:
        """The same, with evidence of any age."""
        if isinstance(self.stated, Guardrail):
            return self
        return replace(self, stated=replace(self.stated, max_age_us=None))

    def remark(self, text: str, fix: str = "", *, grave: bool = True) -> Remark:
        """Return a remark with the file and the line."""
        kind = "guardrail" if self.watched else "criterion"
        told = f"{kind} {self.stated.id} {text}"
        return Remark(self.full, Problem(self.plan.path, self.stated.line, told, fix), grave)

    def sharing(self) -> list[Rule]:
        """Return the rules of the phase's guardrails that share one budget of false alarms."""
        return [rule for rail in self.phase.guardrails for rule in rail.rules if rule.confidence]
