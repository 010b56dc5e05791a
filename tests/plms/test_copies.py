"""What a registry of staging leaves out, and an archive that is none by its name."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

from suites.plms.views.checker import left_out
from suites.plms.views.host import unpacked


def _registry(path: Path, **tables: int) -> Path:
    with closing(sqlite3.connect(path)) as db, db:
        for name, count in tables.items():
            db.execute(f"CREATE TABLE {name} (id INTEGER)")
            db.executemany(f"INSERT INTO {name} VALUES (?)", [(row,) for row in range(count)])
    return path


def test_staging_lacks_tables_and_rows_of_production(tmp_path: Path) -> None:
    production = _registry(tmp_path / "production.db", runs=3, lanes=2, receipts=0, priors=1)
    staging = _registry(tmp_path / "staging.db", runs=0, lanes=1)
    assert sorted(left_out(staging, production)) == [
        "runs has no row in staging, 3 in production",
        "staging has no table priors",
    ]
    assert left_out(production, production) == []


def test_an_archive_is_what_its_name_says(tmp_path: Path) -> None:
    plain, packed, tar = (tmp_path / name for name in ("a.tar.gz", "b.tar.gz", "c.tar"))
    plain.write_bytes(b"not packed")
    packed.write_bytes(gzip.compress(b"packed"))
    tar.write_bytes(b"not packed")
    assert unpacked(plain) == "a.tar.gz is not compressed with gzip"
    assert unpacked(packed) == unpacked(tar) == ""
