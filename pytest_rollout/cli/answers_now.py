"""What people have attested by now, judged as the next run would judge it."""

from __future__ import annotations

from datetime import UTC, datetime

from pytest_rollout import calendar
from pytest_rollout.cli.project import Project
from pytest_rollout.evidence.attestations import all_of, attestation_of
from pytest_rollout.evidence.decoding import UndecodableError
from pytest_rollout.judge.case import Case
from pytest_rollout.model.attestation import Attestation
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.evidence import Head, Manifest, ReleaseFact, Run, World
from pytest_rollout.model.people import Authors
from pytest_rollout.model.plan import EMBEDDED, Address, Phase, Plan
from pytest_rollout.signoff.attested import verified


def answers_now(
    project: Project,
    plan: Plan,
    phase: Phase,
    environment: str,
    release: str | None,
    authors: Authors | None,
) -> Case:
    """Return a phase's case with all answers in the ledger, and nothing else that was seen.

    ``authors`` made the change; None where nobody has to know. Raises RolloutError where an
    answer cannot be read.
    """
    now_us = calendar.to_us(datetime.now(UTC))
    releases = (ReleaseFact("now", release),)
    run = Run("", environment, now_us, now_us, sealed=True, releases=releases, authors=authors)
    answers: tuple[Attestation, ...] = ()
    if environment != EMBEDDED and project.has_ledger:
        records = all_of(project.ledger, Address(plan.id, phase.id), phase, environment)
        try:
            answers = tuple(attestation_of(record) for record in records)
        except UndecodableError as error:
            why = f"the ledger was damaged (`rollout verify`): {error}"
            raise RolloutError(why, code="ledger.damaged", damage=str(error)) from error
    world = World(run, Manifest(), {}, (), Head(0, ""), attestations=answers)
    return Case(plan, phase, verified(world, plan), now_us)
