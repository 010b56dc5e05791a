"""How many records to read at once: few at first, and no more than a client holds with ease."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_rollout.evidence.postgres.schema import RECORD

FIRST = 4  # records of the first page: often the newest one is all that is asked for
_MOST, _GROWTH, _CHARACTERS = 2_000, 8, 4_000_000
_BODY = RECORD.split(", ").index("body")


def following(page: Sequence[tuple[Any, ...]]) -> int:
    """Return how many records to read after a page that was full, by the size of its bodies."""
    size = sum(len(row[_BODY]) for row in page) or 1
    return max(1, min(_MOST, _GROWTH * len(page), _CHARACTERS * len(page) // size))
