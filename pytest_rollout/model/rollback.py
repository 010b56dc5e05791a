"""How a phase is rolled back: its steps, and what must be looked at again afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pytest_rollout.model.check import Check


class Mode(StrEnum):
    """Whether `rollout watch --execute` asks somebody before it rolls back."""

    ASK = "ask"  # a person confirms it
    AUTO = "auto"  # nobody is asked


@dataclass(frozen=True, slots=True)
class RollbackStep:
    """One step in the plan's words, with what does it and what shows that it is done."""

    says: str
    action: Check | None = None  # None: people do it
    check: Check | None = None  # holds once the step is done, so that it is done once
    line: int = 0


@dataclass(frozen=True, slots=True)
class Rollback:
    """The steps of a rollback, in their order."""

    steps: tuple[RollbackStep, ...] = ()
    mode: Mode = Mode.ASK
    revalidate: tuple[str, ...] = ()  # gates (phase/gate) that must be GO anew afterwards
