"""Inside of a run: writes down what happened, and waits where it is to be struck.

Loaded by ``-p tests.campaign.inside`` in every process of a run, and by the served target. What
it writes, one line a fact in ``witness.jsonl``, is what the laws hold against the ledger.
"""

from __future__ import annotations

import atexit
import datetime as datetime_module
import hashlib
import json
import os
import resource
import socket
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "ROLLOUT_CAMPAIGN"
_WAIT_S = 30.0
_connect = sqlite3.connect
_datetime = datetime_module.datetime
_real = (time.time, time.time_ns)


class _Order:
    """What this process was told: where to write, and where it is to be struck."""

    def __init__(self) -> None:
        told: dict[str, Any] = json.loads(os.environ.get(VARIABLE, "{}"))
        self.run = str(told.get("run", ""))
        self.side = Path(told["side"]) if told else None
        self.role = ""
        self.struck_role = told.get("role")
        self.place: list[Any] | None = told.get("place")
        self.act = str(told.get("act", ""))
        self.value = int(told.get("value", 0))
        self.clock = self.act == "clock"
        self.shift_s = self.value if self.clock and self.place is None else 0
        self.counts: Counter[str] = Counter()


_order = _Order()


def note(what: str, **facts: object) -> None:
    """Write one line of witness; whole, even where several processes write."""
    if _order.side is not None:
        line = {"t": time.monotonic_ns(), "pid": os.getpid(), "role": _order.role, "what": what}
        data = json.dumps({**line, "child": _order.run, **facts}).encode() + b"\n"
        file = os.open(_order.side / "witness.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, data)
        os.close(file)


def done(name: str) -> None:
    """A test's body came to its end."""
    time.sleep(0.004)
    note("done", item=name)


def reach(place: str) -> None:
    """A place was reached; the one that was ordered is where this process is struck."""
    _order.counts[place] += 1
    if _order.role == _order.struck_role and [place, _order.counts[place]] == _order.place:
        _act()


def _act() -> None:
    if _order.act == "exit":
        note("struck", act=_order.act)
        os._exit(0)
    elif _order.act == "clock":
        note("struck", act=_order.act)
        _order.shift_s = _order.value
    elif _order.act == "limit":
        note("struck", act=_order.act)
        witness = Path(f"{_order.side}/witness.jsonl").stat().st_size + 20_000
        size = max([witness, *(path.stat().st_size for path in _ledgers())])
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + _order.value, hard))
    else:
        _wait()


def _ledgers() -> list[Path]:
    return list(Path(".rollout").glob("ledger.db*"))


def _wait() -> None:
    """Say that the place was reached, and go on when told; the stroke falls meanwhile."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(_WAIT_S)
        line.connect(f"{_order.side}/gate")
        line.sendall(f"{os.getpid()}\n".encode())
        line.recv(1)


class _Counted(sqlite3.Connection):
    """Every statement on the ledger is a place."""

    def execute(self, *given: Any) -> sqlite3.Cursor:
        reach("statement")
        return super().execute(*given)

    def executemany(self, *given: Any) -> sqlite3.Cursor:
        reach("statement")
        return super().executemany(*given)


class _AnyDatetime(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _datetime)


class _Shifted(_datetime, metaclass=_AnyDatetime):
    """A datetime whose now is that of a clock that was set."""

    @classmethod
    def now(cls, tz: datetime_module.tzinfo | None = None) -> _datetime:  # type: ignore[override]
        return _datetime.now(tz) + datetime_module.timedelta(seconds=_order.shift_s)


def _set_clocks() -> None:
    """Put a wall clock that can be set in the place of Python's."""
    time.time = lambda: _real[0]() + _order.shift_s
    time.time_ns = lambda: _real[1]() + _order.shift_s * 1_000_000_000
    datetime_module.datetime = _Shifted  # type: ignore[misc]


def _digest(rows: list[Any]) -> str:
    return hashlib.sha256(repr(rows).encode("utf-8", "replace")).hexdigest()


def stored(db: sqlite3.Connection, sequence: int) -> dict[str, object]:
    """What a ledger holds of one record, found without an index as long as that works."""
    db.text_factory = bytes
    found = db.execute("SELECT * FROM records NOT INDEXED WHERE sequence = ?", (sequence,))
    names = [column[0] for column in found.description]
    (row,) = found.fetchall() or [None]
    query = "SELECT * FROM observations {} WHERE batch = ? ORDER BY +id"
    try:
        seen = db.execute(query.format("NOT INDEXED"), (sequence,)).fetchall()
    except sqlite3.DatabaseError:  # a broken page of others; what is found is held to its digest
        seen = db.execute(query.format(""), (sequence,)).fetchall()
    facts = dict(zip(names, row or (), strict=bool(row)))
    said = {name: _said(facts.get(name)) for name in ("run", "kind", "hash")}
    return {"sequence": sequence, **said, "row": _digest([row]), "seen": _digest(seen)}


def _said(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _witnessed(append: Callable[..., Any]) -> Callable[..., Any]:
    """An append that is written down once it has returned: from then on it is committed."""

    def wrapped(self: Any, first: Any, *given: Any, **named: Any) -> Any:
        from pytest_rollout.evidence.bodies import kind_of_body

        head = append(self, first, *given, **named)
        kind = "batch" if isinstance(first, str) else kind_of_body(first.body).value
        run = first if isinstance(first, str) else first.run
        facts = {"sequence": head.sequence, "run": run, "kind": kind, "hash": head.hash}
        # What cannot be read back, because the file was struck, is known by its hash alone.
        with suppress(sqlite3.Error), closing(_connect(self.name)) as db:
            found = stored(db, head.sequence)
            facts |= found if found["hash"] == head.hash else {}
        note("committed", **facts)
        return head

    return wrapped


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if _order.side is None:
        return
    from pytest_rollout.evidence.ledger import Ledger

    given: dict[str, str] = getattr(config, "workerinput", {})
    _order.role = given.get("workerid", "controller")
    for name in ("append", "append_batch"):
        setattr(Ledger, name, _witnessed(getattr(Ledger, name)))
    note("configure", workers=config.getoption("numprocesses", None))
    atexit.register(reach, "atexit")
    reach("configure")


def pytest_collection_finish() -> None:
    reach("collected")


def pytest_runtest_logstart(nodeid: str) -> None:
    note("start", item=nodeid)
    reach("start")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    reach("setup")


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    reach("teardown")


def pytest_runtest_logfinish() -> None:
    reach("finish")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(exitstatus: int) -> None:
    note("sessionfinish", status=int(exitstatus))
    reach("sessionfinish")


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    note("unconfigure", statements=_order.counts["statement"])
    reach("unconfigure")


def target() -> None:
    """Called by the served target as it starts."""
    _order.role = "target"
    note("up")
    atexit.register(note, "down")


if _order.side is not None and "pytest" in sys.modules:
    sqlite3.connect = lambda *given, **named: _connect(*given, **{"factory": _Counted, **named})
    if _order.clock:
        _set_clocks()
