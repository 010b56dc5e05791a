"""Who has signed a decision: the signatures on record, by the keys of today."""

from __future__ import annotations

from datetime import UTC, datetime

from pytest_rollout.evidence import history
from pytest_rollout.evidence import signatures as stored
from pytest_rollout.evidence.bodies import StoredSignature
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.run_log import Told
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.finding import Finding
from pytest_rollout.model.plan import Phase, Plan
from pytest_rollout.signoff import reviews, ssh
from pytest_rollout.signoff.signatures import Signed, SignoffDemand, signatures


def believed(told: Told[StoredSignature], plan: Plan, keys: str | None = None) -> Signed:
    """Return a signature on record with why it is not believed, if it is not."""
    body, roster = told.body, plan.roster
    if body.review is not None:
        why = reviews.why_not_believed(body.signed, body.review, roster)
    else:
        known = roster.keys if keys is None else keys
        why = ssh.why_invalid(body.signed, body.armour, known, roster.revoked)
    return Signed(body.signed, told.record.at_us, why, body.review)


def signed_so_far(
    ledger: Ledger, plan: Plan, phase: Phase, decision: Decision
) -> tuple[Finding, ...]:
    """Return how each role stands that signs a decision, and each objection to it."""
    where = decision.address
    asked = history.asking_run(ledger, where, decision.run)
    authors = asked.authors if asked is not None else None
    demand = SignoffDemand(plan, phase, decision, datetime.now(UTC), authors)
    given = [
        believed(signature, plan)
        for signature in stored.all_of(ledger, where, decision.environment)
    ]
    return tuple(signatures(demand, given))
