"""Decisions in the ledger: since when a gate stands where it stands."""

from __future__ import annotations

from datetime import datetime

from pytest_rollout import calendar
from pytest_rollout.evidence.bodies import StoredDecision
from pytest_rollout.evidence.decoding import UndecodableError, decision_in, said
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.plan import Address


def first_decided(ledger: Ledger, gate: Address, environment: str, decision: Decision) -> int:
    """Return when a state of a gate's decision was first recorded, in microseconds.

    It is never before another state that was decided in between: who approved the one that came
    back has not seen that it did.
    """
    since: int | None = None
    for record in ledger.oldest(RecordKind.DECISION, gate.plan, str(gate), environment):
        try:
            recorded = decision_in(said(record, StoredDecision).document)
        except UndecodableError:
            since = None
            continue
        if recorded.partial or recorded.drill:
            continue
        same = recorded.substance_digest == decision.substance_digest
        since = (record.at_us if since is None else since) if same else None
    at = datetime.fromisoformat(decision.decided_at)
    return calendar.to_us(at) if since is None else since
