"""What a database must do to hold a ledger: the one protocol that all of them keep.

A store chains what it is given and finds it again; it knows nothing of what a record says. Every
method raises LedgerError where the database fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from pytest_rollout.evidence.lineage import Merge
from pytest_rollout.evidence.records import Entry, Record, RecordKind, Row
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import Head


@dataclass(frozen=True, slots=True)
class Content:
    """All that is chained in a ledger: its records in order, and their observations."""

    records: Sequence[Record]
    rows: Mapping[int, Sequence[Row]]  # by the sequence of their record
    merges: Sequence[Merge]


class Store(Protocol):
    """One connection to a ledger's database; several processes may have one each."""

    @property
    def name(self) -> str:
        """What messages call it: a path, or an address without its password."""

    @property
    def last(self) -> Head | None:
        """What this connection appended last."""

    def close(self) -> None:
        """End the connection."""

    def append(self, entry: Entry, rows: Sequence[Row], at_us: int | None = None) -> Head:
        """Chain one record, and its observations with it: all of it or nothing.

        The record's place, its time and its hash (see ``records.link``) come from here, while no
        other process appends. Refuses where what this connection appended last is gone. ``at_us``
        is the time of what is only derived from other records, and says nothing that is new.
        """

    def compact(self, entry: Entry, runs: Sequence[str]) -> Head:
        """Chain one record and take the observations of runs out: both or nothing."""

    def shrink(self) -> None:
        """Give back the room of what was taken out, where the database does not by itself."""

    def compactions(self) -> Iterator[Record]:
        """The records of all compactions, in order, also where an earlier state is read."""

    def merges(self) -> list[Merge]:
        """The merges that records were written after, and the newest one."""

    def rewrite(self, content: Content, expected: Head) -> None:
        """Replace all that is chained: all of it or nothing, while no other process appends.

        Refuses where the head is not the expected one any more.
        """

    def holds(self, head: Head) -> bool:
        """Whether a record that was appended is still there."""

    def head(self) -> Head:
        """The newest link of the chain; the first one stands on sequence 0 and ``GENESIS``."""

    def count(self) -> int:
        """How many records there are; without gaps as many as the head's sequence says."""

    def of_run(self, run: str) -> Iterator[Record]:
        """Every record of a run, in order."""

    def hashes_of(self, run: str) -> list[str]:
        """The hash of every record of a run, in order, without the records."""

    def between(self, first: int, last: int | None) -> Iterator[Record]:
        """The records of a stretch of the chain in order, both ends included; None: to its end.

        Walks the chain itself, by no index.
        """

    def about(
        self,
        kind: RecordKind,
        plan: str,
        subject: str,
        environment: str,
        *,
        word: str | None,
        newest: bool,
        before: int | None = None,
    ) -> Iterator[Record]:
        """The records of one kind about one subject, read as they are asked for.

        With a word only those that have it in their column ``words``, and those that have no
        such column, whatever they say: older versions stored none. With ``before`` only those of
        a lower sequence.
        """

    def first_after(self, at_us: int) -> int | None:
        """The sequence of the earliest record that was written after an instant."""

    def rows_of(self, batch: int) -> list[Row]:
        """The observations of a record, in the order in which they were appended."""

    def rows_of_run(self, run: str) -> Iterator[tuple[int, Row]]:
        """The observations of all records of a run, by one query and read as they are asked for.

        Each comes with the sequence of its record: records in order, and of each as ``rows_of``.
        """

    def batches_seen(self) -> list[int]:
        """The sequence of every record that has observations."""

    def hides(self, record: Record) -> bool:
        """Whether an index of the database does not lead to a record that is there."""

    def problems(self, *, quick: bool = False) -> list[str]:
        """What the database itself finds wrong with what it holds.

        ``quick`` leaves out what takes longer the more it holds.
        """

    def keep_text(self, digest: str, text: str) -> None:
        """Keep a text by its digest, once."""

    def text(self, digest: str) -> str | None:
        """A text by its digest, as it is stored."""

    def put(self, digest: str, content: bytes) -> None:
        """Keep a file by its digest, whole or not at all: an earlier run may rest on it."""

    def get(self, digest: str) -> bytes | None:
        """A file by its digest, as it is stored; None where there is none."""

    def has(self, digest: str) -> bool:
        """Whether there is a file of that digest."""


class Database(Protocol):
    """A kind of store: the module that makes and opens them. See ``opening.DATABASES``."""

    def to_write(self, address: str) -> Store:
        """The ledger at an address, made if need be."""

    def to_read(self, address: str, until_us: int | None) -> Store:
        """An existing ledger that nothing is written to, as it was at an instant or as it is."""

    def exists(self, address: str) -> bool:
        """Whether there is something at an address; it need not be a ledger."""
