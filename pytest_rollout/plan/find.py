"""Finding the plans of a repository."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pytest_rollout.model.errors import Problem, RolloutError
from pytest_rollout.model.plan import Phase, Plan
from pytest_rollout.plan import companions
from pytest_rollout.plan.heap import collector_paused
from pytest_rollout.plan.load import Loaded, load
from pytest_rollout.plan.waivers import expired

DEFAULT_PATTERNS = ("rollout.yaml", "suites/*/rollout.yaml")


def files(root: Path, patterns: Iterable[str]) -> list[Path]:
    """The plan files below a root, in order of their paths.

    Raises RolloutError for a pattern that does not say where below the root.
    """
    paths: set[Path] = set()
    for pattern in patterns:
        try:
            paths.update(path for path in root.glob(pattern) if path.is_file())
        except (ValueError, NotImplementedError, IndexError) as error:
            raise RolloutError(f"rollout_plans: {pattern!r}: {error}") from error
    return sorted(paths)


def unread(root: Path, patterns: Iterable[str]) -> list[str]:
    """Return notes on files that look like plans, or like files beside one, and are not read."""
    patterns = list(patterns)
    plans = files(root, patterns)
    twins = [
        f"{pattern.removesuffix('.yaml')}.yml" for pattern in patterns if pattern[-5:] == ".yaml"
    ]
    pairs = [(path, f"{path.stem}.yaml") for path in files(root, twins) if path not in plans]
    pairs += [pair for path in plans for pair in companions.unread(path)]
    return [
        f"{path.relative_to(root).as_posix()} is not read; rename it to {meant}"
        for path, meant in dict(pairs).items()
    ]


def load_all(root: Path, patterns: Iterable[str], now_us: int | None = None) -> list[Loaded]:
    """Every plan below a root, the broken ones with their problems; ids must differ.

    With ``now_us`` a waiver that has expired by then is a problem of its plan.
    """
    with collector_paused():
        plans = [load(path, path.relative_to(root).as_posix()) for path in files(root, patterns)]
    if now_us is not None:
        plans = [_in_force(loaded, now_us) for loaded in plans]
    ids = Counter(loaded.id for loaded in plans)
    plans = _told_apart(plans)
    return [_with_rivals(loaded, plans, root) if ids[loaded.id] > 1 else loaded for loaded in plans]


def _told_apart(plans: list[Loaded]) -> list[Loaded]:
    """The plans, each phase with what asks for it alone where another plan has its mark."""
    marks = Counter(mark for loaded in plans if loaded.plan for mark in loaded.plan.marks())

    def told(plan: Plan, phase: Phase) -> Phase:
        mark = phase.marks[0]
        return replace(phase, alone=f"{plan.id} and {mark}") if marks[mark] > 1 else phase

    def with_phases(plan: Plan) -> Plan:
        return replace(plan, phases=tuple(told(plan, phase) for phase in plan.phases))

    return [
        replace(loaded, plan=with_phases(loaded.plan)) if loaded.plan else loaded
        for loaded in plans
    ]


def _in_force(loaded: Loaded, now_us: int) -> Loaded:
    over = expired(loaded.plan, now_us) if loaded.plan else []
    return replace(loaded, problems=(*loaded.problems, *over)) if over else loaded


def _with_rivals(loaded: Loaded, plans: list[Loaded], root: Path) -> Loaded:
    rivals = [rival.path for rival in plans if rival.id == loaded.id and rival is not loaded]
    also = ", ".join(path.relative_to(root).as_posix() for path in rivals)
    shown = loaded.path.relative_to(root).as_posix()
    same_id = f"the plan's id {loaded.id} is also that of {also}"
    problem = Problem(shown, 1, same_id, "give each plan an id of its own")
    return replace(loaded, problems=(*loaded.problems, problem))
