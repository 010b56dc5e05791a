"""What a record's writer knew: the ledger that it was written to, out of a merged one."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_rollout.evidence.bodies import ItemReport, StoredEvent, TripEvent
from pytest_rollout.evidence.decoding import said
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.lineage import Lineage
from pytest_rollout.evidence.listed_store import ListedStore, Source
from pytest_rollout.evidence.records import Record, RecordKind
from pytest_rollout.evidence.store import Store
from pytest_rollout.model.errors import LedgerError


def lineage_of(ledger: Ledger) -> Lineage:
    """Where the records of a ledger come from; reads all of them."""
    return Lineage(ledger.between(0), ledger.store.merges())


def known_to(ledger: Ledger, run: str) -> Ledger:
    """The ledger that a run was written to, as it was when the run's last record was.

    It is the same ledger where the run was written to it, also after a merge. Raises LedgerError
    where records of it are gone, or the run's own are not all in it.
    """
    records = ledger.of_run(run)
    if not records or records[-1].first_hash is None:
        return ledger
    chain = lineage_of(ledger).chain_to(records[-1].first.hash)
    if {record.first for record in records} - {record.first for record in chain}:
        raise LedgerError(f"the records of run {run} do not all come from one ledger")
    return Ledger(_out_of(ledger.store, chain))


def _out_of(store: Store, chain: Sequence[Record]) -> ListedStore:
    """A chain that is read out of a store which holds the same records in another order."""
    places = {record.first.hash: record for record in store.between(0, None)}
    there = {record.sequence: places[record.first.hash] for record in chain}
    seen = set(store.batches_seen())
    return ListedStore(
        store.name,
        chain,
        store.merges(),
        Source(
            rows=lambda batch: store.rows_of(there[batch].sequence) if batch in there else [],
            batches=[batch for batch, record in there.items() if record.sequence in seen],
            text=store.text,
            file=store.get,
            hides=lambda record: store.hides(there[record.sequence]),
            problems=store.problems,
            compactions=store.compactions,
        ),
    )


def knew(ledger: Ledger, later: Record, earlier: Record) -> bool:
    """Whether a record was written to a ledger that already held another one."""
    if later.first_hash is None:
        return later.sequence > earlier.sequence
    before = lineage_of(ledger).ancestors([later.first.hash])
    return earlier.first in {record.first for record in before if record.first != later.first}


def knew_all(lineage: Lineage | None, later: Record, records: Sequence[Record]) -> bool:
    """Whether a record was written to a ledger that already held all of some others.

    ``lineage`` is that of the ledger, where a merge made it. Of a record whose ancestors are gone
    nobody knows what it knew.
    """
    if later.first_hash is None or lineage is None:
        return all(record.sequence < later.sequence for record in records)
    try:
        before = {ancestor.first for ancestor in lineage.ancestors([later.first.hash])}
    except LedgerError:
        return False
    return before.issuperset(record.first for record in records)


def not_known_to(ledger: Ledger, reset: Record) -> Record | None:
    """What was seen of a phase before a reset, in a ledger that the reset was not written to.

    A person resets what they know of: it must not lift what only comes together by a merge.
    """
    if reset.first_hash is None:
        return None
    phase = reset.subject.rpartition(".")[0]
    known = {ancestor.first for ancestor in lineage_of(ledger).ancestors([reset.first.hash])}
    for record in ledger.between(1, reset.sequence - 1):
        seen = record.environment == reset.environment and _seen_of(record) == phase
        if seen and record.first not in known:
            return record
    return None


def _seen_of(record: Record) -> str:
    """The phase that a record saw something of: a check's report, or a trip; or empty."""
    if record.kind is RecordKind.BATCH:
        return said(record, ItemReport).phase
    if record.kind is RecordKind.EVENT and isinstance(said(record, StoredEvent), TripEvent):
        return record.subject
    return ""
