"""Resets in the ledger: writing one, and those that a run may be judged by."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from pytest_rollout import calendar
from pytest_rollout.evidence.integrity import chain_problems
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import Draft, Record, RecordKind
from pytest_rollout.model.evidence import Head
from pytest_rollout.model.plan import Address, Phase
from pytest_rollout.model.reset import Reset


def reset(ledger: Ledger, one: Reset, environment: str) -> Head:
    """Add a reset to the chain; its time is that of recording. Raises LedgerError."""
    body = {"by": one.by, "reason": one.reason, "was": one.was, "release": one.release}
    plan, _, _ = one.guardrail.partition(".")
    return ledger.append(Draft(RecordKind.RESET, "", body, plan, one.guardrail, environment))


def all_of(ledger: Ledger, address: Address, phase: Phase, environment: str) -> list[Record]:
    """The records of resets of a phase's guardrails, in order."""
    found: list[Record] = []
    for guardrail in phase.guardrails:
        subject = address.full(guardrail.id)
        found += ledger.find(RecordKind.RESET, address.plan, subject, environment)
    return sorted(found, key=lambda record: record.sequence)


def reset_of(record: Record) -> Reset:
    """What a record says; raises ValueError, KeyError or TypeError where it cannot be read."""
    body: Mapping[str, Any] = json.loads(record.body)
    return Reset(
        guardrail=record.subject,
        by=str(body["by"]),
        reason=str(body["reason"]),
        at_us=record.at_us,
        at=calendar.stamp(record.at_us),
        was=str(body["was"]),
        release=body["release"],
    )


def known_at(
    ledger: Ledger, records: Sequence[Record], last: int, releases: set[str | None]
) -> tuple[tuple[Reset, ...], tuple[str, ...]]:
    """The resets of some releases recorded before a place in the chain, and what is damaged.

    A reset lifts a trip, so it counts only where the chain is whole from it on: one that was
    written into the ledger afterwards must lift nothing.
    """
    before = [record for record in records if record.sequence < last]
    counted = [(record, reset_of(record)) for record in before]
    counted = [(record, one) for record, one in counted if one.release in releases]
    if not counted:
        return (), ()
    first = min(record.sequence for record, _ in counted)
    broken = tuple(islice(chain_problems(ledger.between(max(1, first - 1), last)), 1))
    return tuple(one for _, one in counted), broken
