"""An executor for each of three lanes, with work whose outcome anybody can compute; replays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_rollout import Reported, Stage, scenario
from suites.pas.scenarios.gated import cases
from suites.pas.views.executed import to_their_end
from suites.pas.views.pas import Pas, full_of

_MOST_S = 60
VECTORS = [[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]
QUERY = [0.5, 0.9, 0.1]
BEFORE = {"id": "int", "name": "text", "old": "int"}
AFTER = {"id": "int", "name": "int", "new": "text"}


@dataclass(frozen=True, slots=True)
class Due:
    """What an executor must find."""

    output: Mapping[str, Any]
    kpi: float | None  # None: it depends on when it was done


def nearest(vectors: Sequence[Sequence[float]], query: Sequence[float]) -> int:
    """Which of the vectors points most in the direction of the query."""

    def cosine(vector: Sequence[float]) -> float:
        dot = sum(a * b for a, b in zip(vector, query, strict=True))
        return dot / (math.hypot(*vector) * math.hypot(*query))

    return max(range(len(vectors)), key=lambda number: cosine(vectors[number]))


def differing(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Columns that were added, removed or given another type."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


WORK: Mapping[str, tuple[Mapping[str, Any], Due]] = {
    "Code-Impl": (cases(7, 1), Due({"passed": 7, "cases": 8}, 7 / 8)),
    "Data-Schema": (
        {"before": BEFORE, "after": AFTER},
        Due({"columns": differing(BEFORE, AFTER)}, float(len(differing(BEFORE, AFTER)))),
    ),
    "Vector-Ops": (
        {"vectors": VECTORS, "query": QUERY},
        Due({"nearest": nearest(VECTORS, QUERY)}, None),
    ),
}


@scenario(effect="change")
def executed(phase: Stage) -> Mapping[str, Reported]:
    """A run with one task of each lane; one that nobody takes leaves the others alone."""
    target, pas = phase.target("pas"), Pas(full_of(phase))
    runs = {}
    for lane, (payload, _) in WORK.items():
        runs[lane] = pas.new_run("executor")
        pas.card(runs[lane], lane, payload=dict(payload))
        pas.start(runs[lane]).text("status")
    to_their_end(target, pas, [*runs.values()], _MOST_S)
    return {lane: pas.status(run) for lane, run in runs.items()}


@dataclass(frozen=True, slots=True)
class Replayed:
    """A run and its replay."""

    first: Reported
    again: Reported


@scenario(effect="change")
def replayed(phase: Stage) -> Replayed:
    """A run with dependencies is worked on alone, and then replayed alone."""
    target, pas = phase.target("pas"), Pas(full_of(phase))
    first, again = pas.new_run("recorded"), pas.new_run("replay")
    root = pas.card(first, "Code-Impl", payload=cases(9, 0))
    left = pas.card(first, "Narrative", [root])
    right = pas.card(first, "Vector-Ops", [root])
    pas.card(first, "Data-Schema", [left, right])
    pas.card(first, "Code-Impl", priority=5)
    pas.start(first).text("status")
    to_their_end(target, pas, [first], 2 * _MOST_S)
    pas.start(again, run_kind="replay", replay_of=first).text("status")
    to_their_end(target, pas, [again], 2 * _MOST_S)
    return Replayed(pas.status(first), pas.status(again))
