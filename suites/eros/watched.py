"""Count the rollback conditions of a phase that hold in the runs so far, for `rollout watch`.

`python3 -m suites.eros.watched` asks the journal of the service at ROLLOUT_TARGET_EROS about the
phase in ROLLOUT_PHASE, since its flags were set. It prints JSON: how many conditions hold, which
ones, since when, and of how many runs.
"""

from __future__ import annotations

import json
import os
import sys

import httpx

from pytest_rollout import RolloutError, handed_on
from suites.eros.scenarios.weeks import span
from suites.eros.views import journal
from suites.eros.views.conditions import Baseline, Outcome, held
from suites.eros.views.service import Service


def so_far(service: Service, phase: str) -> dict[str, object]:
    """The conditions that hold, or held at an earlier run, since the flags of a phase were set."""
    begun, until = span(service, phase)
    runs = journal.runs(service, begun, until)
    outcomes, baseline = _outcomes(service, phase, runs)
    conditions: dict[str, str] = {}
    for run, names in held(phase, outcomes, baseline):
        for name in names:
            conditions.setdefault(name, run.at.isoformat())
    return {
        "conditions_held": len(conditions),
        "conditions": conditions,
        "runs": len(outcomes),
        "since": begun.isoformat(),
    }


def _outcomes(
    service: Service, phase: str, runs: tuple[journal.Run, ...]
) -> tuple[list[Outcome], Baseline]:
    """The runs of v5 as the conditions of a phase see them, and what v4 scored before."""
    if phase == "shadow":
        return journal.shadow_outcomes(runs), {}
    baseline: Baseline = {}
    if phase == "early_adopters":
        begun, until = span(service, "shadow")
        baseline = journal.baseline(journal.runs(service, begun, until))
    return [run.outcome() for run in journal.served(runs)], baseline


def main() -> int:
    """Print what holds; 1 and a sentence on stderr where nothing could be counted."""
    phase = os.environ["ROLLOUT_PHASE"].rpartition(".")[2]
    try:
        with httpx.Client(base_url=handed_on("eros"), timeout=20) as client:
            sys.stdout.write(json.dumps(so_far(Service(client), phase)) + "\n")
    except (RolloutError, httpx.HTTPError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
