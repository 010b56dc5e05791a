"""Which runs looked at what, whatever they saw."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tried:
    """A run of which checks of criteria ran, whatever came of them."""

    run: str
    t_us: int  # when it was last heard of
    criteria: frozenset[str]  # full ids
