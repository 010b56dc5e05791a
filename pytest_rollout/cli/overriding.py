"""`rollout clear --override`: two people accept what stands against a change, on record."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pytest_rollout.cli.clearing import Look
from pytest_rollout.cli.project import Project
from pytest_rollout.cli.recording import person, words
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.bodies import ClearanceOverridden
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import OptionError, RolloutError
from pytest_rollout.model.people import Authors
from pytest_rollout.model.plan import Plan
from pytest_rollout.report import sentences
from pytest_rollout.signoff.overriding import (
    LIFE_US,
    all_of,
    can_override,
    key,
    signers,
    why_not_by,
)


def override(
    project: Project, plan: Plan, look: Look, environment: str, by: Sequence[str], why: str
) -> None:
    """Put on record that two people accept what stands against a change; raises RolloutError."""
    people, reason = tuple(dict.fromkeys(map(person, by))), words("--reason", why)
    held = list(all_of(look.answer.findings))
    firm = [finding for finding in held if not can_override(finding)]
    decision = look.known.decision
    if firm or decision is None:
        said = "; ".join(sentences.text(finding.reason, plan.timezone) for finding in firm or held)
        raise RolloutError(f"--override: nobody can accept this: {said}")
    today = datetime.now(UTC).astimezone(ZoneInfo(plan.timezone)).date()
    doubt = why_not_by(plan.roster, people, today, _authors(plan, look))
    if doubt:
        raise OptionError("--override", doubt)
    _signed(plan, look, decision, people)
    now_us = time.time_ns() // 1000
    event = ClearanceOverridden(
        type=ClearanceOverridden.TYPE,
        t_us=now_us,
        says=f"overridden by {' and '.join(people)}: {reason}",
        gate=str(look.answer.address),
        release=decision.release,
        substance=decision.substance_digest,
        by=people,
        why=reason,
        accepted=tuple(map(key, held)),
        until_us=now_us + LIFE_US,
    )
    with closing(opening.to_write(project.ledger_at)) as store:
        PhaseLife(store, decision.address, environment).record(event)


def _authors(plan: Plan, look: Look) -> Authors | None:
    """Who made the change, where the plan keeps them from clearing it."""
    if plan.author is None:
        return None
    if look.known.authors is None or not look.known.authors.names:
        raise OptionError("--override", "it is not known who made the change")
    return look.known.authors


def _signed(plan: Plan, look: Look, decision: Decision, people: Sequence[str]) -> None:
    """Raise RolloutError where people have keys and one of them has not signed."""
    if not plan.roster.has_keys:
        return
    given = signers(look.known.signed, decision.substance_digest)
    for name in people:
        if name not in given:
            raise RolloutError(
                f"--override: {name} has not signed it: `rollout sign {look.answer.address} "
                f"--as ROLE --override --why WHY --by {name} --env {decision.environment} "
                "--key FILE`"
            )
