"""Texts in records: which are ids, and how long others may be once they were redacted."""

from __future__ import annotations

from typing import Annotated, NewType

from pytest_rollout.late_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Kept:
    """Marks a text that is never redacted."""


@dataclass(frozen=True, slots=True)
class Most:
    """Marks a text that is cut, after it was redacted, to so many characters."""

    characters: int


Id = Annotated[str, Kept()]
PlanId = NewType("PlanId", str)  # kept, too; a pair of plain texts would be taken for labels
Digest = Annotated[str, Kept()]
Named = Annotated[str, Most(200)]
Said = Annotated[str, Most(2_000)]
Why = Annotated[str, Most(500)]
