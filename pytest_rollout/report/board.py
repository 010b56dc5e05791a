"""The board: every phase of every plan, with its last answers, who is next, and its next window."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report.html import ANSWER_TONES, page


@dataclass(frozen=True, slots=True)
class BoardGate:
    """A gate of a phase as it was answered last."""

    gate: str
    answer: str  # empty: it was never decided
    more: str  # conditions, or why it is no GO
    decided: str
    page: str  # of its report, from the board; empty: there is none

    @property
    def tone(self) -> str:
        """The tone of the answer."""
        return ANSWER_TONES[Answer(self.answer)] if self.answer else "none"


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A phase."""

    phase: str
    title: str
    state: str  # begun, ended, frozen; empty: neither
    owners: str
    release: str
    window: str
    gates: tuple[BoardGate, ...]
    next: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanBoard:
    """A plan in one environment."""

    plan: str
    title: str
    environment: str
    troubles: tuple[str, ...]  # trips, blind guardrails, drift: what comes first
    rows: tuple[BoardRow, ...]


def to_html(boards: Sequence[PlanBoard], made: str) -> str:
    """Return the board as one HTML page; ``made`` is when, in words."""
    template, style, policy = page("board.html.j2", "board.css")
    return template.render(boards=boards, made=made, style=style, policy=policy)
