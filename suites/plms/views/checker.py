"""The checker of invariants held against a registry of which it is known what is wrong with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from suites.plms.views.host import contents

# Rows that the plan calls broken: an unknown kind of run, and a baseline that wrote to a sandbox.
# Each has whatever else a row needs, so that no other rule finds it in the place of its own.
_BROKEN = (
    ("control-run-kind", 999, "INVALID_KIND", 0),
    ("control-sandbox", 999, "baseline", 1),
)
PLANTED = len(_BROKEN)
# What a checker may be given in the place of a registry: a file's content, None for no file.
NO_REGISTRY: Mapping[str, bytes | None] = {
    "the path of no file": None,
    "an empty file": b"",
    "a file that is no registry": b"project_runs: none\n" * 64,
}


def online_copy(registry: Path, copy: Path) -> Path:
    """A copy of one state of a registry, whatever is written meanwhile; the copy."""
    source = sqlite3.connect(f"{registry.resolve().as_uri()}?mode=ro", uri=True)
    with closing(source), closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
    return copy


def broken_copy(registry: Path, folder: Path) -> Path:
    """A copy of a registry with :data:`PLANTED` rows that break an invariant each."""
    copy = online_copy(registry, folder / "broken.db")
    with closing(sqlite3.connect(copy)) as db, db:
        db.executemany(
            "INSERT INTO project_runs (run_id, project_id, run_kind, write_sandbox)"
            " VALUES (?, ?, ?, ?)",
            _BROKEN,
        )
    return copy


def left_out(staging: Path, production: Path) -> list[str]:
    """The tables that hold rows in production and none in staging, in words."""
    there, here = contents(production), contents(staging)
    return [
        f"{name} has no row in staging, {len(held)} in production"
        if name in here
        else f"staging has no table {name}"
        for name, held in there.items()
        if held and not here.get(name)
    ]
