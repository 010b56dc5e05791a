"""What the record of a mutation drill says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated

from pytest_rollout.evidence.body_texts import Digest, Id, Most, Why
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.mutants import MutantOutcome
from pytest_rollout.model.mutation import Weight
from pytest_rollout.model.plan import Gate
from pytest_rollout.model.verdict import Answer, Verdict

Change = Annotated[str, Most(300)]


@dataclass(frozen=True, slots=True)
class StoredPhase:
    """A phase without a mutant."""

    phase: Id
    answers: Mapping[Id, Answer]  # by gate
    release: str | None
    seconds: float
    trouble: Why = ""
    stated: Mapping[Id, tuple[Id, ...]] = field(default_factory=dict)  # by gate


@dataclass(frozen=True, slots=True)
class StoredNotice:
    """What noticed a mutant."""

    id: Id
    gate: Gate
    weight: Weight
    verdict: Verdict
    because: Change


@dataclass(frozen=True, slots=True)
class StoredTrial:
    """One rehearsal of a phase with a mutant."""

    phase: Id
    notices: tuple[StoredNotice, ...]
    ran_through: tuple[Id, ...]
    answers: Mapping[Id, Answer]  # by gate
    collapsed: bool
    hung: bool
    trouble: Why
    seconds: float


@dataclass(frozen=True, slots=True)
class StoredChange:
    """The change itself."""

    id: Id
    file: Id
    line: int
    operator: Id
    before: Change
    after: Change
    start: int
    end: int
    replacement: Change
    replaced: Change = ""
    last_line: int = 0


@dataclass(frozen=True, slots=True)
class StoredMutant:
    """What became of one mutant."""

    mutant: StoredChange
    outcome: MutantOutcome
    trials: tuple[StoredTrial, ...]
    because: Why


@dataclass(frozen=True, slots=True)
class StoredMutationDrill:
    """The mutation drill of a plan, or of some of its phases.

    Fields are named as in :class:`pytest_rollout.model.mutation.MutationDrill`.
    """

    plan: Id
    plan_digest: Digest
    phases: tuple[StoredPhase, ...]
    paths: tuple[Id, ...]
    population: int
    chosen: int
    seed: int
    results: tuple[StoredMutant, ...]
    changed_since: Id
    stopped: Why
    schema: int = 1
