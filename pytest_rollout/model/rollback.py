"""How a phase is rolled back: its steps, and what must be looked at again afterwards."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.check import Check


class StepOutcome(StrEnum):
    """What became of a step."""

    BEGUN = "begun"
    DONE = "done"
    ALREADY = "already done"
    BY_HAND = "to be done by hand"
    FAILED = "failed"
    UNKNOWN = "unknown"  # begun by somebody who never said how it ended
    LEFT = "left"  # not begun, because a step before it failed

    @property
    def good(self) -> bool:
        """Whether nothing of it is left to do."""
        return self in (StepOutcome.DONE, StepOutcome.ALREADY)


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

    def key(self, number: int) -> str:
        """What the step is known by in events: its place from 1 on, and all that it says."""
        said = f"{number} {self.says} {self.action}"
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Rollback:
    """The steps of a rollback, in their order."""

    steps: tuple[RollbackStep, ...] = ()
    mode: Mode = Mode.ASK
    revalidate: tuple[str, ...] = ()  # gates (phase/gate) that must be GO anew afterwards
