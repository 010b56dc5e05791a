"""The planner trained on the recorded runs, and on some whose rates anybody knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout import NoValueError, Reported, Stage, scenario
from suites.pas.views.learning import PACK, RUNS, Planner, numbered, read, teaches
from suites.pas.views.lines import lines

KNOWN, OTHER, UNKNOWN = "9001", "9002", "9009"  # projects of the crafted runs, and one of none
LANE, ONLY_OTHER = "Code-Impl", "Data-Schema"  # that both have, and that the second has alone


@dataclass(frozen=True, slots=True)
class Trained:
    """The recorded runs, the pack that was made of them, and the one that is made of them now."""

    planner: Planner
    packs: Path
    runs: Sequence[Reported]
    kept: Reported
    made: Reported

    @property
    def teaching(self) -> list[Reported]:
        """The runs that may be learnt from; raises NoValueError where none may."""
        runs = [run for run in self.runs if teaches(run)]
        if not runs:
            raise NoValueError("no recorded run may be learnt from")
        return runs

    @property
    def both(self) -> dict[str, Reported]:
        """Both packs."""
        return {"kept": self.kept, "made": self.made}


@scenario()
def trained(phase: Stage, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The planner learns in a folder of its own from what is recorded."""
    packs, folder = phase.file("packs"), tmp_path_factory.mktemp("trained")
    planner = Planner(phase.file("checkout"), folder)
    made = planner.train(packs / RUNS, folder / "packs")
    runs = lines(packs / RUNS, "record of runs")
    return Trained(planner, packs, runs, Reported(read(packs / PACK), PACK), made)


@dataclass(frozen=True, slots=True)
class Crafted:
    """A planner that learnt from crafted runs only."""

    planner: Planner
    packs: Path
    pack: Reported

    def estimate(self, project: str, lane: str, size: int = 10) -> Reported:
        """Its estimate of one task."""
        return self.planner.estimate(self.packs, project, [{"lane": lane, "size": size}])


def crafted_runs() -> list[dict[str, Any]]:
    """Runs at 100 tokens a unit in one project and 300 in the other; others must not count."""

    def run(number: int, project: str, rate: int, **more: Any) -> dict[str, Any]:
        sizes = ((LANE, 4), (LANE, 6)) if project == KNOWN else ((LANE, 10), (ONLY_OTHER, 5))
        tasks = [
            {"lane": lane, "size": size, "tokens": rate * size, "minutes": rate * size / 100}
            for lane, size in sizes
        ]
        day = f"2025-12-{number + 1:02}"
        return {
            "run_id": f"crafted-{number}",
            "project_id": int(project),
            "template": "crafted",
            "run_kind": "baseline",
            "validation_pass": True,
            "write_sandbox": False,
            "started": f"{day}T10:00:00+00:00",
            "ended": f"{day}T11:00:00+00:00",
            "budget_tokens": 10_000,
            "tasks": tasks,
            **more,
        }

    good = [run(n, KNOWN, 100) for n in range(4)] + [run(n, OTHER, 300) for n in range(4, 8)]
    bad = [
        run(8, KNOWN, 9_000, run_kind="rehearsal"),
        run(9, KNOWN, 9_000, validation_pass=False),
        run(10, OTHER, 9_000, write_sandbox=True),
        run(11, OTHER, 9_000, run_kind="replay"),
    ]
    return [*good, *bad]


@scenario()
def crafted(phase: Stage, tmp_path_factory: pytest.TempPathFactory) -> Crafted:
    """The planner learns from crafted runs."""
    folder = tmp_path_factory.mktemp("crafted")
    planner = Planner(phase.file("checkout"), folder)
    file = folder / RUNS
    file.write_text("".join(numbered(crafted_runs())), encoding="utf-8")
    packs = folder / "packs"
    return Crafted(planner, packs, planner.train(file, packs))
