"""Whether a phase was rolled back, and which gates were looked at anew since then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from pytest_rollout import calendar
from pytest_rollout.evidence.bodies import StoredDecision, StoredEvent, TripEvent
from pytest_rollout.evidence.decoding import UndecodableError, judged, said
from pytest_rollout.evidence.history import History
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import Record, RecordKind
from pytest_rollout.evidence.run_log import first_of
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.plan import Address, Gate, Phase, Plan
from pytest_rollout.model.verdict import Answer

_WORD = Answer.ROLLBACK.value


@dataclass(frozen=True, slots=True)
class RolledBack:
    """The newest ROLLBACK of a phase: a decision of its exit, or a trip that a watch recorded."""

    sequence: int
    at: str  # a stamp
    what: str


def last_rollback(ledger: Ledger, address: Address, environment: str) -> RolledBack | None:
    """The newest ROLLBACK of a phase in an environment; drills are none."""
    rollbacks = [*_decisions(ledger, address, environment), *_trips(ledger, address, environment)]
    return max(rollbacks, key=lambda back: back.sequence, default=None)


def decided_rollback(ledger: Ledger, address: Address, environment: str) -> RolledBack | None:
    """The newest ROLLBACK that a run decided at a phase's exit."""
    return next(_decisions(ledger, address, environment), None)


def open_gates(
    ledger: Ledger, history: History, address: Address, phase: Phase, environment: str
) -> tuple[RolledBack | None, dict[str, str]]:
    """The rollback after which gates must be GO anew, and why one is not yet.

    A gate is, where a run that began after the rollback is its last full one and decided GO.
    Empty where the plan asks for none, or nothing was rolled back.
    """
    wanted = phase.rollback.revalidate
    back = last_rollback(ledger, address, environment) if wanted else None
    if back is None:
        return None, {}
    lacking = {}
    for name in wanted:
        gate = Address.parse(f"{address.plan}.{name}")
        why = _lacks(ledger, history, gate, environment, back)
        if why:
            lacking[name] = why
    return back, lacking


def taken_back(
    ledger: Ledger, history: History, plan: Plan, gate: Address, environment: str
) -> Iterator[tuple[Address, RolledBack]]:
    """The gates that a gate stands on and that were GO before a ROLLBACK of their phase.

    It stands on what its criteria roll up, and an entry gate on the exits of the phases that it
    requires, also of another plan. Of a required phase that is not GO any more another demand
    tells.
    """
    required = _required(plan, gate)
    for source in stands_on(plan, gate):
        back = last_rollback(ledger, source, environment)
        standing = history.standing(source, environment) if back else None
        if back is None or standing is None or standing.decision is None:
            continue
        if standing.decision.answer is not Answer.GO:
            if source not in required:
                yield source, back
        elif first_of(ledger, standing.asked.run).sequence < back.sequence:
            yield source, back


def stands_on(plan: Plan, gate: Address) -> tuple[Address, ...]:
    """The gates that a gate of a plan stands on: exits of required phases, and what it rolls up."""
    phase = plan.phase(gate.phase)
    stated = phase.of(gate.gate) if phase and gate.gate else ()
    rolled_up = (
        rolls_up.address(plan.id) for criterion in stated for rolls_up in criterion.rolls_up
    )
    return tuple(dict.fromkeys([*_required(plan, gate), *rolled_up]))


def _required(plan: Plan, gate: Address) -> tuple[Address, ...]:
    phase = plan.phase(gate.phase) if gate.gate is Gate.ENTRY else None
    return tuple(plan.required(name) for name in phase.requires) if phase else ()


def _lacks(
    ledger: Ledger, history: History, gate: Address, environment: str, back: RolledBack
) -> str:
    standing = history.standing(gate, environment)
    if standing is None:
        return "no full run has asked for it"
    if standing.damage or standing.decision is None:
        return (
            f"the last run decided nothing that counts ({standing.damage or 'it never finished'})"
        )
    if first_of(ledger, standing.asked.run).sequence < back.sequence:
        decided = datetime.fromisoformat(standing.decision.decided_at)
        at = calendar.wall(calendar.to_us(decided), standing.decision.timezone)
        return f"last looked at before the rollback ({at})"
    answer = standing.decision.answer
    return "" if answer is Answer.GO else f"it is {answer.value}"


def _decisions(ledger: Ledger, address: Address, environment: str) -> Iterator[RolledBack]:
    exit_ = str(address.at(Gate.EXIT))
    where = (RecordKind.DECISION, address.plan, exit_, environment)
    for record in ledger.newest(*where, word=_WORD):
        with suppress(UndecodableError):  # of what is damaged the chain tells
            decided = judged(said(record, StoredDecision))
            if decided.decision is Answer.ROLLBACK and not decided.drill:
                yield _back(record, f"run {record.run} decided {decided.decision.value}")
                return


def _trips(ledger: Ledger, address: Address, environment: str) -> Iterator[RolledBack]:
    where = (RecordKind.EVENT, address.plan, address.name, environment)
    for record in ledger.newest(*where, word=_WORD):
        with suppress(UndecodableError):
            event = said(record, StoredEvent)
            if isinstance(event, TripEvent) and event.answer is Answer.ROLLBACK:
                yield _back(record, f"{event.guardrail} tripped while it was watched")
                return


def _back(record: Record, what: str) -> RolledBack:
    return RolledBack(record.sequence, calendar.stamp(record.at_us), what)
