"""Where the document that a plan comes from says what a criterion asks."""

from __future__ import annotations

from pytest_rollout.late_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """Where the document that a plan comes from says what a criterion asks."""

    section: str
    lines: tuple[int, int] | None = None  # the first and the last
    derived: str = ""  # why it is asked although the document does not say so; empty: it does

    def __str__(self) -> str:
        """As people read it: ``Day 3, Success Criteria, lines 229-231``."""
        if self.lines is None:
            return self.section
        first, last = self.lines
        return f"{self.section}, " + (f"line {first}" if first == last else f"lines {first}-{last}")
