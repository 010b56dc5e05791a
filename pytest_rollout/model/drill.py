"""What drills found: which faults the criteria that name them noticed, and its stored form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pytest_rollout.model.plan import Address, Gate
from pytest_rollout.model.verdict import Answer, Verdict

SCHEMA = 1


class DrillOutcome(StrEnum):
    """What became of one criterion under a fault that it names."""

    CAUGHT = "caught"  # its verdict left pass and warn
    MISSED = "MISSED"  # it passed all the same
    COLLAPSED = "collapsed"  # nothing of the phase could be measured, so nothing said no
    UNPROVEN = "unproven"  # it does not pass without the fault either
    NOT_RUN = "not run"  # the fault is not known, or its rehearsal did not end well
    NOT_APPLICABLE = "not applicable"  # its `when:` is not met here, so it is not asked


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


def to_data(drill: Drill) -> dict[str, Any]:
    """A drill as it is stored: plain values that JSON knows."""
    healthy = drill.healthy
    return {
        "schema": SCHEMA,
        "phase": str(drill.address),
        "plan_digest": drill.plan_digest,
        "release": healthy.release,
        "exit_status": exit_status(drill.cells),
        "healthy": {
            "answers": _values(healthy.answers),
            "verdicts": _values(healthy.verdicts),
            "seconds": round(healthy.seconds, 1),
            "trouble": healthy.trouble,
        },
        "faults": [_row(row) for row in drill.rows],
        "left_out": list(drill.left_out),
    }


def _row(row: FaultRow) -> dict[str, Any]:
    cells = [
        {
            "id": cell.id,
            "gate": cell.gate.value,
            "outcome": cell.outcome.value,
            "verdict": cell.verdict.value if cell.verdict else None,
            "because": cell.because,
        }
        for cell in row.cells
    ]
    return {
        "fault": row.fault,
        "criteria": cells,
        "collateral": _values(row.collateral),
        "answers": _values(row.answers),
        "collapsed": row.collapsed,
        "seconds": round(row.seconds, 1),
    }


def _values(members: Mapping[Any, Any]) -> dict[str, str]:
    return {str(key): member.value for key, member in members.items()}


def noes(data: Mapping[str, Any], gate: Gate) -> Iterator[tuple[str, Answer]]:
    """The faults of a stored drill to which a gate said no, with its answers; the worst first.

    It says no where a criterion of it that names the fault noticed it, and the gate is GO
    without the fault and not with it. Raises KeyError, TypeError or ValueError where the data
    is none that :func:`to_data` makes.
    """
    if data["healthy"]["answers"].get(gate.value) != Answer.GO.value:
        return
    found = []
    for row in data["faults"]:
        answer = Answer(row["answers"].get(gate.value, Answer.GO.value))
        caught = any(
            cell["gate"] == gate.value and cell["outcome"] == DrillOutcome.CAUGHT.value
            for cell in row["criteria"]
        )
        if caught and answer is not Answer.GO:
            found.append((str(row["fault"]), answer))
    yield from sorted(found, key=lambda one: one[1].rank)
