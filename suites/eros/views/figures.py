"""The figures of EROS, recomputed from runs: what monitoring and comparator must tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from itertools import pairwise

from suites.eros.views.conditions import mean, p95
from suites.eros.views.journal import Run, exact

WINDOW = 20  # runs that alerts and figures look back on

Figure = Callable[[Sequence[Run]], Fraction | None]


def success(runs: Sequence[Run]) -> Fraction | None:
    """The share of runs that succeeded, before any fallback; None of no runs."""
    return Fraction(sum(run.ok for run in runs), len(runs)) if runs else None


def latency(runs: Sequence[Run]) -> Fraction | None:
    """The 95th percentile of the run time; None of no runs."""
    return p95([exact(run.seconds) for run in runs]) if runs else None


def gates(runs: Sequence[Run]) -> Fraction | None:
    """The share of runs that broke a hard gate; None of no runs."""
    return Fraction(sum(bool(run.violations) for run in runs), len(runs)) if runs else None


def quality(runs: Sequence[Run]) -> Fraction | None:
    """The mean score of the runs that have one; None of no such run."""
    return mean(exact(run.quality) for run in runs if run.quality is not None)


FIGURES: Mapping[str, Figure] = {
    "success": success,
    "latency": latency,
    "gates": gates,
    "quality": quality,
}


def differs(said: float | None, counted: Fraction | None) -> bool:
    """Whether a figure is not the one that was counted; rounding to three places is none."""
    if said is None or counted is None:
        return (said is None) != (counted is None)
    return abs(exact(said) - counted) > Fraction(1, 1000)


def longest_gap(moments: Iterable[datetime]) -> float:
    """The longest time between moments that follow each other, in minutes; 0 of one."""
    ordered = sorted(moments)
    gaps = [(after - before).total_seconds() / 60 for before, after in pairwise(ordered)]
    return max(gaps, default=0.0)
