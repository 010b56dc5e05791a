"""The samples that monitoring logs, held against the runs up to each."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from pathlib import Path

from suites.eros.views import figures
from suites.eros.views.journal import Run
from suites.eros.views.records import logged
from suites.eros.views.said import not_done

FIELDS = {
    "success": "success",
    "latency": "duration_s_p95",
    "gates": "violation_rate",
    "quality": "quality",
}


def demand_true_samples(
    logs: Path, served: Sequence[Run], since: datetime | None = None, until: datetime | None = None
) -> None:
    """Raise AssertionError where a sample is not of the last twenty runs that ended by then.

    A run that ends at the very moment of a sample may count or not.
    """
    if not served:
        not_done("v5 has served nobody, so samples hold no figure", "let it serve")
    runs = sorted(served, key=lambda run: run.ended)
    ends = [run.ended for run in runs]
    known: dict[int, dict[str, Fraction | None]] = {}
    for sample in logged(logs, "eros.monitoring", "sample"):
        at = sample.moment("at")
        if (since and at < since) or (until and at >= until):
            continue
        counts = {bisect_left(ends, at), bisect_right(ends, at)}
        for figure, field in FIELDS.items():
            said = sample.number_or_none(field)
            values = [_figures(runs, count, known)[figure] for count in counts]
            true = any(not figures.differs(said, value) for value in values)
            assert true, f"the sample of {at} says {figure} {said}; by the runs {_shown(values[0])}"


def _figures(
    runs: Sequence[Run], count: int, known: dict[int, dict[str, Fraction | None]]
) -> dict[str, Fraction | None]:
    """The figures of the last twenty of the first so many runs."""
    if count not in known:
        last = runs[max(0, count - figures.WINDOW) : count]
        known[count] = {name: take(last) for name, take in figures.FIGURES.items()}
    return known[count]


def _shown(value: Fraction | None) -> str:
    return "nothing" if value is None else f"{float(value):.4g}"
