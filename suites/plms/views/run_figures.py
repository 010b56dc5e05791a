"""The figures of the rollout, computed from the registry's rows in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from pytest_rollout import Reported
from suites.plms.views.portfolio import rows

COUNTED = ("baseline", "hotfix")
DAYS = {"day 3": (101, 102), "day 5": (201, 202), "day 6": (301, 302)}  # rehearsal, seed, stress
Run = Mapping[str, Any]


def finished(registry: Path) -> list[Run]:
    """The baseline and hotfix runs that ended by themselves, blocked ones too.

    Demos and drills are tagged and stay out, so do rehearsals.
    """
    query = "SELECT * FROM project_runs WHERE completed_at IS NOT NULL AND status <> 'cancelled'"
    return [
        run
        for run in rows(registry, query)
        if run["run_kind"] in COUNTED and (run["tags"] or "") not in ("demo", "drill")
    ]


def completed(registry: Path) -> list[Run]:
    """Those of them that were completed."""
    return [run for run in finished(registry) if run["status"] == "completed"]


def _known(run: Run, name: str) -> float | None:
    """A figure of a run; None where there is none yet."""
    return run.number_or_none(name) if isinstance(run, Reported) else run[name]


def error(run: Run) -> float | None:
    """Share of the tokens used by which the estimate missed them; None where one is unknown."""
    mean, actual = (_known(run, f"tokens_{name}") for name in ("mean", "actual"))
    return None if mean is None or not actual else abs(actual - mean) / float(actual)


def width(run: Run) -> float | None:
    """Width of the interval as a share of the estimate."""
    low, high, mean = (_known(run, f"tokens_{name}") for name in ("ci_lower", "ci_upper", "mean"))
    return None if low is None or high is None or not mean else (high - low) / float(mean)


def contained(run: Run) -> bool | None:
    """Whether tokens and minutes lie within their intervals; None where one is unknown."""
    within = []
    for name in ("tokens", "duration"):
        low, actual, high = (
            _known(run, f"{name}_{part}") for part in ("ci_lower", "actual", "ci_upper")
        )
        if low is None or actual is None or high is None:
            return None
        within.append(low <= actual <= high)
    return all(within)


def by_lane(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Runs by their lane."""
    lanes: dict[str, list[Run]] = {}
    for run in runs:
        lanes.setdefault(run["lane_name"], []).append(run)
    return lanes


def lane_stats(registry: Path) -> dict[str, dict[str, float | None]]:
    """Of each lane that has runs: mean error, mean width of intervals, pass rate of its KPIs."""
    done = by_lane(completed(registry))
    stats: dict[str, dict[str, float | None]] = {}
    for lane, judged in by_lane(finished(registry)).items():
        mine = done.get(lane, [])
        stats[lane] = {
            "error": mean([error(run) for run in mine]),
            "width": mean([width(run) for run in mine]),
            "pass_rate": mean([float(bool(run["validation_pass"])) for run in judged]),
        }
    return stats


def mean(values: Sequence[float | None]) -> float | None:
    """The mean of those that are known; None without any."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
