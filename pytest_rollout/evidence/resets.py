"""Resets in the ledger: writing one, and those that a run may be judged by."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from pytest_rollout import calendar
from pytest_rollout.evidence.bodies import StoredReset
from pytest_rollout.evidence.decoding import said
from pytest_rollout.evidence.integrity import chain_problems
from pytest_rollout.evidence.known import not_known_to
from pytest_rollout.evidence.ledger import Draft, Ledger
from pytest_rollout.evidence.records import Record, RecordKind
from pytest_rollout.model.life import DRIFT
from pytest_rollout.model.plan import Address, Phase
from pytest_rollout.model.reset import Reset


def reset(ledger: Ledger, given: Reset, environment: str) -> Reset:
    """Add a reset to the chain; returns it as it was recorded. Raises LedgerError."""
    body = StoredReset(by=given.by, reason=given.reason, was=given.was, release=given.release)
    plan, _, _ = given.guardrail.partition(".")
    head = ledger.append(Draft(body, "", plan, given.guardrail, environment))
    return reset_of(next(ledger.between(head.sequence, head.sequence)))


def all_of(ledger: Ledger, address: Address, phase: Phase, environment: str) -> list[Record]:
    """The records of resets of a phase's guardrails, in order."""
    records: list[Record] = []
    for guardrail in (*phase.guardrails, DRIFT):
        subject = address.full(guardrail.id)
        records += ledger.find(RecordKind.RESET, address.plan, subject, environment)
    return sorted(records, key=lambda record: record.sequence)


def reset_of(record: Record) -> Reset:
    """What a record says; raises UndecodableError."""
    body = said(record, StoredReset)
    return Reset(
        guardrail=record.subject,
        by=body.by,
        reason=body.reason,
        at_us=record.at_us,
        at=calendar.stamp(record.at_us),
        was=body.was,
        release=body.release,
    )


def known_at(
    ledger: Ledger, records: Sequence[Record], last: int, releases: set[str | None]
) -> tuple[tuple[Reset, ...], tuple[str, ...]]:
    """The resets of some releases recorded before a place in the chain, and what is damaged.

    A reset lifts a trip, so it counts only where the chain is whole from it on: one that was
    written into the ledger afterwards must lift nothing. One that was given in another ledger,
    without knowing of what was seen before, does not count either.
    """
    before = [record for record in records if record.sequence < last]
    counted = [(record, reset_of(record)) for record in before]
    counted = [
        (record, given)
        for record, given in counted
        if given.release in releases and not_known_to(ledger, record) is None
    ]
    if not counted:
        return (), ()
    first = min(record.sequence for record, _ in counted)
    broken = tuple(islice(chain_problems(ledger.between(max(1, first - 1), last)), 1))
    return tuple(given for _, given in counted), broken
