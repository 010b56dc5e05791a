"""The ledger in a bundle: a line of JSON for each record, with its observations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import pairwise
from typing import Any

from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.lineage import Merge, merge_of
from pytest_rollout.evidence.listed_store import ListedStore, Source
from pytest_rollout.evidence.records import Record, Row, kind_of
from pytest_rollout.model.decision import canonical
from pytest_rollout.model.errors import LedgerError

_COLUMNS = [field.name for field in fields(Record)]


def lines_of(ledger: Ledger) -> Iterator[str]:
    """Yield the merges of a ledger, then its records in order, a line each."""
    for merge in ledger.store.merges():
        where = {"sequence": merge.head.sequence, "head": merge.head.hash}
        yield canonical({"merge": {**where, "leaves": list(merge.leaves)}})
    for record in ledger.between(0):
        columns = {name: getattr(record, name) for name in _COLUMNS}
        kept = {name: value for name, value in columns.items() if value is not None}
        rows = [list(row) for row in ledger.rows_of(record.sequence)]
        yield canonical({"record": kept, **({"rows": rows} if rows else {})})


def ledger_in(
    name: str,
    text: str,
    texts: Mapping[str, str],
    file: Callable[[str], bytes | None],
) -> Ledger:
    """The ledger in some lines, for reading; raises LedgerError where a line is none."""
    records: list[Record] = []
    merges: list[Merge] = []
    rows: dict[int, list[Row]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        try:
            data = json.loads(line)
            if "merge" in data:
                merge = data["merge"]
                leaves = " ".join(map(str, merge["leaves"]))
                merges.append(merge_of(merge["sequence"], merge["head"], leaves))
                continue
            record = _record(data["record"])
            records.append(record)
            if "rows" in data:
                rows[record.sequence] = [tuple(row) for row in data["rows"]]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise LedgerError(f"line {number} of the ledger in {name} is none: {error}") from error
    _in_order(name, records)
    source = Source(
        rows=lambda batch: rows.get(batch, []), batches=list(rows), text=texts.get, file=file
    )
    return Ledger(ListedStore(name, records, merges, source))


def _record(columns: Mapping[str, Any]) -> Record:
    if set(columns) - set(_COLUMNS) or type(columns["sequence"]) is not int:
        raise ValueError("its columns are not those of a record")
    return Record(**{"words": None, **columns, "kind": kind_of(columns["kind"])})


def _in_order(name: str, records: Sequence[Record]) -> None:
    if any(b.sequence <= a.sequence for a, b in pairwise(records)):
        raise LedgerError(f"the records in {name} are not in order")
