"""Overrides: what people accepted together although it stands against a change."""

from __future__ import annotations

from pytest_rollout.late_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Override:
    """What was accepted, by whom and why, of which decision and until when."""

    gate: str  # plan.phase/gate
    release: str | None
    substance: str  # digest of the decision's substance
    by: tuple[str, ...]
    why: str
    at_us: int
    until_us: int
    accepted: tuple[str, ...]  # the findings, by name
