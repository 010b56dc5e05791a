"""What drills found: which faults the criteria that name them noticed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.plan import Address, Gate
from pytest_rollout.model.verdict import Answer, Verdict


class DrillOutcome(StrEnum):
    """What became of one criterion under a fault that it names."""

    CAUGHT = "caught"  # its verdict left pass and warn
    MISSED = "MISSED"  # it passed all the same
    COLLAPSED = "collapsed"  # nothing of the phase could be measured, so nothing said no
    UNPROVEN = "unproven"  # it does not pass without the fault either
    NOT_RUN = "not run"  # the fault is not known, or its rehearsal did not end well
    NOT_APPLICABLE = "not applicable"  # its `when:` is not met here, so it is not asked


@dataclass(frozen=True, slots=True)
class Demanded:
    """What became of one demand of a gate on the run itself, such as a known release."""

    id: str
    gate: Gate
    verdict: Verdict
    because: str


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a rehearsal of a whole phase came to, with a fault or without."""

    verdicts: Mapping[str, Verdict] = field(default_factory=dict)  # by id within the phase
    reasons: Mapping[str, str] = field(default_factory=dict)
    guardrails: frozenset[str] = frozenset()  # those of the ids that are no criteria
    answers: Mapping[Gate, Answer] = field(default_factory=dict)
    release: str | None = None
    seconds: float = 0.0
    trouble: str = ""  # why it could not be run or read; then nothing else counts
    demands: tuple[Demanded, ...] = ()
    checks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # node ids, by criterion


@dataclass(frozen=True, slots=True)
class Cell:
    """One criterion or guardrail under a fault that it names."""

    id: str
    gate: Gate
    outcome: DrillOutcome
    verdict: Verdict | None
    because: str


@dataclass(frozen=True, slots=True)
class FaultRow:
    """What one fault did to a phase."""

    fault: str
    cells: tuple[Cell, ...]
    collateral: Mapping[str, Verdict] = field(default_factory=dict)  # left pass unasked
    answers: Mapping[Gate, Answer] = field(default_factory=dict)
    collapsed: bool = False  # every criterion of the phase left pass
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Drill:
    """The drill of one phase: its healthy rehearsal, then one with each fault."""

    address: Address  # of the phase
    plan_digest: str
    healthy: Rehearsal
    rows: tuple[FaultRow, ...]
    left_out: tuple[str, ...] = ()  # faults that the phase names and this drill did not plant

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every criterion under every fault that it names."""
        return tuple(cell for row in self.rows for cell in row.cells)


@dataclass(frozen=True, slots=True)
class LastNo:
    """When a gate last said no in a drill, and to what."""

    at: str  # RFC 3339, UTC
    fault: str
    answer: Answer
    release: str | None
    plan_digest: str
    outdated: bool  # by another text of the plan


def exit_status(cells: tuple[Cell, ...]) -> int:
    """0 where all were caught, 10 where one was MISSED, 11 where it cannot be said."""
    if any(cell.outcome is DrillOutcome.MISSED for cell in cells):
        return Answer.NO_GO.exit_status
    asked = {cell.outcome for cell in cells} - {DrillOutcome.NOT_APPLICABLE}
    return 0 if asked == {DrillOutcome.CAUGHT} else Answer.HOLD.exit_status
