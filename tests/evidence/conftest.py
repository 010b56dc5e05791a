"""Ledgers for tests of evidence: each in SQLite, in memory, and in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.kit.postgres import Postgres
from pytest_rollout.evidence.ledger import Ledger
from tests.evidence import postgres
from tests.evidence.runs import Place, opened


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A server for all tests of this process."""
    with postgres.serving() as server:
        yield server


@pytest.fixture(params=["sqlite", "memory", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a ledger may be made; none is there yet."""
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres_server")
        return postgres.place_of(server.url, tmp_path)
    return tmp_path / "ledger.db" if request.param == "sqlite" else f"memory://{tmp_path}"


@pytest.fixture
def ledger(place: Place) -> Iterator[Ledger]:
    """An empty ledger."""
    with opened(place) as made:
        yield made


@pytest.fixture
def file_ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger in a file."""
    with opened(tmp_path / "ledger.db") as made:
        yield made
