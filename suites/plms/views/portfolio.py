"""The portfolio as the suite sees it: starts, samples and the registry's rows."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from pytest_rollout import Event, NotReportedError, Observe, Reported, Stage
from suites.plms.views.answers import read
from suites.plms.views.dialect import spoken
from suites.plms.views.tables import rows as rows

LANES = {"Code-API": 4, "Data-Schema": 2, "Narrative": 6, "Viz-Charts": 3}  # caps of the plan
PROJECTS = {101: "Code-API", 102: "Data-Schema"}
OPEN = ("submitted", "executing", "paused")
ENDED = ("completed", "needs_review", "cancelled", "failed")


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane at one moment; a field is read when it is asked for."""

    said: Reported

    @property
    def name(self) -> str:
        """Its name."""
        return self.said.text("lane_name")

    @property
    def running(self) -> int:
        """How many tasks run in it."""
        return self.said.whole("running")

    @property
    def queued(self) -> int:
        """How many tasks wait in it."""
        return self.said.whole("queued")

    @property
    def cap(self) -> int:
        """How many may run in it at once."""
        return self.said.whole("max_concurrent")

    @property
    def utilization(self) -> float | None:
        """Share of what it could use that it uses; None where it has no work."""
        return self.said.number_or_none("utilization")

    @property
    def has_work(self) -> bool:
        """Whether anything runs or waits in it."""
        return self.running + self.queued > 0


@dataclass(frozen=True, slots=True)
class Project:
    """A run of a project at one moment; a field is read when it is asked for."""

    said: Reported

    @property
    def id(self) -> int:
        """The project's number."""
        return self.said.whole("project_id")

    @property
    def run_id(self) -> str:
        """The run's name."""
        return self.said.text("run_id")

    @property
    def status(self) -> str:
        """How far the run is, as a word; raises NotReportedError where nobody knows the word."""
        word = self.said.text("status")
        if word in OPEN or word in ENDED:
            return word
        known = f"known are {', '.join((*OPEN, *ENDED))}"
        raise NotReportedError(
            f"the target says that project {self.id} is {word!r}; {known},"
            " and words.status of PLMS_DIALECT maps others"
        )

    @property
    def progress(self) -> float:
        """Share of the run that is done."""
        return self.said.number("progress")


@dataclass(frozen=True, slots=True)
class Sample:
    """The portfolio at one moment; a field is read when it is asked for.

    So a field that the target does not report takes down only what reads it.
    """

    said: Reported

    @classmethod
    def of(cls, status: Mapping[str, Any]) -> Sample:
        """A portfolio status as the API gives it, or as it was stored."""
        if isinstance(status, Reported):
            return cls(status)
        return cls(Reported(status, "the portfolio status", spoken().answers.get("portfolio")))

    @property
    def time(self) -> datetime:
        """When it was so, by the target's clock."""
        return self.said.moment("timestamp")

    @property
    def queue_depth(self) -> int:
        """How many tasks wait in all lanes."""
        return self.said.whole("queue_depth")

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """Every lane."""
        return tuple(map(Lane, self.said.each("lanes")))

    @property
    def projects(self) -> tuple[Project, ...]:
        """The newest run of every project."""
        return tuple(map(Project, self.said.each("projects")))

    def executing(self, among: Container[int] = PROJECTS) -> set[int]:
        """Which of the projects run right now."""
        return {p.id for p in self.projects if p.id in among and p.status == "executing"}

    def told_executing(self, among: Container[int] = PROJECTS) -> set[int]:
        """The same while somebody watches: none where the target does not say."""
        try:
            return self.executing(among)
        except NotReportedError:
            return set()

    def ended(self, among: Container[int] = PROJECTS) -> bool:
        """Whether every run of the projects has ended; no where the target does not say."""
        try:
            runs = [project for project in self.projects if project.id in among]
            return all(project.status in ENDED for project in runs)
        except NotReportedError:
            return False


@dataclass(frozen=True, slots=True)
class Start:
    """What came of asking for a run."""

    status: int
    body: Mapping[str, Any]


def start(api: httpx.Client, project: int, key: str, **body: object) -> Start:
    """Ask for a baseline run."""
    response = api.post(
        f"/api/projects/{project}/start",
        headers={"Idempotency-Key": key},
        json=spoken().body("start", {"run_kind": "baseline", **body}),
    )
    return Start(response.status_code, read(response, "start"))


def sample(api: httpx.Client) -> Sample:
    """The portfolio now."""
    return Sample(read(api.get("/api/portfolio/status"), "portfolio"))


def caps(registry: Path) -> dict[str, int]:
    """The cap of each lane that has a row."""
    configs = rows(registry, "SELECT lane_name, max_concurrent FROM lane_configs")
    return {row["lane_name"]: row["max_concurrent"] for row in configs}


def runs(registry: Path, among: Collection[int] = PROJECTS) -> list[dict[str, Any]]:
    """The runs of the projects that were not cancelled, oldest first."""
    query = (
        "SELECT run_id, project_id, status, started_at, completed_at FROM project_runs"
        f" WHERE project_id IN ({', '.join('?' * len(among))}) AND status <> 'cancelled'"
        " ORDER BY run_id"
    )
    return rows(registry, query, *among)


def stalls(
    samples: tuple[Sample, ...], among: Container[int] = PROJECTS
) -> Iterator[tuple[datetime, int, float]]:
    """At each sample, for how many seconds each executing project has shown the same progress."""
    since: dict[int, tuple[float, datetime]] = {}
    for status in samples:
        for project in status.projects:
            if project.id not in among or project.status != "executing":
                continue
            if project.progress >= 1:
                continue
            progress, first = since.get(project.id, (-1.0, status.time))
            if progress != project.progress:
                first = status.time
            since[project.id] = (project.progress, first)
            yield status.time, project.id, (status.time - first).total_seconds()


def observe_slot(phase: Stage, events: Iterable[Event], observe: Observe) -> None:
    """Whether each thing that was done fell outside of the phase's slot."""
    begin, end = phase.window
    for event in events:
        outside = not begin <= event.at < end
        observe("work_outside_window", outside, at=event.at, what=event.says)


def observe_utilisation(samples: Iterable[Sample], observe: Observe) -> None:
    """What of its capacity each lane used, and whether it had work; unknown where it had none."""
    for status in samples:
        for lane in status.lanes:
            if lane.utilization is not None:
                labels = {"lane": lane.name, "demand": lane.has_work}
                observe("lane_utilization", lane.utilization, at=status.time, **labels)


def open_runs(registry: Path, project: int) -> list[dict[str, Any]]:
    """The runs of a project that have not ended."""
    query = "SELECT run_id, status FROM project_runs WHERE project_id = ?"
    return [row for row in rows(registry, query, project) if row["status"] not in ENDED]
