"""Whether attestations are their people's: each is verified by the keys of a plan's people."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pytest_rollout import calendar
from pytest_rollout.judge.case import Case, instant
from pytest_rollout.judge.people import attested, day_of
from pytest_rollout.model.attestation import Attestation
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.evidence import World
from pytest_rollout.model.finding import Fact, Reason
from pytest_rollout.model.people import Roster
from pytest_rollout.model.plan import Gate, Plan
from pytest_rollout.signoff import ssh
from pytest_rollout.signoff.amended import believed_life
from pytest_rollout.signoff.signatures import CLOCKS_APART_US


def verified(world: World, plan: Plan) -> World:
    """Return a world in which each attestation that needs a proof says what it is worth.

    Amendments that are not believed are told apart, so that none of them counts.

    Without people who have keys an attestation needs none, but one that is given must be good.
    Where the program that verifies is not there, nothing that needs it is believed.
    """
    answers = tuple(believed_answer(answer, plan) for answer in world.attestations)
    life = believed_life(world.life, plan)
    same = answers == world.attestations and life == world.life
    return world if same else replace(world, attestations=answers, life=life)


def disowned(case: Case, roster: Roster, gate: Gate) -> tuple[Reason, ...]:
    """Return what of a judged run's answers today's people and keys do not bear out any more.

    ``case`` is as the run was judged. An answer whose key was revoked since is told of here.
    """
    if not any(answer.proof for answer in case.world.attestations):
        return ()
    plan = replace(case.plan, roster=roster)
    today = replace(case, plan=plan, world=verified(case.world, plan))
    lost = []
    for criterion in case.phase.of(gate):
        part = attested(today, criterion) if criterion.attested else None
        if part and part.verdict.holds_back and not attested(case, criterion).verdict.holds_back:
            facts: dict[str, Fact] = {"subject": case.full(criterion.id), "reason": part.reason}
            lost.append(Reason("told", facts))
    return tuple(lost)


def believed_answer(answer: Attestation, plan: Plan) -> Attestation:
    """Return an attestation with what it is worth by the keys of a plan."""
    if answer.proof is None and not plan.roster.has_keys:
        return answer
    try:
        why = doubt(answer, plan)
    except RolloutError as error:
        why = Reason("signature.not-believed", {"why": str(error)})
    return replace(answer, verified=True, doubt=why)


def doubt(answer: Attestation, plan: Plan) -> Reason | None:
    """Return why an attestation is not believed by the keys of a plan; None where it is.

    Raises RolloutError where ssh-keygen cannot be asked.
    """
    roster, statement = plan.roster, answer.statement
    if statement is None or answer.proof is None:
        return Reason("attested.unsigned")
    why = ssh.why_invalid(statement, answer.proof.armour, roster.keys, roster.revoked)
    if why:
        return Reason("signature.not-believed", {"why": why})
    made_us = calendar.to_us(datetime.fromisoformat(statement.at))
    if abs(made_us - answer.at_us) > CLOCKS_APART_US:
        at, recorded = instant(made_us, plan.timezone), instant(answer.at_us, plan.timezone)
        return Reason("signature.at-another-time", {"at": at, "recorded": recorded})
    day = day_of(made_us, plan)
    if answer.passed and not roster.holds(statement.person, statement.role, day):
        facts = {"role": statement.role, "day": day.isoformat()}
        return Reason("signature.no-such-role", facts)
    return None
