"""Day 2: the KPI gate of Code-API, tried on both sides of its threshold and with a broken build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from pytest_rollout import RolloutError, Stage, every, scenario
from suites.plms.scenarios.demos import GatedRun, gated_run
from suites.plms.views.portfolio import ENDED, rows, sample, start

PROJECT = 945
_STEP_S, _LIMIT = 5, timedelta(minutes=5)
_TESTS = 1000  # of a report: tenths of a percent on either side of the threshold
_BODY: Mapping[str, Any] = {"lane_name": "Code-API", "tasks": 1, "task_seconds": 10}
_BUDGET = 9_000  # tokens: what nothing else is known of is expected to take this


@dataclass(frozen=True, slots=True)
class Handed:
    """What a run hands in: how its tests ended, and whether it builds."""

    passing: int
    builds: bool
    may_complete: bool
    tests: int = _TESTS
    skips: bool = False  # what does not pass is skipped; else it fails

    @property
    def rate(self) -> float:
        """Share of its tests that pass."""
        return self.passing / self.tests if self.tests else 0.0

    @property
    def body(self) -> dict[str, Any]:
        """What a start says of it."""
        # None of these is a test that passed.
        red = ("<skipped/>",) * 2 if self.skips else ("<failure/>", "<error/>")
        ended = ["" if number < self.passing else red[number % 2] for number in range(self.tests)]
        cases = [f"<testcase name='t{number}'>{end}</testcase>" for number, end in enumerate(ended)]
        report = f"<testsuite>{''.join(cases)}</testsuite>"
        built = {} if self.builds else {"kpis": {"build_success": False}}
        return {**_BODY, "calibrate": True, "test_report": report, **built}


SIDES = {
    "949 of 1000 tests passing": Handed(949, builds=True, may_complete=False),
    "940 of 1000 tests passing": Handed(940, builds=True, may_complete=False),
    "no test passing": Handed(0, builds=True, may_complete=False),
    "no test in its report": Handed(0, builds=True, may_complete=False, tests=0),
    "100 of 1000 tests skipped": Handed(900, builds=True, may_complete=False, skips=True),
    "950 of 1000 tests passing": Handed(950, builds=True, may_complete=True),
    "every test passing and no build": Handed(1000, builds=False, may_complete=False),
}


@dataclass(frozen=True, slots=True)
class Expected:
    """Tokens that a run is expected to take, one after the other, and what they really take."""

    first: float
    after_failed: float  # once a failed run has ended
    after_passed: float  # once a run that took ``actual`` has completed
    actual: float


@dataclass(frozen=True, slots=True)
class GateTried:
    """What became of the runs."""

    runs: Mapping[str, GatedRun]
    expected: Expected | None  # None: in production nothing but demos may be started here


@scenario(effect="change", own_target=True)
def gate_tried(phase: Stage) -> GateTried:
    """A run is started for each side; in a rehearsal first three that may move an estimate."""
    expected = _expected(phase) if phase.embedded else None  # before anything else is learnt
    ids = {name: _started(phase, side.body | {"tags": "demo"}) for name, side in SIDES.items()}
    _wait(phase, ids.values())
    registry = phase.file("registry")
    runs = {name: gated_run(registry, run) for name, run in ids.items()}
    return GateTried(runs, expected)


def _started(phase: Stage, body: Mapping[str, Any]) -> str:
    answer = start(phase.target("plms").client, PROJECT, f"{phase.id}/{uuid4()}", **body)
    run = answer.body.get("run_id")
    if not run:
        raise RolloutError(f"a start of project {PROJECT} answers {answer.status}, without a run")
    return str(run)


def _wait(phase: Stage, runs: Iterable[str]) -> None:
    """Wait until the runs have ended; one that does not is left as it stands."""
    plms, wanted = phase.target("plms"), set(runs)
    for _ in every(plms.clock, _STEP_S, until=plms.clock.now() + _LIMIT):
        sample(plms.client)  # a service may write what became of its runs only when it is asked
        if wanted <= _ended(phase.file("registry")):
            break


def _ended(registry: Path) -> set[str]:
    query = "SELECT run_id, status FROM project_runs WHERE project_id = ?"
    return {row["run_id"] for row in rows(registry, query, PROJECT) if row["status"] in ENDED}


def _expected(phase: Stage) -> Expected:
    """Three runs in a row, without the tag that keeps demos from teaching."""
    registry = phase.file("registry")
    failing, passing = (
        SIDES["940 of 1000 tests passing"].body,
        SIDES["950 of 1000 tests passing"].body,
    )
    run_rows = []
    for body in (failing, passing, passing):
        run = _started(phase, {**body, "budget_tokens": _BUDGET})
        _wait(phase, [run])
        run_rows.append(gated_run(registry, run).row)
    means = [row["tokens_mean"] for row in run_rows]
    if None in means or run_rows[1]["tokens_actual"] is None:
        raise RolloutError("the registry does not say what a run is expected to take, or took")
    return Expected(means[0], means[1], means[2], run_rows[1]["tokens_actual"])
