"""Where records come from: the ledgers that were merged, and the one order of all they hold. Pure.

Every record keeps its first place: sequence, previous hash and hash in the ledger that it was
written to. By that hash it is known everywhere. What it followed there is another record, or the
head of a merged chain, which is made again from its leaves. So all records form one graph, and a
set of them has one order, whichever ledgers brought it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property

from pytest_rollout.evidence.records import GENESIS, Record, link
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import Head


@dataclass(frozen=True, slots=True)
class Merge:
    """A merged chain: its head, and the records that nothing in it followed (first hashes)."""

    head: Head
    leaves: tuple[str, ...]


def merge_of(sequence: object, head: object, leaves: object) -> Merge:
    """The merge in columns that may hold anything."""
    place = sequence if type(sequence) is int else -1
    return Merge(Head(place, str(head)), tuple(str(leaves).split()))


class Lineage:
    """Records by their first places, and the merges that some of them were written after.

    Methods raise LedgerError where a record that others follow is not there; the constructor
    where a record is none that any version writes.
    """

    def __init__(self, records: Iterable[Record], merges: Iterable[Merge]) -> None:
        self.records: dict[str, Record] = {}
        for record in records:
            if not _of_types(record):
                raise LedgerError(f"{record.name} was changed after it was written")
            self.records[record.first.hash] = record
        self.merges = {merge.head.hash: merge for merge in merges}

    def parents(self, record: Record) -> tuple[str, ...]:
        """What a record followed where it was first written: leaves, where that was a merge."""
        before = record.before_first
        if before == GENESIS:
            return ()
        if before in self.records:
            return (before,)
        if before in self.merges:
            return self.merges[before].leaves
        raise LedgerError(f"the record before {named(record)} is gone")

    @cached_property
    def leaves(self) -> tuple[str, ...]:
        """The records that nothing follows, by hash, in one order."""
        followed = {parent for record in self.records.values() for parent in self.parents(record)}
        return tuple(sorted(self.records.keys() - followed))

    @cached_property
    def tips(self) -> tuple[Head, ...]:
        """The first places of the leaves."""
        return tuple(self.records[leaf].first for leaf in self.leaves)

    def ancestors(self, leaves: Iterable[str]) -> list[Record]:
        """The records of some hashes and all that came before them, in the one order.

        By the time at which a record can have been written (its own, or that of one before it),
        then by its place in its ledger, then by its hash.
        """
        ancestors: dict[str, Record] = {}
        open_ = list(leaves)
        while open_:
            hash_ = open_.pop()
            if hash_ in ancestors:
                continue
            if hash_ not in self.records:
                raise LedgerError(f"a record that a merge rests on ({hash_[:12]}) is gone")
            ancestors[hash_] = self.records[hash_]
            open_ += self.parents(ancestors[hash_])
        return sorted(ancestors.values(), key=self._time_of(ancestors.values()))

    def _time_of(self, records: Iterable[Record]) -> _Order:
        times: dict[str, int] = {}
        for record in sorted(records, key=lambda record: record.first.sequence):
            before = (times.get(parent, 0) for parent in self.parents(record))
            times[record.first.hash] = max(record.at_us, *before, 0)
        return _Order(times)

    def chain_to(self, leaf: str) -> list[Record]:
        """The ledger as it was when a record had just been written to it."""
        newest_first: list[Record] = []
        before = leaf
        while before in self.records:
            newest_first.append(_at_first(self.records[before]))
            before = newest_first[-1].previous
            if len(newest_first) > len(self.records):
                raise LedgerError("records follow each other in a circle")
        own = newest_first[::-1]
        if before == GENESIS:
            return own
        if before not in self.merges:
            raise LedgerError(f"the record before {named(own[0])} is gone")
        merge = self.merges[before]
        merged = self.merged(merge.leaves)
        if _head_of(merged) != merge.head:
            raise LedgerError(f"the merge before {named(own[0])} cannot be made again")
        return [*merged, *own]

    def merged(self, leaves: Iterable[str]) -> list[Record]:
        """One chain of all that came up to some records."""
        chain: list[Record] = []
        head = Head(0, GENESIS)
        for record in self.ancestors(leaves):
            first = record.first
            sequence = head.sequence + 1
            hash_ = link(head.hash, record.entry, sequence, record.at_us, first.hash)
            chain.append(
                replace(
                    record,
                    sequence=sequence,
                    previous=head.hash,
                    hash=hash_,
                    first_sequence=first.sequence,
                    first_previous=record.before_first,
                    first_hash=first.hash,
                )
            )
            head = Head(sequence, hash_)
        return chain

    def whole(self) -> tuple[list[Record], list[Merge]]:
        """The one ledger of all these records: its chain, and the merges that it rests on."""
        if len(self.leaves) <= 1:
            chain = [record for leaf in self.leaves for record in self.chain_to(leaf)]
            return chain, self._needed()
        chain = self.merged(self.leaves)
        return chain, [*self._needed(), Merge(_head_of(chain), self.leaves)]

    def _needed(self) -> list[Merge]:
        """The merges that records were written after."""
        before = {record.before_first for record in self.records.values()}
        return [self.merges[head] for head in sorted(before & self.merges.keys())]

    def problems(self) -> Iterator[str]:
        """What of the first places cannot be: gaps, and merges that cannot be made again."""
        for record in self.records.values():
            before = record.before_first
            if before in self.records:
                sequence = self.records[before].first.sequence
            elif before in self.merges:
                sequence = self.merges[before].head.sequence
            elif before == GENESIS:
                sequence = 0
            else:
                yield f"the record before {named(record)} is gone"
                continue
            if record.first.sequence != sequence + 1:
                yield f"{named(record)} does not follow record {sequence} of its ledger"
        for merge in self.merges.values():
            try:
                again = _head_of(self.merged(merge.leaves))
            except LedgerError as error:
                place = merge.head.sequence
                yield f"the merge at record {place} cannot be made again: {error}"
                continue
            if again != merge.head:
                yield f"the merge at record {merge.head.sequence} cannot be made again"


@dataclass(frozen=True, slots=True)
class _Order:
    """The key by which records are put in order."""

    times: dict[str, int]

    def __call__(self, record: Record) -> tuple[int, int, str]:
        first = record.first
        return self.times[first.hash], first.sequence, first.hash


def named(record: Record) -> str:
    """What messages call a record that may be of another ledger."""
    if record.first_hash is None:
        return record.name
    return f"{record.name}, record {record.first.sequence} of the ledger it came from,"


def _of_types(record: Record) -> bool:
    """Whether the columns that order records are of the types that are written."""
    texts = (record.before_first, record.first.hash, record.hash)
    numbers = (record.at_us, record.first.sequence)
    whole = all(type(number) is int for number in numbers) and all(
        type(text) is str for text in texts
    )
    at_first = (record.first_sequence, record.first_previous, record.first_hash)
    return whole and (None not in at_first or at_first == (None, None, None))


def _at_first(record: Record) -> Record:
    """A record as it stood in the ledger that it was first written to."""
    if record.first_hash is None:
        return record
    first = record.first
    nothing = {"first_sequence": None, "first_previous": None, "first_hash": None}
    return replace(
        record,
        sequence=first.sequence,
        previous=record.before_first,
        hash=first.hash,
        **nothing,  # type: ignore[arg-type]
    )


def _head_of(chain: list[Record]) -> Head:
    return Head(chain[-1].sequence, chain[-1].hash) if chain else Head(0, GENESIS)
