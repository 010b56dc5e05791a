"""Overrides and clearances in the ledger: those of a phase, and those that a run must show."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pytest_rollout.evidence.bodies import ClearanceGiven, ClearanceOverridden, StoredEvent
from pytest_rollout.evidence.decoding import said
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import Record, RecordKind
from pytest_rollout.evidence.run_log import Told
from pytest_rollout.model.override import Override
from pytest_rollout.model.plan import Address


def overrides_of(
    ledger: Ledger, address: Address, environment: str, until: int | None = None
) -> Iterator[Override]:
    """The overrides of a phase, oldest first; ``until`` is the first sequence left out.

    Raises LedgerError.
    """
    for record in _events(ledger, address, environment, ClearanceOverridden.TYPE):
        body = said(record, StoredEvent)
        if isinstance(body, ClearanceOverridden) and (until is None or record.sequence < until):
            yield _override(record, body)


def standing(
    ledger: Ledger,
    address: Address,
    environment: str,
    releases: Collection[str | None],
    until: int | None = None,
) -> tuple[Override, ...]:
    """The overrides that every later decision of a phase and some releases shows."""
    overrides = overrides_of(ledger, address, environment, until)
    return tuple(override for override in overrides if override.release in releases)


def clearances_of(
    ledger: Ledger, address: Address, environment: str
) -> Iterator[Told[ClearanceGiven]]:
    """The receipts that were given for a phase, oldest first; raises LedgerError."""
    for record in _events(ledger, address, environment, ClearanceGiven.TYPE):
        body = said(record, StoredEvent)
        if isinstance(body, ClearanceGiven):
            yield Told(record, body)


def _events(ledger: Ledger, address: Address, environment: str, type_: str) -> Iterator[Record]:
    where = (RecordKind.EVENT, address.plan, address.name, environment)
    return ledger.oldest(*where, word=type_)


def _override(record: Record, body: ClearanceOverridden) -> Override:
    return Override(
        gate=body.gate,
        release=body.release,
        substance=body.substance,
        by=body.by,
        why=body.why,
        at_us=record.at_us,
        until_us=body.until_us,
        accepted=body.accepted,
    )
