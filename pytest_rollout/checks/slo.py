"""What suites compute from samples before they observe it: errors, gaps, fairness, crossings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import TypeVar

_At = TypeVar("_At")


def relative_error(actual: float, expected: float) -> float:
    """By which share of the actual value an expectation was off: |actual - expected| / actual.

    One sample's absolute percentage error, as a ratio. Raises ValueError where the actual is
    zero: nothing is a share of it, and a sample that is left out is not one without error.
    """
    if not actual:
        raise ValueError(f"an error has no share of an actual of zero (expected {expected})")
    return abs(actual - expected) / abs(actual)


def gaps(times: Iterable[datetime]) -> Iterator[tuple[datetime, float]]:
    """The seconds from each moment to the next, at the next: how often something was seen."""
    for before, after in pairwise(times):
        yield after, (after - before).total_seconds()


def fairness(shares: Sequence[float]) -> float:
    """Jain's index of shares of a resource: 1 where all are equal, 1/n where one has it all.

    Jain, Chiu and Hawe, A Quantitative Measure of Fairness and Discrimination (DEC-TR-301, 1984).
    Raises ValueError without a share; where all are zero nobody is favoured: 1.
    """
    if not shares:
        raise ValueError("fairness needs at least one share")
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares else 1.0


def crossings(samples: Iterable[tuple[_At, float | None]], below: float) -> Iterator[_At]:
    """When a value fell below a limit, once for each time; None is a value that is not there.

    A value that meets the limit exactly is not below it.
    """
    under = False
    for at, value in samples:
        is_under = value is not None and value < below
        if is_under and not under:
            yield at
        under = is_under
