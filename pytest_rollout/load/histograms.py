"""Histograms of a record: microseconds to count, as data; pure."""

from __future__ import annotations

from collections.abc import Mapping


def many(histogram: Mapping[str, int]) -> int:
    """Return how many values it holds."""
    return sum(histogram.values())


def quantile(histogram: Mapping[str, int], part: int, of: int) -> int | None:
    """Return the least value at which so many of its values lie or below; None where it is empty.

    ``quantile(h, 99, 100)`` is its p99.
    """
    whole, before = many(histogram), 0
    for value, count in sorted((int(text), count) for text, count in histogram.items()):
        before += count
        if count and before * of >= whole * part:
            return value
    return None
