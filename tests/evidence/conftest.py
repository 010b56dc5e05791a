"""Ledgers for tests of evidence: each in SQLite, and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_rollout.evidence.ledger import Ledger
from tests.evidence.runs import Place, opened


@pytest.fixture(params=["sqlite", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a ledger may be made; none is there yet."""
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
