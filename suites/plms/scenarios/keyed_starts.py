"""Day 2: starts and their keys, and rehearsals, as the interface answers them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_rollout import (
    BeforeAfter,
    Idempotency,
    ReplayAnswer,
    Reported,
    Stage,
    scenario,
)
from suites.plms.views.answers import read
from suites.plms.views.dialect import spoken
from suites.plms.views.portfolio import rows
from suites.plms.views.snapshots import snapshot

PROJECT, OTHER_PROJECT = 944, 945
CANARY, SMALL, UNCOVERED = 942, 401, 407
START: Mapping[str, Any] = {
    "run_kind": "baseline",
    "lane_name": "Code-API",
    "tasks": 1,
    "task_seconds": 60,
    "tags": "demo",
}


_MINUTE, _HOUR, _DAY = 60, 3600, 24 * 3600
AGES = {"a minute": _MINUTE + 1, "an hour": _HOUR, "24 hours": _DAY}


def start_body() -> dict[str, object]:
    """What is asked of the service, in its names."""
    return spoken().body("start", START)


@dataclass(frozen=True, slots=True)
class Starts:
    """Starts of a project of the demos, what the first three were told, and what they made."""

    starts: Idempotency
    registry: Path
    key: str
    first: ReplayAnswer
    made_by_first: list[dict[str, Any]]  # rows of project_runs
    again: ReplayAnswer  # with the same key
    made_by_again: int  # runs
    changed_by_again: BeforeAfter | None  # in the registry; None: others write to it as well
    fresh: ReplayAnswer  # with another key
    made_by_fresh: list[dict[str, Any]]

    @property
    def other_path(self) -> str:
        """Where another project is started."""
        return _path(OTHER_PROJECT)

    def runs_of(self, project: int) -> list[dict[str, Any]]:
        """The runs of a project, as they stand in the registry."""
        return _runs(self.registry, project)


def _runs(registry: Path, project: int) -> list[dict[str, Any]]:
    return rows(registry, "SELECT * FROM project_runs WHERE project_id = ?", project)


def _starts(phase: Stage) -> Idempotency:
    registry = phase.file("registry")

    def made() -> int:
        return sum(len(_runs(registry, project)) for project in (PROJECT, OTHER_PROJECT))

    client = phase.target("plms").client
    return Idempotency(client, _path(PROJECT), id_at="run_id", effects=made)


@scenario(effect="change", own_target=True)
def keyed_starts(phase: Stage) -> Iterator[Starts]:
    """A project is started, again with the same key, and once more with another."""
    starts, registry = _starts(phase), phase.file("registry")
    none, key = _runs(registry, PROJECT), starts.new_key()
    first = starts.ask(start_body(), key)
    once, before = _runs(registry, PROJECT), snapshot(registry)
    again = starts.ask(start_body(), key)
    twice, after = _runs(registry, PROJECT), snapshot(registry)
    fresh = starts.ask(start_body(), starts.new_key())
    yield Starts(
        starts,
        registry,
        key,
        first,
        _new(once, none),
        again,
        len(_new(twice, once)),
        BeforeAfter.between(before, after) if phase.embedded else None,
        fresh,
        _new(_runs(registry, PROJECT), twice),
    )
    _cancelled(phase)


@dataclass(frozen=True, slots=True)
class Aged:
    """A key when it was new, and what it stands for later."""

    first: ReplayAnswer
    later: Mapping[str, ReplayAnswer]  # by its age in words
    made: int  # runs, by all of them


@scenario(effect="change", own_target=True)
def aged_key(phase: Stage) -> Iterator[Aged]:
    """A start is repeated with its key up to a day later; in production a minute later."""
    starts, registry = _starts(phase), phase.file("registry")
    clock, key, passed = phase.target("plms").clock, starts.new_key(), 0
    before, later = _runs(registry, PROJECT), {}
    first = starts.ask(start_body(), key)
    for words, age in AGES.items():
        if phase.embedded or age < _HOUR:
            clock.advance(age - passed)
            passed, later[words] = age, starts.ask(start_body(), key)
    yield Aged(first, later, len(_new(_runs(registry, PROJECT), before)))
    _cancelled(phase)


def _new(runs: list[dict[str, Any]], known: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The runs that were not known."""
    ids = [run["run_id"] for run in known]
    return [run for run in runs if run["run_id"] not in ids]


def _cancelled(phase: Stage) -> None:
    """Cancel what was started, where it would go on."""
    if not phase.embedded:
        for project in (PROJECT, OTHER_PROJECT):
            phase.target("plms").client.post(f"/api/projects/{project}/cancel")


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
    def share(self) -> float:
        """Share of the tasks that were really taken."""
        return self.said.whole("n_sample") / max(self.said.whole("n_total"), 1)

    @property
    def scaled(self) -> float:
        """Tokens of the whole, as they follow from what the sample took."""
        return self.tokens / self.share if self.share else 0.0

    def represented(self, strata: Collection[str]) -> float:
        """Share of some strata of which the sample really holds a task."""
        samples = self.samples
        return sum(samples.get(name, 0) > 0 for name in strata) / max(len(strata), 1)


@dataclass(frozen=True, slots=True)
class Rehearsals:
    """One percent of two projects, and so much of the first that every stratum shows."""

    canary: Rehearsed
    small: Rehearsed  # of which one percent is fewer tasks than it has strata
    large: Rehearsed  # of the canary's project
    uncovered: Rehearsed | None  # of more strata than a rehearsal may have tasks; None: not known

    @property
    def strata(self) -> list[str]:
        """The strata of the canary's project: those of which the large one holds a task."""
        return [name for name, count in self.large.samples.items() if count > 0]


@scenario()
def rehearsals(phase: Stage) -> Rehearsals:
    """One percent of two projects of different sizes is rehearsed, and a fifth of the first."""
    api = phase.target("plms").client

    def rehearsed(project: int, share: float) -> Rehearsed:
        body = spoken().body("simulate", {"rehearsal_pct": share})
        answer = api.post(spoken().path("simulate", project), json=body)
        return Rehearsed(read(answer, "simulate"))

    first, small, large = (rehearsed(*of) for of in ((CANARY, 0.01), (SMALL, 0.01), (CANARY, 0.2)))
    return Rehearsals(first, small, large, rehearsed(UNCOVERED, 0.01) if phase.embedded else None)
