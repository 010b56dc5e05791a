"""Day 2: starts and their keys, and rehearsals, as the interface answers them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_rollout import Idempotency, ReplayAnswer, Reported, Stage, scenario
from suites.plms.views.answers import read
from suites.plms.views.portfolio import rows

PROJECT, OTHER_PROJECT = 944, 945
START: Mapping[str, Any] = {
    "run_kind": "baseline",
    "lane_name": "Code-API",
    "tasks": 1,
    "task_seconds": 60,
    "tags": "demo",
}


@dataclass(frozen=True, slots=True)
class Starts:
    """Starts of a project of the demos, and what the first three were told."""

    starts: Idempotency
    first: ReplayAnswer
    again: ReplayAnswer  # with the same key
    made_by_again: int  # runs
    fresh: ReplayAnswer  # with another key

    @property
    def other_path(self) -> str:
        """Where another project is started."""
        return _path(OTHER_PROJECT)


@scenario(effect="change", own_target=True)
def keyed_starts(phase: Stage) -> Iterator[Starts]:
    """A project is started, again with the same key, and once more with another."""
    api, registry = phase.target("plms").client, phase.file("registry")

    def made() -> int:
        query = "SELECT run_id FROM project_runs WHERE project_id IN (?, ?)"
        return len(rows(registry, query, PROJECT, OTHER_PROJECT))

    starts = Idempotency(api, _path(PROJECT), id_at="run_id", effects=made)
    key = starts.new_key()
    first, before = starts.ask(START, key), made()
    again, after = starts.ask(START, key), made()
    yield Starts(starts, first, again, after - before, starts.ask(START, starts.new_key()))
    if not phase.embedded:
        for project in (PROJECT, OTHER_PROJECT):
            api.post(f"/api/projects/{project}/cancel")


def _path(project: int) -> str:
    return f"/api/projects/{project}/start"


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A rehearsal of a project as the interface tells it; a field is read when it is asked for."""

    said: Reported

    @property
    def requested(self) -> float:
        """Share that was asked for."""
        return self.said.number("requested_pct")

    @property
    def actual(self) -> float:
        """Share that was taken."""
        return self.said.number("actual_pct")

    @property
    def coverage(self) -> float:
        """Share of the strata that are represented, as the target tells it."""
        return self.said.number("strata_coverage")

    @property
    def samples(self) -> Mapping[str, float]:
        """How many tasks were taken, by stratum."""
        taken = self.said.inner("samples_per_stratum")
        return {name: taken.number(name) for name in taken}

    @property
    def tokens(self) -> float:
        """Tokens that the sample took."""
        return self.said.number("rehearsal_tokens")

    @property
    def projected(self) -> float:
        """Tokens that the whole is projected to take."""
        return self.said.number("projected_tokens")

    @property
    def risk(self) -> float:
        """How risky the whole is."""
        return self.said.number("risk_score")

    @property
    def represented(self) -> float:
        """Share of the strata of which the sample really holds a task."""
        samples = self.samples
        return sum(count > 0 for count in samples.values()) / max(len(samples), 1)


@scenario()
def rehearsals(phase: Stage) -> dict[int, Rehearsed]:
    """One percent of two projects of different sizes is rehearsed."""
    api = phase.target("plms").client
    rehearsed = {}
    for project in (942, 401):
        answer = api.post(f"/api/projects/{project}/simulate", json={"rehearsal_pct": 0.01})
        rehearsed[project] = Rehearsed(read(answer, "simulate"))
    return rehearsed
