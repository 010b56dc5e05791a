"""A ledger that is only read: a chain in memory, and where its observations and texts are.

An earlier state of a merged ledger is one, and the ledger in a bundle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pytest_rollout.evidence.lineage import Merge
from pytest_rollout.evidence.records import GENESIS, Entry, Record, RecordKind, Row, spelled
from pytest_rollout.evidence.store import Content
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import Head


@dataclass(frozen=True, slots=True)
class Source:
    """Where a chain's observations, texts and files are, and what is wrong with that place."""

    rows: Callable[[int], list[Row]]
    batches: Sequence[int]
    text: Callable[[str], str | None]
    file: Callable[[str], bytes | None]
    hides: Callable[[Record], bool] = lambda record: False
    problems: Callable[[], list[str]] = list
    compactions: Callable[[], Iterator[Record]] | None = None  # None: those of the chain


class ListedStore:
    """A chain in memory that nobody writes to. See :class:`store.Store`."""

    def __init__(
        self, name: str, chain: Sequence[Record], merges: Sequence[Merge], source: Source
    ) -> None:
        self.name = name
        self.last: Head | None = None
        self._chain = chain
        self._merges = merges
        self._source = source

    def close(self) -> None:
        """Nothing is open."""

    def _only_read(self) -> LedgerError:
        return LedgerError(f"{self.name} is read, not written to")

    def append(self, entry: Entry, rows: Sequence[Row], at_us: int | None = None) -> Head:
        """Refuse: it is only read."""
        raise self._only_read()

    def rewrite(self, content: Content, expected: Head) -> None:
        """Refuse: it is only read."""
        raise self._only_read()

    def compact(self, entry: Entry, runs: Sequence[str]) -> Head:
        """Refuse: it is only read."""
        raise self._only_read()

    def shrink(self) -> None:
        """Refuse: it is only read."""
        raise self._only_read()

    def compactions(self) -> Iterator[Record]:
        """Those on record now, also of an earlier state."""
        if self._source.compactions is not None:
            return self._source.compactions()
        return self.about(RecordKind.EVENT, "", "", "", word=None, newest=False)

    def merges(self) -> list[Merge]:
        """The merges that the chain rests on are among them."""
        return list(self._merges)

    def holds(self, head: Head) -> bool:
        """Whether a record is in the chain."""
        return any(
            (record.sequence, record.hash) == (head.sequence, head.hash) for record in self._chain
        )

    def head(self) -> Head:
        """The newest link."""
        last = self._chain[-1:]
        return Head(last[0].sequence, last[0].hash) if last else Head(0, GENESIS)

    def count(self) -> int:
        """How many records there are."""
        return len(self._chain)

    def of_run(self, run: str) -> Iterator[Record]:
        """Every record of a run."""
        return (record for record in self._chain if record.run == run)

    def hashes_of(self, run: str) -> list[str]:
        """The hash of every record of a run."""
        return [record.hash for record in self.of_run(run)]

    def between(self, first: int, last: int | None) -> Iterator[Record]:
        """A stretch of the chain."""
        end = len(self._chain) if last is None else last
        return (record for record in self._chain if first <= record.sequence <= end)

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
        """The records of one kind about one subject."""
        wanted = (kind, plan, subject, environment)
        looked_for = "" if word is None else spelled((word,))
        for record in reversed(self._chain) if newest else self._chain:
            if (record.kind, record.plan, record.subject, record.environment) != wanted:
                continue
            if before is not None and record.sequence >= before:
                continue
            if record.words is None or looked_for in str(record.words):
                yield record

    def first_after(self, at_us: int) -> int | None:
        """The earliest record after an instant."""
        return min(
            (record.sequence for record in self._chain if record.at_us > at_us), default=None
        )

    def rows_of(self, batch: int) -> list[Row]:
        """The observations of a record."""
        return self._source.rows(batch)

    def rows_of_run(self, run: str) -> Iterator[tuple[int, Row]]:
        """The observations of all records of a run."""
        for record in self.of_run(run):
            yield from ((record.sequence, row) for row in self._source.rows(record.sequence))

    def batches_seen(self) -> list[int]:
        """Every record that has observations."""
        return list(self._source.batches)

    def hides(self, record: Record) -> bool:
        """Whether an index of the store does not lead to a record."""
        return self._source.hides(record)

    def problems(self, *, quick: bool = False) -> list[str]:
        """What the database finds wrong; a merged one is read whole anyway."""
        return self._source.problems()

    def keep_text(self, digest: str, text: str) -> None:
        """Refuse: it is only read."""
        raise self._only_read()

    def text(self, digest: str) -> str | None:
        """A text by its digest."""
        return self._source.text(digest)

    def put(self, digest: str, content: bytes) -> None:
        """Refuse: it is only read."""
        raise self._only_read()

    def get(self, digest: str) -> bytes | None:
        """A file by its digest."""
        return self._source.file(digest)

    def has(self, digest: str) -> bool:
        """Whether there is a file of that digest."""
        return self._source.file(digest) is not None
