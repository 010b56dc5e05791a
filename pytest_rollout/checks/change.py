"""Doing what a step of a rollback does: a command, a request, or one statement on a file."""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from pytest_rollout.checks.ask import Place, ask
from pytest_rollout.checks.expect import unmet
from pytest_rollout.model.check import Check, CheckMeans
from pytest_rollout.model.errors import RolloutError

_STEPS = 1_000  # of SQLite's machine between two looks at the clock
_DENIED = (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_PRAGMA)


def do(action: Check, place: Place, root: Path) -> None:
    """Do it once; raises RolloutError or httpx.TransportError where it did not work."""
    if action.means is CheckMeans.SQL:
        _statement(action, place.file(action.on[0]))
        return
    answer = ask(action, (), place, root)
    if answer.trouble:
        raise RolloutError(answer.trouble)
    wrong = unmet(action, answer)
    if wrong:
        raise RolloutError("; ".join(wrong))


def _statement(action: Check, path: Path) -> None:
    """One statement on a file of SQLite: all of it is done, or nothing."""
    name, limit_s = action.on[0], action.timeout_us / 1_000_000
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", str(path)) or not path.is_file():
        raise RolloutError(f"target {name}: there is no file {path.name}")
    deadline = time.monotonic() + limit_s
    uri = f"file:{quote(str(path.absolute()))}?mode=rw"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=limit_s, isolation_level=None)) as db:
            db.set_authorizer(_allow)
            db.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
            db.execute("BEGIN IMMEDIATE")
            db.execute(action.text)
            db.execute("COMMIT")
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise RolloutError(f"sql on {name}: {error}") from None


def _allow(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    denied = action in _DENIED or second == "load_extension"
    return sqlite3.SQLITE_DENY if denied else sqlite3.SQLITE_OK
