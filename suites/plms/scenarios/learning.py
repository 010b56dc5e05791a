"""Day 5 on a target of its own: the rate of learning, and intervals over many seeded runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from pytest_rollout import Reported, Stage, scenario
from suites.plms.scenarios.calibration import (
    expectations,
    learning_rate,
    start_small,
    still_open,
)
from suites.plms.views.answers import read
from suites.plms.views.tables import run_row

_LANE = "Code-API"
_TAUGHT = (101, 201, 301)  # of Code-API; each takes something else
_RAISED = "0.3"
_EXCLUDED: Mapping[str, dict[str, Any]] = {
    "a baseline that failed": {"run_kind": "baseline", "tests_pass": False},
    "a sandboxed hotfix": {"run_kind": "hotfix", "write_sandbox": True},
    "a rehearsal": {"run_kind": "rehearsal"},
    "a replay": {"run_kind": "replay"},
}
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """What was expected before and after a run, what it took, and the rate of learning."""

    run: Row
    before: Row
    after: Row
    rate: float


@dataclass(frozen=True, slots=True)
class Learning:
    """How runs of a lane moved what is expected of the next one."""

    steps: tuple[Step, ...]  # of three runs; the rate is raised before the third
    excluded: tuple[Row, Row]  # what was expected before and after runs that may not teach
    ended: bool


@scenario(effect="disrupt", own_target=True)
def learning(phase: Stage) -> Learning:
    """Three runs teach, runs that may not stand between, and the rate is raised before the last."""
    registry = phase.file("registry")
    phase.operate("plms", "enable-calibration")
    steps, before, left = [], expectations(phase, 0)[_LANE], set[str]()
    apart = (before, before)
    for number, project in enumerate(_TAUGHT, 1):
        if number == len(_TAUGHT):
            open_ = {
                start_small(phase, 980 + count, "excluded", {**body, "lane_name": _LANE})
                for count, body in enumerate(_EXCLUDED.values())
            }
            left |= still_open(phase, open_)
            apart = (before, expectations(phase, 10)[_LANE])
            _configure(registry, "calibration_alpha", _RAISED)
        rate, body = learning_rate(registry), {"run_kind": "baseline"}
        run = start_small(phase, project, "teaches", body)
        left |= still_open(phase, {run}, minutes=180)
        after = expectations(phase, number)[_LANE]
        steps.append(Step(run_row(registry, run), before, after, rate))
        before = after
    return Learning(tuple(steps), apart, not left)


def _configure(registry: Path, key: str, value: str) -> None:
    with closing(sqlite3.connect(registry)) as db, db:
        db.execute("UPDATE system_config SET value = ? WHERE key = ?", (value, key))


# Intervals

SEEDS = range(12)
_RUNS = 60
_MEANS = {"tokens": 9000.0, "duration": 25.0}
NARROW, WIDE = 0.05, 0.25  # standard deviation of what runs take, as a share of the mean
_NEW = 204


@dataclass(frozen=True, slots=True)
class SeededInterval:
    """What is expected after many runs, and what runs of the same kind then took."""

    measure: str
    deviation: float  # of the runs, as a share of their mean
    lower: float
    mean: float
    upper: float
    drawn: Sequence[float]

    @property
    def inside(self) -> int:
        """How many of the drawn runs lie in the interval."""
        return sum(self.lower <= value <= self.upper for value in self.drawn)

    @property
    def width(self) -> float:
        """Its width, as a share of the mean."""
        return (self.upper - self.lower) / self.mean


@scenario(effect="disrupt", own_target=True)
def seeded_intervals(phase: Stage) -> tuple[SeededInterval, ...]:
    """The registry gets many seeded runs that differ little or much; then a new project is asked.

    Runs are drawn from normal distributions, so what comes next is known as well.
    """
    return tuple(
        interval
        for deviation in (NARROW, WIDE)
        for seed in SEEDS
        for interval in _intervals(phase, seed, deviation)
    )


def _intervals(phase: Stage, seed: int, deviation: float) -> list[SeededInterval]:
    dice = Random(f"{seed}/{deviation}")
    lane = _asked(phase).text("lane_name")
    taken = {name: _draw(dice, mean, deviation, _RUNS) for name, mean in _MEANS.items()}
    _plant(phase.file("registry"), lane, taken)
    expected = _asked(phase)
    return [
        SeededInterval(
            measure=name,
            deviation=deviation,
            lower=expected.number(f"{name}_ci_lower"),
            mean=expected.number(f"{name}_mean"),
            upper=expected.number(f"{name}_ci_upper"),
            drawn=_draw(dice, mean, deviation, 200),
        )
        for name, mean in _MEANS.items()
    ]


def _asked(phase: Stage) -> Reported:
    client = phase.target("plms").client
    answer = client.get(f"/api/projects/{_NEW}/metrics", params={"with_ci": 1})
    return read(answer, "metrics")


def _draw(dice: Random, mean: float, deviation: float, count: int) -> list[float]:
    return [dice.gauss(mean, mean * deviation) for _ in range(count)]


def _plant(registry: Path, lane: str, taken: Mapping[str, Sequence[float]]) -> None:
    """Put runs and their priors in the place of those that were put there before."""
    runs = [
        (f"seeded-{number}", tokens, minutes)
        for number, (tokens, minutes) in enumerate(zip(*taken.values(), strict=True))
    ]
    ended = "2025-11-12T12:00:00+00:00"
    with closing(sqlite3.connect(registry)) as db, db:
        for table in ("project_runs", "estimate_versions"):
            db.execute(f"DELETE FROM {table} WHERE run_id LIKE 'seeded-%'")
        db.executemany(
            "INSERT INTO project_runs (run_id, project_id, run_kind, lane_name, status,"
            " started_at, completed_at, tokens_actual, duration_actual, validation_pass)"
            " VALUES (?, 990, 'baseline', ?, 'completed', ?, ?, ?, ?, 1)",
            [(run, lane, ended, ended, tokens, minutes) for run, tokens, minutes in runs],
        )
        db.executemany(
            "INSERT INTO estimate_versions (run_id, lane_name, phase_name, mean_tokens,"
            " std_tokens, mean_duration, std_duration, confidence, created_at)"
            " VALUES (?, ?, 'execution', ?, 0, ?, 0, 0.5, ?)",
            [(run, lane, tokens, minutes, ended) for run, tokens, minutes in runs],
        )
