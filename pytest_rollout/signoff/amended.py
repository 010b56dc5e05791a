"""Whether amendments are their approvers': each is verified by the keys of a plan's people."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import zip_longest

from pytest_rollout import calendar
from pytest_rollout.judge.case import instant
from pytest_rollout.judge.people import day_of
from pytest_rollout.model.attestation import Proof
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.finding import Fact, Reason
from pytest_rollout.model.life import Amendment, Approval, Life, Unbelieved
from pytest_rollout.model.people import Person
from pytest_rollout.model.plan import Plan
from pytest_rollout.signoff import ssh
from pytest_rollout.signoff.signatures import CLOCKS_APART_US


def believed_life(life: Life | None, plan: Plan) -> Life | None:
    """Return a life whose amendments are believed; the others are told apart, with the reason.

    Without people who have keys an amendment needs no signature, but one that is given must be
    good. Where the program that verifies is not there, nothing that needs it is believed.
    """
    if life is None or not life.amendments:
        return life
    believed: list[tuple[Amendment, Proof | None]] = []
    unbelieved = list(life.unbelieved)
    for amendment, proof in zip_longest(life.amendments, life.proofs[: len(life.amendments)]):
        doubt = _doubt(amendment, proof, plan)
        if doubt is None:
            believed.append((amendment, proof))
        else:
            unbelieved.append(Unbelieved(amendment, doubt))
    return replace(
        life,
        amendments=tuple(amendment for amendment, _ in believed),
        proofs=tuple(proof for _, proof in believed),
        unbelieved=tuple(unbelieved),
    )


def _doubt(amendment: Amendment, proof: Proof | None, plan: Plan) -> Reason | None:
    """Why an amendment is not believed by the keys of a plan; None where it is."""
    if proof is None:
        return Reason("attested.unsigned") if plan.roster.has_keys else None
    approval = Approval.of(amendment, proof.environment, proof.at)
    try:
        why = ssh.why_invalid(approval, proof.armour, plan.roster.keys, plan.roster.revoked)
    except RolloutError as error:
        why = str(error)
    if why:
        return Reason("signature.not-believed", {"why": why})
    if _same_person(amendment, plan):
        return Reason("amended.alone", {"person": amendment.approved_by})
    made_us = calendar.to_us(datetime.fromisoformat(proof.at))
    recorded_us = calendar.to_us(datetime.fromisoformat(amendment.at))
    facts: dict[str, Fact]
    if abs(made_us - recorded_us) > CLOCKS_APART_US:
        at, recorded = instant(made_us, plan.timezone), instant(recorded_us, plan.timezone)
        return Reason("signature.at-another-time", {"at": at, "recorded": recorded})
    day = day_of(made_us, plan)
    full = amendment.criterion
    phases = (phase for phase in plan.phases if plan.address(phase.id).full(amendment.slug) == full)
    roles = next((phase.signoff for phase in phases), ())
    if roles and not any(plan.roster.holds(amendment.approved_by, role, day) for role in roles):
        facts = {"role": " or ".join(roles), "day": day.isoformat()}
        return Reason("signature.no-such-role", facts)
    return None


def _same_person(amendment: Amendment, plan: Plan) -> bool:
    """Whether somebody approved what they had asked for themselves, by any of their names."""
    approver = plan.roster.person(amendment.approved_by) or Person(amendment.approved_by, "", ())
    return approver.called(amendment.by)
