"""Whose turn it is in a real environment, once a phase has ended."""

from __future__ import annotations

from itertools import dropwhile

from pytest_rollout.cli.project import Project
from pytest_rollout.evidence.bodies import PhaseEnded, StoredEvent
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.evidence.run_log import Told, first_of
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.plan import Gate, Phase, Plan


@dataclass(frozen=True, slots=True)
class LastEnd:
    """The newest end of a phase of a plan, where no other phase is under way."""

    ended: Phase
    next: Phase | None  # None: the last phase has ended


def phase_after(ledger: Ledger, plan: Plan, ended: Phase, environment: str) -> Phase | None:
    """Return the next phase of the plan that had no turn since a phase began; raises LedgerError.

    In a second rollout that is a phase which ended in the first one.
    """
    begin = PhaseLife(ledger, plan.address(ended.id), environment).newest_begin()
    since = begin.record.sequence if begin else 0
    later = list(dropwhile(lambda phase: phase.id != ended.id, plan.phases))[1:]
    for phase in later:
        turn = PhaseLife(ledger, plan.address(phase.id), environment).turn()
        if turn is None or turn.record.sequence < since:
            return phase
    return None


def last_end(project: Project, plan: Plan, environment: str) -> LastEnd | None:
    """Return the end that the next step of a plan follows; raises LedgerError.

    None where a phase is under way, or its entry gate was asked for since that end.
    """
    turns = {
        phase.id: PhaseLife(project.ledger, plan.address(phase.id), environment).turn()
        for phase in plan.phases
    }
    on_record = [(told, plan.phase(slug)) for slug, told in turns.items() if told is not None]
    if not on_record or any(_begun(told) for told, _ in on_record):
        return None
    newest, ended = max(on_record, key=lambda turn: turn[0].record.sequence)
    entries = (asked_for(project, plan, phase, Gate.ENTRY, environment) for phase in plan.phases)
    if ended is None or any(asked > newest.record.sequence for asked in entries):
        return None
    following = phase_after(project.ledger, plan, ended, environment)
    if following is None and None in turns.values():
        return None  # an earlier phase never began, and says so itself
    return LastEnd(ended, following)


def asked_for(project: Project, plan: Plan, phase: Phase, gate: Gate, environment: str) -> int:
    """Return where the last full run of a gate begins in the ledger; 0 where there is none."""
    standing = project.history.standing(plan.address(phase.id, gate), environment)
    return first_of(project.ledger, standing.asked.run).sequence if standing else 0


def _begun(told: Told[StoredEvent]) -> bool:
    return told.body.type != PhaseEnded.TYPE
