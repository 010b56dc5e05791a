"""Ledgers in PostgreSQL for tests: each in a schema of its own, on one server a process."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from typing import Any

import psycopg

from fixtures.kit.postgres import Postgres, programs
from pytest_rollout.evidence import opening

_TABLES = ("records", "observations", "texts", "files", "merges")


@contextmanager
def serving(*settings: str) -> Iterator[Postgres]:
    """A server that is empty; tests/setup installs what it needs."""
    there = programs()
    assert there is not None, "there is no PostgreSQL here: apt-get install postgresql"
    server = Postgres(there, *settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def place_of(url: str, name: object) -> str:
    """An address for a name: a schema of its own."""
    return f"{url}&schema=t_{sha256(str(name).encode()).hexdigest()[:20]}"


def beside(place: str, name: str) -> str:
    """The address of another ledger of the same test."""
    return place_of(place.partition("&schema=")[0], f"{schema_of(place)}/{name}")


def schema_of(place: str) -> str:
    """The schema in an address."""
    return place.rpartition("schema=")[2]


def connected(place: str) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection of somebody who changes a ledger behind its back."""
    url = place.partition("&schema=")[0]
    return psycopg.connect(url, options=f"-c search_path={schema_of(place)}")


def run_on(place: str, statements: Sequence[str]) -> list[tuple[Any, ...]]:
    """Run statements on a ledger; returns what the last one found.

    What the tables refuse to hold is raised as SQLite raises it.
    """
    found: list[tuple[Any, ...]] = []
    with closing(connected(place)) as db:
        try:
            for statement in statements:
                done = db.execute(statement.encode())
                found = done.fetchall() if done.description else []
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            raise sqlite3.IntegrityError(str(error)) from error
        db.commit()
    return found


def copied(place: str, name: str) -> str:
    """Copy a ledger to a schema of its own."""
    other = place_of(place.partition("&schema=")[0], name)
    opening.to_write(other).close()
    run_on(other, [f"DELETE FROM {table}" for table in _TABLES])
    mine = schema_of(place)
    run_on(other, [f"INSERT INTO {one} SELECT * FROM {mine}.{one}" for one in _TABLES])
    last = "SELECT setval(pg_get_serial_sequence('observations', 'id'), max(id)) FROM observations"
    run_on(other, [last])
    return other
