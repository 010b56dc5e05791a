"""The comparison report of a day, held against the comparisons and runs of that day."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from pytest_rollout import Reported
from suites.eros.views import figures
from suites.eros.views.conditions import mean
from suites.eros.views.contract import demand_answer
from suites.eros.views.figures import Figure
from suites.eros.views.journal import Run, exact

_OF_RUNS: Mapping[str, Figure] = {
    "success": figures.success,
    "duration_s_p95": figures.latency,
    "duration_s_mean": lambda runs: mean(exact(run.seconds) for run in runs),
    "quality_mean": figures.quality,
    "mcp_calls_mean": lambda runs: mean(exact(run.said.whole("mcp_calls")) for run in runs),
}


def wrong_in_report(
    folder: Path, day: date, comparisons: Sequence[Reported], runs: Mapping[str, Run]
) -> str:
    """What is wrong with the report of a day; empty where it says what its pairs of runs say."""
    path = folder / f"{day}.json"
    if not path.is_file():
        return "no report"
    held = json.loads(path.read_text(encoding="utf-8"))
    demand_answer("report", held)
    said = Reported(held, f"report of {day}")
    pairs = [pair for pair in comparisons if pair.moment("at").date() == day]
    diffs = [diff for pair in pairs if (diff := pair.number_or_none("quality_diff")) is not None]
    failed = sum(pair.inner("v5").text("outcome") != "ok" for pair in pairs)
    counted: dict[str, float | None] = {
        "comparisons": len(pairs),
        "v5_failures": failed,
        "v5_failure_rate": failed / len(pairs) if pairs else None,
        "quality_diff_mean": sum(diffs) / len(diffs) if diffs else None,
        "hard_gate_false_positives": sum(pair.flag("false_positive") for pair in pairs),
        "hard_gate_regressions": sum(pair.flag("regression") for pair in pairs),
        "creators": len({pair.text("creator") for pair in pairs}),
    }
    for name, figure in counted.items():
        told = said.number_or_none(name)
        if not _close(told, figure):
            return f"{name} is {told}, not {figure}"
    if said.text("day") != day.isoformat():
        return f"it says that it is of {said['day']}"
    by_creator = _wrong_by_creator(said.inner("quality_diff_by_creator"), pairs)
    return by_creator or _wrong_of_runs(said, pairs, runs)


def _wrong_of_runs(said: Reported, pairs: Sequence[Reported], runs: Mapping[str, Run]) -> str:
    """Which figure of a pipeline's runs is another one; empty: none."""
    for pipeline in ("v4", "v5"):
        side = said.inner(pipeline)
        own = [runs[pair.inner(pipeline).text("run_id")] for pair in pairs]
        if side.whole("runs") != len(own):
            return f"{pipeline} has {side['runs']} runs, not {len(own)}"
        for name, take in _OF_RUNS.items():
            due, told = take(own), side.number_or_none(name)
            if not _close(told, None if due is None else float(due)):
                return f"{name} of {pipeline} is {told}, not {due}"
    return ""


def _wrong_by_creator(said: Reported, pairs: Sequence[Reported]) -> str:
    """For which creator the mean difference is another; empty: for none."""
    own: dict[str, list[float]] = {}
    for pair in pairs:
        if (diff := pair.number_or_none("quality_diff")) is not None:
            own.setdefault(pair.text("creator"), []).append(diff)
    for creator in sorted({*own, *said}):
        told = said.number_or_none(creator) if creator in said else None
        figure = sum(own[creator]) / len(own[creator]) if creator in own else None
        if not _close(told, figure):
            return f"quality_diff_by_creator of {creator} is {told}, not {figure}"
    return ""


def _close(told: float | None, figure: float | None) -> bool:
    """Whether a figure is told as it is, but for rounding; none where there is none."""
    if told is None or figure is None:
        return told is figure
    return abs(told - figure) <= 0.01
