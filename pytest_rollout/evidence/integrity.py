"""Whether a run's records are whole: its chain, its batches, its seal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from math import inf
from operator import itemgetter

from pytest_rollout.evidence.bodies import ItemReport
from pytest_rollout.evidence.compaction import Compaction
from pytest_rollout.evidence.decoding import UndecodableError, agrees
from pytest_rollout.evidence.joined_runs import pieces
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import (
    Record,
    RecordKind,
    Row,
    as_written,
    rows_digest,
    seal_digest,
)
from pytest_rollout.evidence.run_log import RunLog, Told
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.plan import Address


@dataclass(frozen=True, slots=True)
class Condition:
    """What keeps a run from being judged: damage, or a compaction; neither where it is whole."""

    damage: str | None = None
    compacted: Compaction | None = None


def damage(ledger: Ledger, log: RunLog) -> str | None:
    """What keeps a run from being judged, or None where all of its records are whole.

    That its observations were taken out on record counts, too: they cannot be judged.
    """
    state = condition(ledger, log)
    return state.damage or (state.compacted.says if state.compacted else None)


def condition(ledger: Ledger, log: RunLog) -> Condition:
    """What is wrong first with all the records of a run, and by what act observations are out."""
    kept = ledger.kept(log.records[0].run) if log.records else None
    if kept is not None and kept.whole is not None and kept.whole == log.last:
        return Condition(next(_after(log), None))
    compacted: list[Compaction] = []
    try:
        wrong = next(_problems(ledger, log, compacted), None)
    except UndecodableError as error:
        return Condition(str(error))
    if kept is not None and wrong is None and not compacted:
        kept.whole = log.last
    return Condition(wrong, next(iter(compacted), None))


def damage_since(ledger: Ledger, sequence: int) -> str | None:
    """What is wrong first with the chain from a record up to its head.

    Later runs are found by an index and by their words; one that either hides would leave an
    older answer standing.
    """
    runs: list[Record] = []

    def noted() -> Iterator[Record]:
        for record in ledger.between(sequence):
            if record.kind is RecordKind.RUN:
                runs.append(record)
            yield record

    wrong = next(chain_problems(noted()), None)
    hidden = (
        f"the store hides record {run.sequence} (run)" for run in runs if ledger.store.hides(run)
    )
    return wrong or next(hidden, None) or next(word_problems(runs), None)


def chain_problems(records: Iterable[Record]) -> Iterator[str]:
    """Breaks in a stretch of the chain, each with the record where it shows."""
    before: Record | None = None
    for record in records:
        if before is not None:
            if record.sequence != before.sequence + 1:
                yield f"records are missing between {before.sequence} and {record.sequence}"
            if record.previous != before.hash:
                yield f"record {record.sequence} does not follow record {before.sequence}"
        if not as_written(record):
            yield f"record {record.sequence} ({record.kind}) was changed after it was written"
        before = record


def word_problems(records: Iterable[Record]) -> Iterator[str]:
    """Records that a search would pass over, or find wrongly: their words are not of their body."""
    for record in records:
        try:
            if not agrees(record):
                yield f"{record.name} is searched for what it does not say"
        except UndecodableError as error:
            yield str(error)


def _problems(ledger: Ledger, log: RunLog, compacted: list[Compaction]) -> Iterator[str]:
    """What is wrong, as it is found; by what act observations are out is noted in ``compacted``."""
    evidence = log.evidence
    if not evidence or evidence[0].kind is not RecordKind.RUN:
        yield "its first record is gone"
        return
    yield from chain_problems(_stretch(ledger, evidence))
    yield from _after(log)
    log.read_whole()
    yield from word_problems(evidence)
    if log.seal is not None:
        sealed = evidence[:-1]
        if len(sealed) != log.seal.records:
            yield f"the seal counts {log.seal.records} records, the ledger holds {len(sealed)}"
        if seal_digest(record.first.hash for record in sealed) != log.seal.digest:
            yield "the records are not those that were sealed"
    yield from _row_problems(ledger, log, compacted)
    if log.start.joins:
        yield from _joined_problems(ledger, log)


def _stretch(ledger: Ledger, evidence: Sequence[Record]) -> Iterable[Record]:
    """The records from a run's first to its last, not read again where all are the run's."""
    first, last = evidence[0].sequence, evidence[-1].sequence
    return evidence if last - first + 1 == len(evidence) else ledger.between(first, last)


def _joined_problems(ledger: Ledger, log: RunLog) -> Iterator[str]:
    """Of a run that holds other runs together: whether it holds what they hold."""
    parts = [RunLog(ledger.of_run(run)) for run in log.start.joins]
    for run, part in zip(log.start.joins, parts, strict=True):
        wrong = "its first record is gone" if not part.evidence else condition(ledger, part).damage
        if wrong:
            yield f"joined run {run}: {wrong}"
            return
    address = Address.parse(log.start.gates[0])
    held = [
        (record.kind, record.body)
        for record in log.evidence[1:]
        if record.kind is not RecordKind.SEAL
    ]
    if held != [(piece.entry.kind, piece.entry.body) for piece in pieces(address, parts)]:
        yield "it does not hold what its runs hold"


def _after(log: RunLog) -> Iterator[str]:
    """Of what follows a run's evidence: only its decisions may, of each gate one."""
    for record in log.decisions:
        if not as_written(record):
            yield f"record {record.sequence} ({record.kind}) was changed after it was written"
    for gate, count in Counter(record.subject for record in log.decisions).items():
        if count > 1:
            yield f"{gate} was decided {count} times"
    if log.sealed:
        for record in log.records:
            if record.sequence > log.last.sequence and record.kind is not RecordKind.DECISION:
                yield f"record {record.sequence} ({record.kind}) was added after the seal"


def _row_problems(ledger: Ledger, log: RunLog, compacted: list[Compaction]) -> Iterator[str]:
    """Of the observations of a run: whether they are those that its batches were written with.

    All of them may be out by an act on record; some of them never.
    """
    gone: list[Told[ItemReport]] = []
    there = False
    stored = groupby(ledger.store.rows_of_run(log.first.run), itemgetter(0))
    batch_of, rows = next(stored, _NO_ROWS)
    for batch in log.batches:
        sequence = batch.record.sequence
        while batch_of < sequence:  # of a record that is none of the evidence
            batch_of, rows = next(stored, _NO_ROWS)
        mine = [row for _, row in rows] if batch_of == sequence else []
        if batch.body.observations and not mine:
            gone.append(batch)
            continue
        there = there or bool(mine)
        yield from _batch_problems(batch, mine)
    if not gone:
        return
    act = None if there else ledger.compaction_of(log.first.run)
    if act is None:
        yield from _batch_problems(gone[0], [])
    else:
        compacted.append(act)


def _batch_problems(batch: Told[ItemReport], rows: Sequence[Row]) -> Iterator[str]:
    body = batch.body
    where = f"record {batch.record.sequence} ({body.item or 'a scenario'})"
    if len(rows) != body.observations:
        yield f"{where} sealed {body.observations} observations, the ledger holds {len(rows)}"
    elif not _rows_as_written(rows, body.digest):
        yield f"{where}: an observation was changed after it was written"


_NO_ROWS: tuple[float, Iterator[tuple[int, Row]]] = (inf, iter(()))


def _rows_as_written(rows: Sequence[Row], digest: str) -> bool:
    written = {type(value) for row in rows for value in row} <= {str, int, float}
    return written and rows_digest(rows) == digest
