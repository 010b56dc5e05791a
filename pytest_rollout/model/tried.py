"""Which runs looked at which criteria, with any result."""

from __future__ import annotations

from pytest_rollout.late_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Tried:
    """A run in which checks of criteria ran, with any result."""

    run: str
    t_us: int  # when it was last heard of
    criteria: frozenset[str]  # full ids
