"""The ledger: records that say something, appended to a store and found in it again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import Any

from pytest_rollout.evidence import compaction
from pytest_rollout.evidence.bodies import Attached, Body, ItemReport, StoredDecision, kind_of_body
from pytest_rollout.evidence.clean_bodies import redacted, redacted_rows
from pytest_rollout.evidence.compaction import Compaction
from pytest_rollout.evidence.decoding import encoded, words_of
from pytest_rollout.evidence.records import (
    Batch,
    Entry,
    Record,
    RecordKind,
    Row,
    rows_digest,
    storable,
)
from pytest_rollout.evidence.store import Store
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import Head
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.redact import hide_bytes

MOST_ATTACHED = 10_000_000  # bytes of a file that is kept as evidence


@dataclass(frozen=True, slots=True)
class Draft:
    """A record before it has a place in the chain; its kind is that of its body."""

    body: Body
    run: str = ""
    plan: str = ""
    subject: str = ""
    environment: str = ""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file as it was kept: without secrets."""

    digest: str
    size: int


@dataclass(slots=True)
class Kept:
    """The records of a run that is decided and reported now, and its newest record, if whole."""

    run: str
    records: list[Record] = field(default_factory=list)
    head: Head | None = None  # of the chain, when it was last read
    whole: Record | None = None  # nothing is wrong with what was chained up to this one
    log: Any = None  # the records taken apart; see run_log.log_of

    def read(self, store: Store) -> list[Record]:
        """Return the records, those that were chained since the last time with them."""
        head = store.head()
        if head != self.head:
            if self.head is None or not store.holds(self.head):
                self.records, self.whole = list(store.of_run(self.run)), None
                self.log = None
            else:
                last = max(self.head.sequence, self.records[-1].sequence if self.records else 0)
                new = store.between(last + 1, None)
                self.records += [record for record in new if record.run == self.run]
            self.head = head
        return self.records


class Ledger:
    """What one process writes to a store and reads from it. See ``opening`` for how to get one.

    Whatever is written is redacted here, by what this process knows to be secret. Every method
    raises LedgerError where the store fails.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._kept: Kept | None = None
        self._compactions: tuple[Head, dict[str, Compaction]] | None = None  # when last read
        self._decided: dict[tuple[str, str], int] = {}  # by run and gate; see `decided_at`

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.store.name

    @property
    def last(self) -> Head | None:
        """What was appended here last."""
        return self.store.last

    def close(self) -> None:
        """End the connection."""
        self.store.close()

    def append(self, draft: Draft) -> Head:
        """Add one record to the chain."""
        return self._append(draft, [])

    def compact(self, draft: Draft, runs: Sequence[str]) -> Head:
        """Add one record and take the observations of runs out, both or nothing."""
        return self.store.compact(self._entry(draft), runs)

    def compaction_of(self, run: str) -> Compaction | None:
        """The act on record that took the observations of a run out; None where there is none."""
        head = self.store.head()
        if self._compactions is None or self._compactions[0] != head:
            self._compactions = head, compaction.by_run(self.store.compactions())
        return self._compactions[1].get(run)

    def append_batch(self, run: str, environment: str, batch: Batch, worker: str) -> Head:
        """Add what one item left, its observations with it."""
        rows: list[Row] = [row.row() for row in redacted_rows(batch.observations)]
        body = ItemReport(
            item=batch.item,
            phase=batch.phase,
            worker=worker,
            attempts=tuple((Verdict(verdict), why) for verdict, why in batch.attempts),
            observations=len(rows),
            digest=rows_digest(rows),
            attachments=tuple(Attached(**attachment) for attachment in batch.attachments),
        )
        plan, _, _ = batch.phase.partition(".")
        return self._append(Draft(body, run, plan, storable(batch.item), environment), rows)

    def _append(self, draft: Draft, rows: list[Row]) -> Head:
        before = self.store.last
        head = self.store.append(self._entry(draft), rows)
        if before is None or head.sequence != before.sequence + 1:
            self._decided.clear()
        if isinstance(draft.body, StoredDecision):
            self._decided[draft.run, draft.subject] = head.sequence
        return head

    def decided_at(self, run: str, gate: str) -> int | None:
        """The place of a decision that was appended here; None where others have written since."""
        return self._decided.get((run, gate)) if self.store.last == self.store.head() else None

    def _entry(self, draft: Draft) -> Entry:
        body = redacted(draft.body)
        where = (draft.run, draft.plan, draft.subject, draft.environment)
        return Entry(kind_of_body(body), *where, encoded(body), words_of(body))

    def attach(self, content: bytes) -> KeptFile:
        """Keep a file as evidence, by the digest that it has without secrets.

        What is inside of an archive is not looked at.
        """
        raw = hide_bytes(content)
        kept = KeptFile(hashlib.sha256(raw).hexdigest(), len(raw))
        self.store.put(kept.digest, raw)
        return kept

    def lost_file(self, digest: str) -> str | None:
        """What became of a file that was kept: ``is gone``, or changed; None where it is whole."""
        content = self.store.get(digest)
        if content is None:
            return "is gone"
        whole = hashlib.sha256(content).hexdigest() == digest
        return None if whole else "was changed after it was attached"

    def holds(self, head: Head) -> bool:
        """Whether a record that was appended is still there."""
        return self.store.holds(head)

    def keep_text(self, digest: str, text: str) -> None:
        """Keep a text by the SHA-256 of its UTF-8, once."""
        self.store.keep_text(digest, text)

    def text(self, digest: str) -> str | None:
        """A text by its digest; raises LedgerError where it is not what was stored."""
        text = self.store.text(digest)
        if text is None:
            return None
        if hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() != digest:
            raise LedgerError(f"text {digest[:12]} was changed after it was stored")
        return text

    def head(self) -> Head:
        """The newest link of the chain."""
        return self.store.head()

    def remember(self, run: str) -> None:
        """Keep the records of a run: from now on only those that are chained later are read."""
        self._kept = Kept(run)

    def kept(self, run: str) -> Kept | None:
        """What is remembered of a run; None of any other."""
        return self._kept if self._kept is not None and self._kept.run == run else None

    def of_run(self, run: str) -> list[Record]:
        """Every record of a run, in order."""
        kept = self.kept(run)
        return list(self.store.of_run(run) if kept is None else kept.read(self.store))

    def hashes_of(self, run: str) -> list[str]:
        """The hash of every record of a run, in order, without reading the records."""
        return self.store.hashes_of(run)

    def between(self, first: int, last: int | None = None) -> Iterator[Record]:
        """The records of a stretch of the chain, both ends included; without an end all."""
        return self.store.between(first, last)

    def find(self, kind: RecordKind, plan: str, subject: str, environment: str) -> list[Record]:
        """The records of one kind about one subject in an environment, in order."""
        return list(self.oldest(kind, plan, subject, environment))

    def newest(
        self,
        kind: RecordKind,
        plan: str,
        subject: str,
        environment: str,
        *,
        word: str | None = None,
        before: int | None = None,
    ) -> Iterator[Record]:
        """The records of one kind about one subject, newest first, read as they are asked for.

        With a word only those that are searched for it, and those of older versions, which store no
        words: what each says must be looked at. With ``before`` those of a lower sequence.
        """
        where = (kind, plan, subject, environment)
        return self.store.about(*where, word=word, newest=True, before=before)

    def oldest(
        self,
        kind: RecordKind,
        plan: str,
        subject: str,
        environment: str,
        *,
        word: str | None = None,
    ) -> Iterator[Record]:
        """As :meth:`newest`, oldest first."""
        return self.store.about(kind, plan, subject, environment, word=word, newest=False)

    def runs(self, gate: str, environment: str) -> Iterator[Record]:
        """The first records of runs that may have asked for a gate, newest first."""
        return self.newest(RecordKind.RUN, "", "", environment, word=gate)

    def first_after(self, at_us: int) -> int | None:
        """The sequence of the earliest record that was written after an instant."""
        return self.store.first_after(at_us)

    def rows_of(self, batch: int) -> list[Row]:
        """The observation rows of a batch, as they are stored."""
        return self.store.rows_of(batch)
