"""Drills in the ledger: keeping one, and when a gate last said no in one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_rollout import calendar
from pytest_rollout.evidence.decoding import UndecodableError, said
from pytest_rollout.evidence.drill_bodies import (
    DrilledCriterion,
    DrilledFault,
    DrilledHealthy,
    StoredDrill,
)
from pytest_rollout.evidence.ledger import Draft, Ledger
from pytest_rollout.evidence.records import RecordKind, as_written
from pytest_rollout.model.coding import encode
from pytest_rollout.model.drill import Drill, DrillOutcome, FaultRow, LastNo, exit_status
from pytest_rollout.model.evidence import Head
from pytest_rollout.model.plan import EMBEDDED, Address, Gate
from pytest_rollout.model.proof import FaultProof
from pytest_rollout.model.verdict import Answer

_SCHEMA = 1


def keep(ledger: Ledger, drill: Drill) -> Head:
    """Add a drill to the chain; it belongs to no run and satisfies nothing. Raises LedgerError."""
    plan, phase = drill.address.plan, str(drill.address)
    return ledger.append(Draft(_stored(drill), "", plan, phase, EMBEDDED))


def to_data(drill: Drill) -> Any:
    """A drill as it is stored: plain values that JSON knows."""
    return encode(_stored(drill))


def _stored(drill: Drill) -> StoredDrill:
    healthy = drill.healthy
    return StoredDrill(
        phase=str(drill.address),
        plan_digest=drill.plan_digest,
        release=healthy.release,
        exit_status=exit_status(drill.cells),
        healthy=DrilledHealthy(
            answers={gate.value: answer for gate, answer in healthy.answers.items()},
            verdicts=healthy.verdicts,
            seconds=round(healthy.seconds, 1),
            trouble=healthy.trouble,
        ),
        faults=tuple(map(_fault, drill.rows)),
        left_out=drill.left_out,
        schema=_SCHEMA,
    )


def _fault(row: FaultRow) -> DrilledFault:
    criteria = tuple(
        DrilledCriterion(cell.id, cell.gate, cell.outcome, cell.verdict, cell.because)
        for cell in row.cells
    )
    return DrilledFault(
        fault=row.fault,
        criteria=criteria,
        collateral=row.collateral,
        answers={gate.value: answer for gate, answer in row.answers.items()},
        collapsed=row.collapsed,
        seconds=round(row.seconds, 1),
    )


def last_no(ledger: Ledger, gate: Address, plan_digest: str) -> LastNo | None:
    """When a gate last said no in a drill; None where it never did. Raises LedgerError."""
    assert gate.gate is not None
    for at, drill in _newest(ledger, gate):
        for fault, answer in _noes(drill, gate.gate):
            digest = drill.plan_digest
            return LastNo(at, fault, answer, drill.release, digest, digest != plan_digest)
    return None


def last_outcomes(
    ledger: Ledger, phase: Address, slug: str, plan_digest: str
) -> dict[str, FaultProof]:
    """What became of each fault that a criterion names, in the last drill that planted it.

    By the fault's text. Raises LedgerError.
    """
    outcomes: dict[str, FaultProof] = {}
    for at, drill in _newest(ledger, phase):
        outdated = drill.plan_digest != plan_digest
        for row in drill.faults:
            cell = next((cell for cell in row.criteria if cell.id == slug), None)
            if cell is not None and row.fault not in outcomes:
                outcomes[row.fault] = FaultProof(row.fault, cell.outcome, at, outdated)
    return outcomes


def _newest(ledger: Ledger, phase: Address) -> Iterator[tuple[str, StoredDrill]]:
    """Yield the drills of a phase with their times (RFC 3339, UTC), newest first.

    A record that was changed, or cannot be read, proves nothing and is passed over.
    """
    for record in ledger.newest(RecordKind.DRILL, phase.plan, phase.name, EMBEDDED):
        if not as_written(record):
            continue
        try:
            yield calendar.stamp(record.at_us), said(record, StoredDrill)
        except UndecodableError:
            continue


def _noes(drill: StoredDrill, gate: Gate) -> Iterator[tuple[str, Answer]]:
    """The faults of a drill to which a gate said no, with its answers; the worst first.

    It says no where a criterion of it that names the fault noticed it, and the gate is GO
    without the fault and not with it.
    """
    if drill.healthy.answers.get(gate.value) is not Answer.GO:
        return
    noes = []
    for row in drill.faults:
        answer = row.answers.get(gate.value, Answer.GO)
        caught = any(
            criterion.gate is gate and criterion.outcome is DrillOutcome.CAUGHT
            for criterion in row.criteria
        )
        if caught and answer is not Answer.GO:
            noes.append((row.fault, answer))
    yield from sorted(noes, key=lambda no: no[1].rank)
