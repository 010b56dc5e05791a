"""A real series of nights: its change points by Apache Otava, and what our rule says of it.

Run as ``python -m benchmarks.nightly.real``; ``otava`` must be on the path.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path

from pytest_rollout.judge.nightly import baseline_of, weigh
from pytest_rollout.load.change_points import change_points
from pytest_rollout.model.rule import Nightly

TIGERBEETLE = Path(__file__).with_name("tigerbeetle.txt")
WINDOW = 30
PUBLISHED: dict[tuple[float, float], int] = {  # by smallest change and p-value
    **{(0, 0.2): 70, (0, 0.1): 35, (0, 0.01): 14, (0, 0.001): 11, (0, 1e-4): 8, (0, 1e-5): 5},
    **{(0.05, 0.2): 4, (0.05, 0.1): 5, (0.05, 0.05): 2, (0.05, 0.01): 2},
}


def series() -> list[float]:
    """Return the 365 measurements."""
    lines = TIGERBEETLE.read_text(encoding="utf-8").splitlines()
    return [float(word) for line in lines if not line.startswith("#") for word in line.split()]


def found(least: float, level: float) -> list[int]:
    """Return the change points of the series."""
    return [one.index for one in change_points(series(), level=level, window=WINDOW, least=least)]


def failed(values: list[float], first: int, rule: Nightly, *, more_is_worse: bool) -> list[int]:
    """Return the nights that fail against the nights from one on, each run taken as whole."""
    sign = 1 if more_is_worse else -1
    logs = [sign * math.log(value) for value in values]
    pinned = range(first, first + rule.baseline)
    base = baseline_of([[logs[night]] for night in pinned])
    told = []
    for night in range(pinned.stop, len(logs)):
        latest = [[logs[one]] for one in range(night, max(night - rule.latest, first), -1)]
        if weigh(rule, base, latest, 0.05).alarm:
            told.append(night)
    return told


def main() -> int:
    """Print the change points, and the nights that our rule fails."""
    for line in lines():
        print(line)
    return 0


def lines() -> Iterator[str]:
    """Yield the tables."""
    yield "| smallest change | p-value | change points | published |"
    yield "| --- | --- | --- | --- |"
    for (least, level), many in PUBLISHED.items():
        yield f"| {least:.0%} | {level:g} | {len(found(least, level))} | {many} |"
    rule, values = Nightly(confirm=0), series()
    for first in (16, 95, 215):
        nights = failed(values, first, rule, more_is_worse=True)
        start = f", from night {nights[0]}" if nights else ""
        yield f"pinned to nights {first} to {first + 29}: {len(nights)} nights fail{start}"


if __name__ == "__main__":
    sys.exit(main())
