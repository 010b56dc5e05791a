"""How long judging takes: CPU seconds and peak memory of one decision over many samples.

Run as ``python benchmarks/judging.py``. Each figure is the best of several processes. With
``--against PATH`` another checkout judges the same worlds, by turns with this one.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import platform
import random
import resource
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.judging_cases import Case

ROOT = Path(__file__).resolve().parents[1]
_SECOND, _WARM = 1_000_000, 30
_BEGIN = 1_762_783_200 * _SECOND


CASES: dict[str, Case] = import_module(
    "judging_cases"
).CASES  # of this checkout, whichever is measured


def judging(case: Case, size: int) -> Callable[[], Any]:
    """What judges a case once and returns the decision: its plan and world are made already."""
    from pytest_rollout.model.evidence import Attempt, Head, Manifest, Run, World
    from pytest_rollout.model.plan import Gate
    from pytest_rollout.model.verdict import Verdict
    from pytest_rollout.plan.load import parse

    loaded = parse(case.plan, Path("rollout.yaml"), "rollout.yaml")
    if loaded.plan is None or loaded.problems:
        raise SystemExit("; ".join(map(str, loaded.problems)))
    end_us = _BEGIN + size * _SECOND
    world = World(
        run=Run("r1", "embedded", _BEGIN, end_us, sealed=True),
        manifest=Manifest({"p.one.c": ("test_c",)}),
        checks={"test_c": (Attempt(Verdict.PASS),)},
        seen=tuple(_seen(case, size)),
        head=Head(1, "h"),
        begun_us=_BEGIN,
    )
    plan = loaded.plan
    return lambda: _decide(plan, plan.phases[0], Gate.EXIT, world, end_us)


def _seen(case: Case, size: int) -> Sequence[Any]:
    """Samples that are a second apart; those of the sides of a comparison at the same times."""
    from pytest_rollout.model.evidence import Seen, Slot, decode

    drawn = random.Random(case.rule)
    found = []
    lanes = [f"l{lane}" for lane in range(case.lanes)]
    runs = [f"r{run}" for run in range(1, 2 + (size // case.each if case.each else 0))]
    for second in range(1, size + 1):
        at_us = _BEGIN + second * _SECOND
        later = (size - second) // case.each if case.each else 0  # runs; the last one decides
        run = runs[max(0, later - (case.mixed and second % 10 == 0))]
        for version in case.sides:
            slot = Slot("m", (("lane", lanes[second % case.lanes]), ("version", version)), at_us)
            found.append(Seen(slot, decode(case.values(drawn)), at_us, run))
    return found


def _decide(plan: Any, phase: Any, gate: Any, world: Any, at_us: int) -> Any:
    """The decision, by a judge that takes a case or by one that takes its parts."""
    decide: Any = import_module("pytest_rollout.judge").decide
    if find_spec("pytest_rollout.judge.case") is None:
        return decide(plan, phase, gate, world, at_us)
    made = import_module("pytest_rollout.judge.case").Case(plan, phase, world, at_us)
    return decide(made, gate)


def measured(name: str, size: int) -> dict[str, Any]:
    """The CPU seconds of judging a case in this process, what was judged, and by which code."""
    import pytest_rollout

    judging(CASES[name], _WARM)()  # imports and what is made once
    judge = judging(CASES[name], size)
    gc.collect()
    world_mb = _peak_mb()
    before = time.process_time()
    decision = judge()
    seconds = time.process_time() - before
    judged = decision.guardrails[0] if CASES[name].guardrail else decision.criteria[0]
    where = Path(str(pytest_rollout.__file__)).resolve().parents[1]
    return {
        "seconds": seconds,
        "peak_mb": _peak_mb(),
        "world_mb": world_mb,
        "verdict": judged.verdict.value,
        "root": str(where),
    }


def _peak_mb() -> float:
    """The most memory that this process had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@dataclass(frozen=True, slots=True)
class Figure:
    """What one checkout came to in one case."""

    seconds: float  # infinite where it took more than was allowed
    verdict: str
    peak_mb: float = 0.0  # of the process, the world in it
    world_mb: float = 0.0  # before it was judged

    def __str__(self) -> str:
        shown = f"{self.seconds:.3f} s" if math.isfinite(self.seconds) else "too long"
        return f"{shown:>11} {self.world_mb:>5.0f} MB {self.peak_mb:>5.0f} MB {self.verdict:<12}"


def elsewhere(root: Path, name: str, size: int, most_s: float) -> Figure:
    """A case measured in a process of its own, with the code of a checkout."""
    command = [sys.executable, __file__, "--measure", "--only", name, "--size", str(size)]
    env = {**os.environ, "PYTHONPATH": str(root)}
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=most_s)
    except subprocess.TimeoutExpired:
        return Figure(math.inf, "-")
    if done.returncode:
        raise SystemExit(f"{name} with the code in {root}:\n{done.stderr[-2000:]}")
    told = json.loads(done.stdout)
    if Path(told["root"]) != root:
        raise SystemExit(f"the code in {told['root']} was measured, not that in {root}")
    return Figure(told["seconds"], told["verdict"], told["peak_mb"], told["world_mb"])


def by_turns(
    roots: Sequence[Path], name: str, size: int, times: int, most_s: float
) -> list[Figure]:
    """The best of each checkout; one that takes too long once has no further turn."""
    best: dict[Path, Figure] = {}
    for _ in range(times):
        for root in roots:
            if root in best and math.isinf(best[root].seconds):
                continue
            figure = elsewhere(root, name, size, most_s)
            best[root] = min(figure, best.get(root, figure), key=lambda one: one.seconds)
    return [best[root] for root in roots]


def _compared(figures: Sequence[Figure]) -> str:
    """How many times as long the second took, and whether they judge alike."""
    if len(figures) < 2 or not all(math.isfinite(one.seconds) for one in figures):
        return ""
    differ = "" if figures[0].verdict == figures[1].verdict else "  THE VERDICTS DIFFER"
    return f"{figures[1].seconds / figures[0].seconds:6.2f}{differ}"


def _machine() -> str:
    """What the figures depend on."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.is_file() else []
    named = (line.partition(": ")[2] for line in lines if line.startswith("model name"))
    load = " ".join(f"{minutes:.1f}" for minutes in os.getloadavg())
    python = f"{platform.python_implementation()} {platform.python_version()}"
    machine = next(named, platform.machine())
    return f"{python}, {platform.system()}, {machine}, {os.cpu_count()} CPUs, load {load}"


def _commit(root: Path) -> str:
    """The commit of a checkout, and whether files of it were changed."""
    command = ["git", "-C", str(root), "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    return done.stdout.strip() or "no commit"


def main() -> None:
    """Print a row for each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=list(CASES), help="just this case")
    parser.add_argument("--size", type=int, help="so many samples in each case")
    parser.add_argument("--times", type=int, default=3, help="the best of so many processes")
    parser.add_argument("--most", type=float, default=300, help="seconds a process may take")
    parser.add_argument("--against", type=Path, help="another checkout, judging by turns")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    names = given.only or list(CASES)
    if given.measure:
        print(json.dumps(measured(names[0], given.size)))
        return
    roots = [ROOT, *([given.against.resolve()] if given.against else [])]
    if not (roots[-1] / "pytest_rollout").is_dir():
        raise SystemExit(f"--against {given.against}: no checkout of this project")
    print(f"$ {shlex.join(['python', *sys.argv])}\n{_machine()}")
    print(f"CPU seconds of one decision, best of {given.times}; memory before, at most; verdict:")
    heads = "".join(f" {_commit(root):>42}" for root in roots)
    print(f"case                  samples{heads}{'  ratio' if len(roots) > 1 else ''}")
    for name in names:
        size = given.size or CASES[name].size
        figures = by_turns(roots, name, size, given.times, given.most)
        row = " ".join(map(str, figures))
        print(f"{name:20} {size:>9,} {row} {_compared(figures)}".rstrip(), flush=True)


if __name__ == "__main__":
    main()
