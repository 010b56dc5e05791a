"""A ledger of :mod:`benchmarks.history` in PostgreSQL: copied into a schema of its own."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

from pytest_rollout.evidence import opening, sqlite
from pytest_rollout.evidence.postgres.schema import RECORD, ROW
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.evidence.store import Store
from tests.evidence.postgres import connected

_DIGEST = re.compile("[0-9a-f]{64}")
_COLUMNS = RECORD.split(", ")


def moved(path: Path, place: str) -> int:
    """Copy a ledger to a place in PostgreSQL, where the project's file asks for it.

    Returns the bytes of its tables and indexes.
    """
    opening.to_write(place).close()
    with closing(sqlite.to_read(str(path), None)) as store:
        _copy(store, place)
    (path.parents[1] / "pytest.ini").write_text(f"[pytest]\nrollout_ledger = {place}\n")
    with closing(connected(place)) as db:
        db.autocommit = True
        db.execute("VACUUM ANALYZE")
        sizes = "SELECT pg_total_relation_size('records') + pg_total_relation_size('observations')"
        found = db.execute(sizes).fetchone()
    assert found is not None
    return int(found[0])


def _copy(store: Store, place: str) -> None:
    """Copy records, then their observations, then the texts of plans."""
    texts = set()
    with closing(connected(place)) as db, db.cursor() as cursor:
        with cursor.copy(f"COPY records ({RECORD}) FROM STDIN") as copy:
            for record in store.between(0, None):
                copy.write_row([getattr(record, column) for column in _COLUMNS])
        with cursor.copy(f"COPY observations (batch, {ROW}) FROM STDIN") as copy:
            for record in store.between(0, None):
                if record.kind is RecordKind.BATCH:
                    for row in store.rows_of(record.sequence):
                        copy.write_row((record.sequence, *row))
        for start in store.between(0, None):
            if start.kind is RecordKind.RUN:
                texts |= set(_DIGEST.findall(start.body))
        for digest in texts:
            text = store.text(digest)
            if text is not None:
                cursor.execute("INSERT INTO texts VALUES (%s, %s)", (digest, text))
        db.commit()
