"""A PostgreSQL of Debian's package for a test: on loopback, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import psycopg.sql
import pytest

from pytest_rollout.load.tied_process import Tied, tied
from tests.plms.test_prod import free_port

BINARIES = Path("/usr/lib/postgresql/15/bin")
_USER = "postgres"  # the server refuses to be run by root
_PATIENCE_S = 20.0
_GRACE_S = 2.0
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60")


def as_user(*command: str) -> Sequence[str]:
    """A command that an unprivileged user runs; who is none of root runs it themselves."""
    if os.geteuid():
        return command
    return ("setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups", *command)


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a database that is empty; skips the test where there is no PostgreSQL."""
    if not (BINARIES / "postgres").is_file():
        pytest.skip(f"there is no PostgreSQL in {BINARIES}; apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="bridge-postgres-"))
    try:
        if not os.geteuid():
            shutil.chown(folder, _USER, _USER)
        folder.chmod(0o700)
        data, environ = folder / "data", {**os.environ, "LC_ALL": "C.UTF-8"}
        initdb = [str(BINARIES / "initdb"), "-D", str(data), "-U", _USER, "-A", "trust", "-N"]
        subprocess.run(as_user(*initdb), check=True, capture_output=True, env=environ, cwd="/")
        port = free_port()
        words = [str(BINARIES / "postgres"), "-D", str(data), "-k", str(folder), "-p", str(port)]
        words += ["-h", "127.0.0.1", *(word for one in _QUICK for word in ("-c", one))]
        log = folder.with_name(f"{folder.name}.log")
        with tied(as_user(*words), Path("/"), environ, log, _GRACE_S) as server:
            url = f"postgresql://{_USER}@127.0.0.1:{port}/postgres"
            _wait(url, server)
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_name(f"{folder.name}.log").unlink(missing_ok=True)


def _wait(url: str, server: Tied) -> None:
    """Wait until it answers; raises AssertionError with its last lines where it does not."""
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until and server.status is None:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"PostgreSQL does not answer: {server.said()[-5:]}")


def kept(url: str) -> dict[str, int]:
    """How many messages each schema of the database holds."""
    query = "SELECT table_schema FROM information_schema.tables WHERE table_name = 'messages'"
    with psycopg.connect(url) as connection:
        schemas = [str(row[0]) for row in connection.execute(query)]
        counted = {}
        for schema in schemas:
            found = connection.execute(
                psycopg.sql.SQL("SELECT count(*) FROM {}").format(
                    psycopg.sql.Identifier(schema, "messages")
                )
            ).fetchone()
            counted[schema] = int(found[0]) if found else 0
    return counted
