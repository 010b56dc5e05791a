"""One connection to a ledger's database, made again within bounds where it was lost."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Final, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pytest_rollout.evidence.postgres import schema, trouble
from pytest_rollout.evidence.postgres.address import Address
from pytest_rollout.evidence.postgres.schema import Db
from pytest_rollout.model.errors import LedgerError

_Found = TypeVar("_Found")
# What psycopg logs of a lost connection is for developers; people are told by `trouble`.
logging.getLogger("psycopg").addHandler(logging.NullHandler())
PATIENCE_S: Final = 30.0  # for a connection that was lost
_FIRST_PATIENCE_S = 5.0  # for the first one: a server that is being restarted is back by then
_PAUSE_S = 0.25
_WAIT = "30s"  # for others who append
# Of a writer whose machine was cut off the lock is let go before others stop waiting for it.
_IDLE = "20s"
_MOST_APART_US = 60_000_000  # between the clocks of a writer and of the server
# A server that is gone without a word is noticed within half a minute.
_DEFAULTS: dict[str, str | int] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "application_name": "rollout",
}


class Line:
    """A connection that is made when it is needed. Its work is done again where it was lost."""

    def __init__(self, address: Address, *, writes: bool) -> None:
        self.address = address
        self._writes = writes
        self._pid = os.getpid()
        self._db: Db | None = None
        self._given_up: LedgerError | None = None
        self._until_s = time.monotonic() + _FIRST_PATIENCE_S
        self.run(lambda db: None)

    def run(self, work: Callable[[Db], _Found]) -> _Found:
        """What some work on the connection gives; raises LedgerError.

        Work that a lost connection broke off is done once more on a new one, so it must look
        whether it was done. Once no connection was made in time, no later work waits again.
        """
        if self._given_up is not None:
            raise self._given_up
        while True:
            try:
                answer = work(self._connected())
            except trouble.TROUBLE as error:
                self._note(error)
            else:
                self._until_s = 0.0
                return answer

    def _note(self, error: Exception) -> None:
        """Return where the same work may be tried again; raises LedgerError where not."""
        db = self._db
        made = db is not None
        lost = isinstance(error, psycopg.OperationalError) and (db is None or db.closed)
        if not lost or not (made or trouble.passes(error)):
            failure = trouble.unusable(self.address, error)
            if isinstance(error, psycopg.errors.LockNotAvailable):
                self._given_up = failure  # else each check of a run would wait as long
            raise failure from error
        now_s, self._db = time.monotonic(), None
        if not self._until_s:
            self._until_s = now_s + PATIENCE_S
        if now_s >= self._until_s:
            self._given_up = trouble.unusable(self.address, error)
            raise self._given_up from error
        if not made:
            time.sleep(_PAUSE_S)

    def _connected(self) -> Db:
        if self._db is None:
            db = connected(self.address)
            try:
                _make_ready(db, self.address, writes=self._writes)
            except BaseException:
                self._db = db if db.closed else None  # lost while it was made ready
                db.close()
                raise
            self._db = db
        return self._db

    def close(self) -> None:
        """End the connection; in a child that was forked it is the parent's."""
        db, self._db = self._db, None
        if db is not None and os.getpid() == self._pid:
            db.close()


def exists(address: Address) -> bool:
    """Whether there is a ledger; raises LedgerError."""
    until_s = time.monotonic() + _FIRST_PATIENCE_S
    while True:
        try:
            with closing(connected(address)) as db:
                return schema.version(db, address.schema) is not None
        except trouble.TROUBLE as error:
            if not trouble.passes(error) or time.monotonic() >= until_s:
                raise trouble.unusable(address, error) from error
            time.sleep(_PAUSE_S)


def connected(address: Address) -> Db:
    """A new connection, each statement of which is a transaction of its own."""
    given = conninfo_to_dict(address.url)
    own = {name: value for name, value in _DEFAULTS.items() if name not in given}
    if "PGCONNECT_TIMEOUT" in os.environ:
        own.pop("connect_timeout", None)
    own["client_encoding"] = "UTF8"
    return psycopg.connect(make_conninfo(address.url, **own), autocommit=True)


@contextmanager
def transaction(db: Db) -> Iterator[None]:
    """All of it is written, or nothing."""
    db.execute("BEGIN")
    with rolled_back(db):
        yield
        db.execute("COMMIT")


@contextmanager
def rolled_back(db: Db) -> Iterator[None]:
    """Nothing is left of a transaction that fails."""
    try:
        yield
    except BaseException:
        with suppress(psycopg.Error):
            db.execute("ROLLBACK")
        raise


def _make_ready(db: Db, address: Address, *, writes: bool) -> None:
    path = f"{address.schema}, pg_temp"
    settings = {"search_path": path, "lock_timeout": _WAIT, "client_min_messages": "warning"}
    settings["idle_in_transaction_session_timeout"] = _IDLE
    if not writes:
        settings["default_transaction_read_only"] = "on"
    for name, value in settings.items():
        db.execute("SELECT set_config(%s, %s, false)", (name, value))
    taken = schema.version(db, address.schema)
    if taken is not None and taken > schema.VERSION:
        raise LedgerError(
            f"{address.shown} has ledger schema {taken}; this version reads {schema.READABLE} to "
            f"{schema.VERSION}: update pytest-rollout (pip install -U 'pytest-rollout[postgres]')"
        )
    if writes:
        _look_at_clock(db, address)
        if taken is None or taken < schema.VERSION:
            _migrate(db, address, taken)
    elif taken is None:
        raise LedgerError(
            f"there is no ledger at {address.shown} (run `pytest -m PHASE` first, as a role that "
            "may make one)"
        )
    elif taken < schema.READABLE:
        raise trouble.because(address, f"its schema is {taken}", _OWNER)


_OWNER = "a verb that writes, as the owner of its tables, brings it to this version"


def _migrate(db: Db, address: Address, taken: int | None) -> None:
    encoding = db.execute("SHOW server_encoding").fetchone()
    if encoding != ("UTF8",):
        why = f"its database has the encoding {encoding[0] if encoding else ''}"
        raise trouble.because(address, why, "make one with createdb --encoding=UTF8")
    try:
        with transaction(db):
            schema.migrate(db, address.schema)
    except psycopg.errors.InsufficientPrivilege as error:
        if taken is None:
            advice = "the owner of the database makes it: any run or verb that writes"
            raise trouble.because(address, trouble.line_of(error), advice) from error
        why = f"its schema is {taken}, and this version writes {schema.VERSION}"
        raise trouble.because(address, why, _OWNER) from error


def _look_at_clock(db: Db, address: Address) -> None:
    """Refuse a clock that is wrong: records of all writers are judged by their times."""
    row = db.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint").fetchone()
    apart_us = time.time_ns() // 1000 - (int(row[0]) if row else 0)
    if abs(apart_us) > _MOST_APART_US:
        how = "ahead of" if apart_us > 0 else "behind"
        why = f"the clock here is {abs(apart_us) // 1_000_000} s {how} the server's"
        raise trouble.because(address, why, "set it, as by timedatectl set-ntp true")
