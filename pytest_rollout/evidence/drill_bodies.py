"""What the record of a drill says."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_rollout.evidence.body_texts import Digest, Id
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.drill import DrillOutcome
from pytest_rollout.model.plan import Gate
from pytest_rollout.model.verdict import Answer, Verdict


@dataclass(frozen=True, slots=True)
class DrilledHealthy:
    """The rehearsal of a drill without any fault."""

    answers: Mapping[Id, Answer]  # by gate
    verdicts: Mapping[Id, Verdict]  # by id within the phase
    seconds: float
    trouble: str


@dataclass(frozen=True, slots=True)
class DrilledCriterion:
    """What became of a criterion or guardrail under a fault that it names."""

    id: Id
    gate: Gate
    outcome: DrillOutcome
    verdict: Verdict | None
    because: str


@dataclass(frozen=True, slots=True)
class DrilledFault:
    """What one fault did to a phase."""

    fault: Id
    criteria: tuple[DrilledCriterion, ...]
    collateral: Mapping[Id, Verdict]
    answers: Mapping[Id, Answer]
    collapsed: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class StoredDrill:
    """The drill of one phase."""

    phase: Id
    plan_digest: Digest
    release: str | None
    exit_status: int
    healthy: DrilledHealthy
    faults: tuple[DrilledFault, ...]
    left_out: tuple[Id, ...]
    schema: int
