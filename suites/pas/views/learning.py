"""What the planner may learn from and what follows from it, by the suite's own arithmetic."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_rollout import NotReportedError, NoValueError, Reported
from suites.pas.views.client import python_of
from suites.pas.views.running import Done, bare, call

RUNS, PACK = "project_runs.jsonl", "planner_training_pack.json"
PAIRS, RESULTS, COMPLETED = "ab_pairs.json", "ab_results.json", "completed_projects.jsonl"
TEACHING = ("baseline", "hotfix")
_NEAR = 1e-6


def read(path: Path) -> Any:
    """The JSON of a file; raises NoValueError where there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise NoValueError(f"there is no {path.name}") from None
    except ValueError as problem:
        raise NotReportedError(f"{path.name} holds no JSON: {problem}") from None


def teaches(run: Reported) -> bool:
    """Whether a recorded run may be learnt from."""
    tasks = run.each("tasks")
    whole = bool(tasks) and all(
        (task.get(name) or 0) > 0 for task in tasks for name in ("size", "tokens", "minutes")
    )
    kind, valid = run.get("run_kind"), run.get("validation_pass")
    return whole and kind in TEACHING and valid is True and run.get("write_sandbox") is False


def rates(runs: Sequence[Reported]) -> dict[str, tuple[int, float, float]]:
    """Of each lane how many tasks there were, and tokens and minutes for each unit of size."""
    sums: dict[str, list[float]] = {}
    for run in runs:
        for task in run.each("tasks"):
            total = sums.setdefault(task.text("lane"), [0, 0.0, 0.0, 0.0])
            for place, value in enumerate((1, task["size"], task["tokens"], task["minutes"])):
                total[place] += value
    return {lane: (int(n), tok / size, mins / size) for lane, (n, size, tok, mins) in sums.items()}


def partition_wrong(said: Reported, runs: Sequence[Reported]) -> str:
    """What is wrong with a partition that was learnt of these runs; empty: nothing."""
    ids, due = sorted(said["runs"]), sorted(run.text("run_id") for run in runs)
    if ids != due:
        return f"it holds {len(ids)} runs, and {len(due)} are due"
    lanes, expected = said.inner("lanes"), rates(runs)
    if set(lanes) != set(expected):
        return f"it has the lanes {sorted(lanes)}, not {sorted(expected)}"
    for lane, (n, tokens, minutes) in expected.items():
        learnt = lanes.inner(lane)
        pairs = (("n", n), ("tokens_per_size", tokens), ("minutes_per_size", minutes))
        for name, value in pairs:
            if not near(learnt.number(name), value):
                return f"{name} of {lane} is {learnt[name]}, not {value:g}"
    return ""


def near(said: float, due: float, share: float = _NEAR) -> bool:
    """Whether two figures are the same but for rounding."""
    return abs(said - due) <= share * max(1.0, abs(due))


def mae(estimates: Sequence[float], actuals: Sequence[float]) -> float:
    """The mean of absolute errors; raises NoValueError where nothing was estimated."""
    if not estimates or len(estimates) != len(actuals):
        raise NoValueError(f"{len(estimates)} estimates are for {len(actuals)} figures")
    return sum(abs(e - a) for e, a in zip(estimates, actuals, strict=True)) / len(actuals)


def reductions(results: Sequence[Reported], pairs: Sequence[Reported]) -> Iterator[float]:
    """By which share the error of each second run is lower than that of the first."""
    for result, pair in zip(results, pairs, strict=True):
        old, new = (
            mae(result.inner(side)["estimates"], [t["tokens"] for t in pair.inner(side)["tasks"]])
            for side in ("a", "b")
        )
        if not old:
            raise NoValueError(f"the old planner has no error for {pair.inner('a')['run_id']}")
        yield (old - new) / old


@dataclass(frozen=True, slots=True)
class Planner:
    """The planner of a checkout, called in a folder of its own."""

    checkout: Path
    folder: Path

    def run(self, *words: str | Path) -> Done:
        """Call it."""
        program = self.checkout / "services/planner/planner.py"
        environ = bare(self.folder, PYTHONDONTWRITEBYTECODE="1")
        python = python_of(self.checkout)
        return call(
            f"planner {words[0]}", python, program, *words, environ=environ, folder=self.folder
        )

    def train(self, runs: Path, out: Path) -> Reported:
        """The pack that it makes of runs."""
        self.run("train", "--runs", runs, "--out", out).demand()
        return Reported(read(out / PACK), PACK)

    def estimate(
        self, packs: Path, project: object, tasks: Sequence[Mapping[str, Any]], *more: str
    ) -> Reported:
        """What it estimates."""
        words = ("estimate", "--packs", packs, "--project", str(project))
        return self.run(*words, "--tasks", json.dumps([*tasks]), *more).said()


def asked(run: Reported) -> list[dict[str, Any]]:
    """The tasks of a run as they are estimated: lane and size."""
    return [{"lane": task["lane"], "size": task["size"]} for task in run.each("tasks")]


def by_project(runs: Sequence[Reported]) -> dict[str, list[Reported]]:
    """Runs by their project, as text."""
    projects: dict[str, list[Reported]] = {}
    for run in runs:
        projects.setdefault(str(run["project_id"]), []).append(run)
    return projects


def numbered(runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Runs as the lines of a file."""
    for run in runs:
        yield json.dumps(run) + "\n"
