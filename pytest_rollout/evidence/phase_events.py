"""What happens in a phase, as it is stored: any event, and those of its begin and end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pytest_rollout.evidence.body_texts import Digest, Id, Most, Named, Said

LAST_US = 253_402_300_799_000_000  # the year 9999, the last that a datetime holds


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """Something happened in a phase."""

    type: Annotated[str, Most(500)]
    t_us: int  # event time, microseconds since the epoch
    says: Said = ""
    scenario: Id = ""

    def __post_init__(self) -> None:
        if abs(self.t_us) > LAST_US:
            raise ValueError(f"{self.t_us} is no instant")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseBegun(StoredEvent):
    """A person began a phase: on which decision, and what its exit was to ask."""

    TYPE: ClassVar[str] = "begin"

    by: Named
    release: str | None
    configuration: str | None
    entry: Digest  # of the substance of the decision that cleared it
    asked: Digest  # of the criteria and guardrails of the exit gate


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseEnded(StoredEvent):
    """A person ended a phase, on a decision of its exit."""

    TYPE: ClassVar[str] = "end"

    by: Named
    exit: Digest  # of the substance of the decision
