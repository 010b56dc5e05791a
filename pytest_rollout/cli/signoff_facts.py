"""What verbs share that ask for signatures: the decision that stands, and who has signed it."""

from __future__ import annotations

from datetime import UTC, datetime

from pytest_rollout.cli.project import Project, parsed
from pytest_rollout.cli.real_environment import real_environment
from pytest_rollout.evidence import signatures as stored
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.plan import Address, Phase, Plan
from pytest_rollout.session.signed import believed
from pytest_rollout.signoff.signatures import Signed, SignoffDemand


@dataclass(frozen=True)
class Asked:
    """A gate whose decision is to be signed."""

    project: Project
    plan: Plan
    phase: Phase
    gate: Address
    environment: str
    decision: Decision
    demand: SignoffDemand

    @classmethod
    def of(cls, project: Project, address: str, environment: str | None) -> Asked:
        """Read the last decision of a gate that people sign; raises RolloutError."""
        where = parsed(address)
        phase, plan = project.phase(where), project.plan(where.plan)
        embedded = "a rehearsal is signed by nobody"
        name = real_environment(plan, environment, embedded=embedded)
        if not phase.signoff:
            raise RolloutError(f"{where.name} is signed by nobody (`signoff` of the phase)")
        gate = project.gate(address, name)
        standing, decision, _ = project.standing(gate, name)
        now, authors = datetime.now(UTC), standing.asked.authors
        demand = SignoffDemand(plan, phase, decision, now, authors)
        return cls(project, plan, phase, gate, name, decision, demand)

    def signed(self) -> tuple[Signed, ...]:
        """The signatures of the gate, each with what it is worth by the keys of today."""
        on_record = stored.all_of(self.project.ledger, self.gate, self.environment)
        return tuple(believed(signature, self.plan) for signature in on_record)
