"""Ledgers for tests of evidence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_rollout.evidence.ledger import Ledger
from tests.evidence.runs import opened


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger."""
    with opened(tmp_path / "ledger.db") as made:
        yield made
