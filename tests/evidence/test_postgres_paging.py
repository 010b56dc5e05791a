"""How many records are read from PostgreSQL at once."""

from __future__ import annotations

import pytest

from pytest_rollout.evidence.postgres import paging
from pytest_rollout.evidence.postgres.schema import RECORD

COLUMNS = RECORD.split(", ")


def page(records: int, characters: int) -> list[tuple[object, ...]]:
    """A page of records with bodies of so many characters."""
    row = tuple("x" * characters if column == "body" else 0 for column in COLUMNS)
    return [row] * records


def test_small_records_are_read_by_more_and_more() -> None:
    assert paging.following(page(4, 500)) == 32
    assert paging.following(page(256, 500)) == 2_000


@pytest.mark.parametrize(("characters", "records"), [(400_000, 10), (6_000_000, 1)])
def test_large_records_are_read_a_few_at_a_time(characters: int, records: int) -> None:
    """A decision of 10,000 checks is 6 MB: 2,000 of them would fill a machine."""
    assert paging.following(page(4, characters)) == records


def test_records_without_a_body_are_read_too() -> None:
    assert paging.following(page(4, 0)) == 32
