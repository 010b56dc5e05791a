"""What a record's writer knew: the ledger that it was written to, out of a merged one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_rollout.evidence.bodies import ItemReport, StoredEvent, TripEvent
from pytest_rollout.evidence.decoding import said
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.lineage import Lineage, Merge
from pytest_rollout.evidence.records import GENESIS, Entry, Record, RecordKind, Row, spelled
from pytest_rollout.evidence.store import Content, Store
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import Head


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
    if {one.first for one in records} - {one.first for one in chain}:
        raise LedgerError(f"the records of run {run} do not all come from one ledger")
    return Ledger(_ChainStore(ledger.store, chain))


def knew(ledger: Ledger, later: Record, earlier: Record) -> bool:
    """Whether a record was written to a ledger that already held another one."""
    if later.first_hash is None:
        return later.sequence > earlier.sequence
    before = lineage_of(ledger).ancestors([later.first.hash])
    return earlier.first in {one.first for one in before if one.first != later.first}


def not_known_to(ledger: Ledger, reset: Record) -> Record | None:
    """What was seen of a phase before a reset, in a ledger that the reset was not written to.

    A person resets what they know of: it must not lift what only comes together by a merge.
    """
    if reset.first_hash is None:
        return None
    phase = reset.subject.rpartition(".")[0]
    known = {one.first for one in lineage_of(ledger).ancestors([reset.first.hash])}
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


class _ChainStore:
    """A chain that is read out of a store which holds the same records in another order."""

    def __init__(self, store: Store, chain: Sequence[Record]) -> None:
        self.name = store.name
        self.last: Head | None = None
        self._store = store
        self._chain = chain
        places = {one.first.hash: one for one in store.between(0, None)}
        self._there = {one.sequence: places[one.first.hash] for one in chain}

    def close(self) -> None:
        """The store is somebody else's."""

    def append(self, entry: Entry, rows: Sequence[Row], at_us: int | None = None) -> Head:
        """Nothing is written to what was."""
        raise LedgerError(f"an earlier state of {self.name} is read, not written to")

    def rewrite(self, content: Content, expected: Head) -> None:
        """Nothing is written to what was."""
        raise LedgerError(f"an earlier state of {self.name} is read, not written to")

    def merges(self) -> list[Merge]:
        """The merges of the store: those that the chain rests on are among them."""
        return self._store.merges()

    def holds(self, head: Head) -> bool:
        """Whether a record is in the chain."""
        return any((one.sequence, one.hash) == (head.sequence, head.hash) for one in self._chain)

    def head(self) -> Head:
        """The newest link."""
        last = self._chain[-1:]
        return Head(last[0].sequence, last[0].hash) if last else Head(0, GENESIS)

    def of_run(self, run: str) -> Iterator[Record]:
        """Every record of a run."""
        return (one for one in self._chain if one.run == run)

    def between(self, first: int, last: int | None) -> Iterator[Record]:
        """A stretch of the chain."""
        end = len(self._chain) if last is None else last
        return (one for one in self._chain if first <= one.sequence <= end)

    def about(
        self,
        kind: RecordKind,
        plan: str,
        subject: str,
        environment: str,
        *,
        word: str | None,
        newest: bool,
    ) -> Iterator[Record]:
        """The records of one kind about one subject."""
        wanted = (kind, plan, subject, environment)
        looked_for = "" if word is None else spelled((word,))
        for one in reversed(self._chain) if newest else self._chain:
            if (one.kind, one.plan, one.subject, one.environment) != wanted:
                continue
            if one.words is None or looked_for in str(one.words):
                yield one

    def first_after(self, at_us: int) -> int | None:
        """The earliest record after an instant."""
        return min((one.sequence for one in self._chain if one.at_us > at_us), default=None)

    def rows_of(self, batch: int) -> list[Row]:
        """The observations of a record."""
        there = self._there.get(batch)
        return self._store.rows_of(there.sequence) if there else []

    def batches_seen(self) -> list[int]:
        """Every record that has observations."""
        seen = set(self._store.batches_seen())
        return [batch for batch, there in self._there.items() if there.sequence in seen]

    def hides(self, record: Record) -> bool:
        """Whether an index of the store does not lead to a record."""
        return self._store.hides(self._there[record.sequence])

    def problems(self) -> list[str]:
        """What the database finds wrong."""
        return self._store.problems()

    def keep_text(self, digest: str, text: str) -> None:
        """Nothing is written to what was."""
        raise LedgerError(f"an earlier state of {self.name} is read, not written to")

    def text(self, digest: str) -> str | None:
        """A text by its digest."""
        return self._store.text(digest)

    def put(self, digest: str, content: bytes) -> None:
        """Nothing is written to what was."""
        raise LedgerError(f"an earlier state of {self.name} is read, not written to")

    def get(self, digest: str) -> bytes | None:
        """A file by its digest."""
        return self._store.get(digest)

    def has(self, digest: str) -> bool:
        """Whether there is a file of that digest."""
        return self._store.has(digest)
