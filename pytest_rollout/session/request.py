"""What one run of pytest asks and how: resolved once, the same in every process of the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.plan import EMBEDDED, Address, Environment, Gate, Phase, Plan
from pytest_rollout.plan.load import Loaded
from pytest_rollout.session.seams import is_controller as is_controller
from pytest_rollout.session.seams import is_worker as is_worker
from pytest_rollout.session.seams import told_by_controller

WORKERINPUT = "rollout"
WORKEROUTPUT = "rollout"


@dataclass(frozen=True, slots=True)
class Request:
    """The plans found, the gates asked, and where evidence goes."""

    root: Path
    loaded: tuple[Loaded, ...]
    broken: tuple[Loaded, ...]  # asked, and with problems
    asked: tuple[tuple[Plan, Phase], ...]
    gates: tuple[Address, ...]
    environment: str
    environment_source: str
    run: str
    ledger: str  # its address
    report: Path
    drill: str | None
    partial: tuple[str, ...]
    places: tuple[str, ...] = ()  # collected because plans are asked
    why: tuple[str, ...] = ()  # why these gates, on a real environment
    first: bool = False  # whether there was no ledger before this run

    @property
    def deciding(self) -> bool:
        """Whether this run will answer with decisions."""
        return bool(self.asked)

    @property
    def embedded(self) -> bool:
        """Whether this is a rehearsal on reference targets."""
        return self.environment == EMBEDDED

    @property
    def plans(self) -> tuple[Plan, ...]:
        """Every plan that could be read whole."""
        return tuple(loaded.plan for loaded in self.loaded if loaded.plan and not loaded.problems)

    @property
    def alone(self) -> str:
        """Say that nothing recorded before can count; empty where something was, or need not.

        A hidden folder is easily lost between two jobs of a pipeline.
        """
        if self.embedded or not self.first:
            return ""
        return (
            f"this run makes the ledger {self.ledger}, so nothing that an earlier job or another "
            "machine recorded counts (hand its folder on: artifacts leave hidden ones out)"
        )

    def gates_of(self, plan: Plan, phase: Phase) -> tuple[Gate, ...]:
        """The gates asked of a phase; none where it was not asked."""
        return tuple(
            address.gate
            for address in self.gates
            if address.gate and (address.plan, address.phase) == (plan.id, phase.id)
        )

    def environment_of(self, plan: Plan) -> Environment:
        """The environment as a plan describes it; a plan need not know every one."""
        return plan.environments.get(self.environment, Environment(self.environment))


@dataclass(frozen=True, slots=True)
class Handover:
    """What the controller tells its workers."""

    run: str
    gates: tuple[str, ...]
    drill: str | None

    def asks(self, plan: Plan, phase: Phase) -> bool:
        """Whether the controller asks for a phase."""
        gates = (Address.parse(gate) for gate in self.gates)
        return any((gate.plan, gate.phase) == (plan.id, phase.id) for gate in gates)

    def to_json(self) -> str:
        """One string, because execnet carries builtins only."""
        return json.dumps({"run": self.run, "gates": list(self.gates), "drill": self.drill})

    @classmethod
    def of(cls, config: pytest.Config) -> Handover | None:
        """What this worker was told; None in a process that is no worker."""
        told = told_by_controller(config, WORKERINPUT)
        if told is None:
            return None
        data = json.loads(told)
        return cls(data["run"], tuple(data["gates"]), data["drill"])
