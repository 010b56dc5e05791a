"""What the run of a phase that makes loads came to: whether a load was made, and what follows."""

from __future__ import annotations

import os
from collections.abc import Sequence

from pytest_rollout.cli.loads_beside import loads_beside
from pytest_rollout.cli.project import Project
from pytest_rollout.evidence.attached_files import attached_files
from pytest_rollout.load.phase_child import Asked
from pytest_rollout.load.reports import is_record
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import LedgerError, RolloutError
from pytest_rollout.model.plan import EMBEDDED
from pytest_rollout.model.verdict import Answer, worst_answer
from pytest_rollout.report.advice import next_verb
from pytest_rollout.report.files import folder_of
from pytest_rollout.report.load_stored import link_of


def unmade(project: Project, asked: Asked, decisions: Sequence[Decision]) -> str:
    """Return why a GO is none: no load was made; empty where one was, or the answer is a no.

    A person who asks for a load and gets none must not be told GO.
    """
    if not decisions or worst_answer(decision.answer for decision in decisions) is not Answer.GO:
        return ""
    try:
        if any(_made(project, asked, decision) for decision in decisions):
            return ""
        return f"no load was made: {_why(project, asked)}"
    except (LedgerError, RolloutError) as error:
        return f"nobody can tell whether a load was made: {error}"


def _made(project: Project, asked: Asked, decision: Decision) -> bool:
    return bool(attached_files(project.ledger, decision.run, asked.name, is_record))


def _why(project: Project, asked: Asked) -> str:
    from pytest_rollout.session.next_gate import PhaseTurn  # pytest, for verbs that need it

    if asked.environment == EMBEDDED:
        return f"no check of {asked.name} makes one"
    turn = PhaseTurn.read(project.ledger, asked.plan, asked.phase, asked.environment)
    if turn.begun:
        return f"no check of {asked.name} at its exit gate makes one"
    return f"{turn.says} ({turn.begins})"


def follows(project: Project, asked: Asked, decision: Decision) -> str:
    """Return what follows a decision, as pytest says it; empty where nothing does."""
    from pytest_rollout.session.next_gate import PhaseTurn

    if asked.environment == EMBEDDED:
        return next_verb(decision)
    try:
        turn = PhaseTurn.read(project.ledger, asked.plan, asked.phase, asked.environment)
    except (LedgerError, RolloutError):
        return ""
    return turn.after(decision)


def loads_said(project: Project, asked: Asked, decision: Decision) -> list[str]:
    """Return what the loads of a decision came to, a line each; of those that can be believed."""
    beside = loads_beside(project.ledger, decision, lambda: (asked.plan, asked.phase))
    links = [link_of(report, "") for report in beside.reports]
    return [f"  load {link.name}: {link.says}" for link in links if link.believed]


def report_of(project: Project, decision: Decision) -> str:
    """Return the folder of a decision's reports, as people write it here."""
    return os.path.relpath(project.report / folder_of(decision))
