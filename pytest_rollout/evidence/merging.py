"""Merging ledgers: all records of all of them in one chain, each with the place it had before.

The same records give the same chain, in whatever order ledgers are merged and however often.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from pytest_rollout.evidence.bodies import Process, RunStart
from pytest_rollout.evidence.decoding import said
from pytest_rollout.evidence.known import not_known_to
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.lineage import Lineage, Merge
from pytest_rollout.evidence.records import Record, RecordKind, Row
from pytest_rollout.evidence.run_log import RunLog
from pytest_rollout.evidence.store import Content
from pytest_rollout.evidence.verify import verify
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import Head

_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge brought in."""

    records: int  # that the ledger did not have before
    runs: tuple[str, ...]  # of which it had no record before
    unfinished: tuple[str, ...]  # those of them that never ended
    kinds: dict[str, int]  # of the new records that are of no run, by kind
    blind: tuple[Record, ...]  # resets that were given without knowing of what came together now
    head: Head


def merge(into: Ledger, ledgers: Sequence[Ledger], *, running: Callable[[Process], bool]) -> Merged:
    """Bring all that other ledgers hold into one; raises LedgerError, and then changes nothing.

    A damaged ledger is refused, and one in which a run is still ``running`` here.
    """
    for ledger in (into, *ledgers):
        fit_to_merge(ledger, running)
    before = into.head()
    had = list(into.between(0))
    mine = {record.first.hash for record in had}
    records = [*had, *(record for ledger in ledgers for record in ledger.between(0))]
    merges = [merge for ledger in (into, *ledgers) for merge in ledger.store.merges()]
    lineage = Lineage(records, merges)
    chain, needed = lineage.whole()
    _bring_files(into, ledgers, chain)
    known = {"", *(record.run for record in had)}
    new = [record for record in chain if record.first.hash not in mine]
    same = [record.hash for record in chain] == [record.hash for record in had]
    if not same or _observed(*ledgers) - _observed(into):
        into.store.rewrite(_content(chain, needed, (into, *ledgers)), before)
    return Merged(
        records=len(new),
        runs=tuple(dict.fromkeys(record.run for record in new if record.run not in known)),
        unfinished=tuple(_unfinished(new)),
        kinds=dict(Counter(record.kind.value for record in new if not record.run)),
        blind=tuple(_blind(into)) if new else (),
        head=into.head(),
    )


def fit_to_merge(ledger: Ledger, running: Callable[[Process], bool]) -> None:
    """Raise LedgerError where a ledger is damaged, or a run still writes to it."""
    _whole(ledger)
    _at_rest(ledger, running)


def _whole(ledger: Ledger) -> None:
    problems = verify(ledger, ()).problems
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise LedgerError(f"{ledger.name} is damaged and was not merged: {problems[0]}{more}")


def _at_rest(ledger: Ledger, running: Callable[[Process], bool]) -> None:
    """Refuse a ledger that a process on this machine still writes to."""
    for record in ledger.between(0):
        if record.kind is not RecordKind.RUN:
            continue
        process = said(record, RunStart).process
        if process and running(process) and not RunLog(ledger.of_run(record.run)).finished:
            raise LedgerError(
                f"run {record.run} still writes to {ledger.name} (process {process.pid}); "
                "merge when it has ended"
            )


def _blind(ledger: Ledger) -> Iterator[Record]:
    """Resets that count no more: they were given without knowing of what was seen before."""
    for record in ledger.between(0):
        if record.kind is RecordKind.RESET and not_known_to(ledger, record) is not None:
            yield record


def _unfinished(new: Sequence[Record]) -> Iterator[str]:
    ended = {record.run for record in new if record.kind in (RecordKind.SEAL, RecordKind.STOP)}
    for record in new:
        if record.kind is RecordKind.RUN and record.run not in ended:
            yield record.run


def _observed(*ledgers: Ledger) -> set[str]:
    """The records that have observations, by their hashes: a compaction may have taken them out."""
    observed = set()
    for ledger in ledgers:
        places = {record.sequence: record.first.hash for record in ledger.between(0)}
        observed |= {places[batch] for batch in ledger.store.batches_seen() if batch in places}
    return observed


def _content(
    chain: Sequence[Record], merges: Sequence[Merge], ledgers: Sequence[Ledger]
) -> Content:
    rows: dict[str, Sequence[Row]] = {}
    for ledger in ledgers:
        for record in ledger.between(0):
            # One of the ledgers may have been compacted.
            if record.kind is RecordKind.BATCH and not rows.get(record.first.hash):
                rows[record.first.hash] = ledger.rows_of(record.sequence)
    laid = {record.sequence: rows.get(record.first.hash, ()) for record in chain}
    return Content(chain, {place: stored for place, stored in laid.items() if stored}, merges)


def digests_in(records: Iterable[Record]) -> list[str]:
    """The digests of texts and files that records may name, sorted."""
    return sorted({digest for record in records for digest in _DIGEST.findall(record.body)})


def _bring_files(into: Ledger, ledgers: Sequence[Ledger], chain: Sequence[Record]) -> None:
    """Bring texts and files along, by the digests that records name."""
    for digest in digests_in(chain):
        text = next(filter(None, (ledger.text(digest) for ledger in ledgers)), None)
        if text is not None and into.text(digest) is None:
            into.keep_text(digest, text)
        if not into.store.has(digest):
            whole = (ledger for ledger in ledgers if ledger.lost_file(digest) is None)
            content = next((ledger.store.get(digest) for ledger in whole), None)
            if content is not None:
                into.store.put(digest, content)
