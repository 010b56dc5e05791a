"""What happens in a phase, as it is stored: any event, and those of its begin and end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, ClassVar

from pytest_rollout.evidence.body_texts import Digest, Id, Kept, Most, Named, Said
from pytest_rollout.late_dataclass import dataclass

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
    plan_digest: Digest = ""  # of the text of the plan then; empty: nothing below was kept
    beside: Mapping[Id, Digest] = field(default_factory=dict)  # the files beside it, by name
    stated: Mapping[Id, Digest] = field(default_factory=dict)  # each of the exit, by its slug
    words: Mapping[Id, Said] = field(default_factory=dict)  # what each asked, for people
    targets: Mapping[Id, str] = field(default_factory=dict)  # name: address
    baselines: Mapping[Id, str] = field(default_factory=dict)  # slug: release it compares with


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementAmended(StoredEvent):
    """A criterion or guardrail of a phase that has begun asks something else from now on."""

    TYPE: ClassVar[str] = "amendment"

    criterion: Id  # its slug
    by: Named
    approved_by: Named
    why: Said
    was: Digest  # empty: it was added
    now: Digest  # empty: it was dropped
    stated: Said
    amended: Said
    runs: int  # decisions of the exit that had judged it by then
    failed: int  # in how many of them it did not pass
    verdict: str = ""  # in the last of them
    seen: Said = ""
    plan_digest: Digest = ""  # of the text that holds the amended one
    at: Id = ""  # when the approver signed it, as the signature has it
    armour: Annotated[str, Kept()] = ""  # the approver's signature; empty: nobody signed it


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseEnded(StoredEvent):
    """A person ended a phase, on a decision of its exit."""

    TYPE: ClassVar[str] = "end"

    by: Named
    exit: Digest  # of the substance of the decision
