"""The figures of EROS, recomputed from runs: what monitoring and comparator should tell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from math import ceil
from statistics import fmean
from typing import Protocol

WINDOW = 20  # runs that alerts look back on


class Measured(Protocol):
    """What figures read of a run of v5."""

    @property
    def ended(self) -> datetime: ...
    @property
    def ok(self) -> bool: ...
    @property
    def seconds(self) -> float: ...
    @property
    def quality(self) -> float | None: ...
    @property
    def violations(self) -> Sequence[str]: ...


def success(runs: Sequence[Measured]) -> float | None:
    """The share of runs that succeeded, before any fallback; None of no runs."""
    return sum(run.ok for run in runs) / len(runs) if runs else None


def latency(runs: Sequence[Measured]) -> float | None:
    """The 95th percentile of the run time, by nearest rank; None of no runs."""
    ordered = sorted(run.seconds for run in runs)
    return ordered[ceil(0.95 * len(ordered)) - 1] if ordered else None


def gates(runs: Sequence[Measured]) -> float | None:
    """The share of runs that violated a hard gate; None of no runs."""
    return sum(bool(run.violations) for run in runs) / len(runs) if runs else None


def quality(runs: Sequence[Measured]) -> float | None:
    """The mean quality of runs that have one; None of no such run."""
    scores = [run.quality for run in runs if run.quality is not None]
    return fmean(scores) if scores else None


def longest_gap(moments: Sequence[datetime]) -> float:
    """The longest time between two moments that follow each other, in minutes."""
    gaps = [(after - before).total_seconds() / 60 for before, after in pairwise(sorted(moments))]
    return max(gaps, default=0.0)
