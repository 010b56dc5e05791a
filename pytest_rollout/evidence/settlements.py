"""Settlements in the ledger: of which runs people have said that their rest was not run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from pytest_rollout import calendar
from pytest_rollout.evidence.bodies import RunSettled, StoredEvent
from pytest_rollout.evidence.decoding import UndecodableError, said
from pytest_rollout.evidence.known import knew_all, lineage_of
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.evidence.records import Record, RecordKind
from pytest_rollout.model.plan import Address
from pytest_rollout.model.settlement import Settlement


def settle(
    ledger: Ledger, address: Address, environment: str, settlement: Settlement
) -> Settlement:
    """Put a settlement of a run on record for a phase; returns it as it was recorded."""
    life = PhaseLife(ledger, address, environment)
    body = RunSettled(
        type=RunSettled.TYPE,
        t_us=settlement.at_us,
        says=settlement.why,
        settled=settlement.run,
        by=settlement.by,
    )
    return _settlement(life.record(body).record)


def known_at(
    ledger: Ledger, phase: str, environment: str, before: int | None = None
) -> Mapping[str, Settlement]:
    """Return the settlements of a phase (plan.phase) recorded before a sequence, by their runs.

    Raises UndecodableError. Whether the chain is whole from them on is asked by those who read
    what they lift: it is of records before them.
    """
    return {
        settlement.run: settlement
        for settlement in map(_settlement, records_of(ledger, phase, environment, before))
    }


def records_of(
    ledger: Ledger, phase: str, environment: str, before: int | None = None
) -> Iterator[Record]:
    """Yield the records of a phase's settlements that count, in order.

    People settle what they know of: one counts where the ledger that it was written to held all
    that is on record of the run by now. What only came in by a merge nobody has settled.
    """
    plan, _, _ = phase.partition(".")
    where = (plan, phase, environment)
    wrote = []
    for record in ledger.oldest(RecordKind.EVENT, *where, word=RunSettled.TYPE):
        early = before is None or record.sequence < before
        body = said(record, StoredEvent) if early else None
        if isinstance(body, RunSettled):
            wrote.append((record, body.settled))
    merged = any(record.first_hash is not None for record, _ in wrote)
    lineage = lineage_of(ledger) if merged else None
    for record, run in wrote:
        held = [part for part in ledger.of_run(run) if before is None or part.sequence < before]
        if knew_all(lineage, record, held):
            yield record


def all_in(records: Iterable[Record]) -> tuple[Settlement, ...]:
    """Return the newest settlement of each run among records; one that is damaged is none."""
    settlements: dict[str, Settlement] = {}
    for record in records:
        if record.kind is RecordKind.EVENT:
            with suppress(UndecodableError):
                if isinstance(said(record, StoredEvent), RunSettled):
                    settlement = _settlement(record)
                    settlements[settlement.run] = settlement
    return tuple(settlements.values())


def _settlement(record: Record) -> Settlement:
    body = said(record, RunSettled)
    at_us = record.at_us
    return Settlement(body.settled, body.by, body.says, at_us, calendar.stamp(at_us))
