"""The portfolio and the registry side by side: what the API says, and what the rows say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from pytest_rollout import LiveTarget
from suites.plms.views.portfolio import ENDED, Sample, caps, rows, sample

_MINUTE_S = 60.0
_BETWEEN = 0.15  # by which a mean may leave what was seen, for what went on between the looks


@dataclass(frozen=True, slots=True)
class Look:
    """The registry at one moment: what is set, and the runs that are watched or not ended."""

    caps: Mapping[str, int]
    runs: Sequence[Mapping[str, Any]]
    settings: Mapping[str, str]  # of system_config

    @property
    def configuration(self) -> dict[str, str]:
        """Everything that people set, by what it is called."""
        return {f"the cap of {lane}": str(cap) for lane, cap in self.caps.items()} | dict(
            self.settings
        )

    def count(self, lane: str, *statuses: str) -> int:
        """How many runs of a lane have one of the statuses."""
        return sum(run["lane_name"] == lane and run["status"] in statuses for run in self.runs)

    def status(self, project: int) -> str | None:
        """The status of a project's newest run; None where it has none."""
        mine = [run["status"] for run in self.runs if run["project_id"] == project]
        return mine[-1] if mine else None


def look(registry: Path, among: Collection[int] = ()) -> Look:
    """The registry now."""
    ended = ", ".join("?" * len(ENDED))
    query = (
        "SELECT * FROM project_runs"
        f" WHERE status NOT IN ({ended}) OR project_id IN ({', '.join('?' * len(among))})"
        " ORDER BY rowid"
    )
    settings = rows(registry, "SELECT key, value FROM system_config")
    return Look(
        caps(registry),
        rows(registry, query, *ENDED, *among),
        {row["key"]: str(row["value"]) for row in settings},
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """One moment, by the clock of who looks: the portfolio, and right after it the registry."""

    at: datetime
    sample: Sample
    look: Look


def see(plms: LiveTarget, registry: Path, at: datetime, among: Collection[int]) -> Seen:
    """Look at both now."""
    return Seen(at, sample(plms.client), look(registry, among))


def newest_row(registry: Path) -> int:
    """The number of the newest row of project_runs; 0 without any."""
    return int(
        rows(registry, "SELECT COALESCE(MAX(rowid), 0) AS newest FROM project_runs")[0]["newest"]
    )


def run_rows(registry: Path, among: Collection[int], after: int = 0) -> list[dict[str, Any]]:
    """All runs of the projects whose rows came after another row, oldest first."""
    query = (
        f"SELECT * FROM project_runs WHERE project_id IN ({', '.join('?' * len(among))})"
        " AND rowid > ? ORDER BY rowid"
    )
    return rows(registry, query, *among, after)


def moment(text: str | None, what: str) -> datetime:
    """A time of the registry; raises AssertionError in words where there is none."""
    assert text, f"the registry has no {what}"
    at = datetime.fromisoformat(text)
    assert at.utcoffset() is not None, f"{what} {text} has no zone"
    return at


# What can be counted


def told_and_stored(
    seen: Sequence[Seen], among: Collection[int]
) -> Iterator[tuple[datetime, dict[str, str], dict[str, str]]]:
    """The status of each project by the API and by the registry.

    The registry is read after the API, so a status that it had at the look before is no lie.
    """
    for number, now in enumerate(seen):
        before = seen[max(0, number - 1)].look
        told = {p.id: p.status for p in now.sample.projects if p.id in among}
        by_api: dict[str, str] = {}
        stored: dict[str, str] = {}
        for project in among:
            name, word = f"project {project}", told.get(project)
            told_before = word is not None and word == before.status(project)
            status = word if told_before else now.look.status(project)
            by_api |= {} if word is None else {name: word}
            stored |= {} if status is None else {name: status}
        yield now.at, by_api, stored


def queue_of_lanes(seen: Iterable[Seen]) -> Iterator[tuple[datetime, int, int]]:
    """The depth of the queue as it is said, and as the lanes add up to it."""
    for now in seen:
        yield now.at, now.sample.queue_depth, sum(lane.queued for lane in now.sample.lanes)


def running_by_rows(
    seen: Iterable[Seen],
) -> Iterator[tuple[datetime, dict[str, int], dict[str, int]]]:
    """What runs in each lane, where each run is one task: by the API, and by the registry.

    A run that gave its slot back for a while is executing and waits, so less may run.
    """
    for now in seen:
        by_api = {lane.name: lane.running for lane in now.sample.lanes}
        executing = {lane: now.look.count(lane, "executing") for lane in by_api}
        yield now.at, by_api, {lane: min(by_api[lane], executing[lane]) for lane in by_api}


def work_by_rows(
    seen: Iterable[Seen],
) -> Iterator[tuple[datetime, dict[str, int], dict[str, int]]]:
    """What runs or waits in each lane and in all, where each run is one task: by API and rows."""
    for now in seen:
        lanes = now.sample.lanes
        by_api = {lane.name: lane.running + lane.queued for lane in lanes}
        stored = {lane: now.look.count(lane, "submitted", "executing") for lane in by_api}
        by_api["all lanes"] = now.sample.queue_depth + sum(lane.running for lane in lanes)
        stored["all lanes"] = sum(stored.values())
        yield now.at, by_api, stored


def used(now: Seen, *, by_rows: bool = False) -> dict[str, float | None]:
    """Share of what each lane could use that it uses now, of the caps in the registry.

    None without work. ``by_rows``: of the runs in the registry, each of which is one task.
    """
    shares: dict[str, float | None] = {}
    for lane in now.sample.lanes:
        running, queued = lane.running, lane.queued
        if by_rows:
            running = now.look.count(lane.name, "executing")
            queued = now.look.count(lane.name, "submitted")
        usable = min(now.look.caps.get(lane.name, 0), running + queued)
        shares[lane.name] = running / usable if usable else None
    return shares


def utilisation(
    seen: Sequence[Seen],
) -> Iterator[tuple[datetime, dict[str, float | None], dict[str, float | None]]]:
    """The utilisation of each lane as it is said, and what was counted in the minute before.

    Whatever mean of up to a minute is said lies between the least and the greatest counted
    share; where it does, it is given as counted. An idle lane may say 0.
    """
    shares = [(now.at, used(now)) for now in seen]
    for number, now in enumerate(seen):
        by_api, counted = {}, {}
        for lane in now.sample.lanes:
            share = shares[number][1][lane.name]
            told = None if share is None and lane.utilization == 0 else lane.utilization
            recent = [
                of[lane.name]
                for at, of in shares[: number + 1]
                if (now.at - at).total_seconds() <= _MINUTE_S and of.get(lane.name) is not None
            ]
            by_api[lane.name] = told
            known = [value for value in recent if value is not None]
            near = told is not None and share is not None
            inside = near and min(known) - _BETWEEN <= (told or 0) <= max(known) + _BETWEEN
            counted[lane.name] = told if inside else share
        yield now.at, by_api, counted


def worked_on(seen: Iterable[Seen], among: Mapping[int, str]) -> Iterator[str]:
    """Where a lane has work by the API alone, or none although a project of it is unfinished."""
    for now in seen:
        lanes = {lane.name: lane for lane in now.sample.lanes}
        for name, lane in lanes.items():
            if lane.has_work and not now.look.count(name, "submitted", "executing", "paused"):
                yield f"{now.at.isoformat()}: {name} has work, the registry has no run there"
        for project in now.sample.projects:
            mine = lanes.get(among.get(project.id, ""))
            open_ = project.status == "executing" and project.progress < 1
            if mine is not None and open_ and not mine.has_work:
                yield (
                    f"{now.at.isoformat()}: nothing runs or waits in {mine.name}, and project"
                    f" {project.id} is unfinished at {project.progress:.0%}"
                )


def leaps(seen: Sequence[Sample], among: Collection[int]) -> Iterator[tuple[int, float, float]]:
    """From each sample to the next, how each run's progress went: project, before, after."""
    for before, after in pairwise(seen):
        earlier, later = _progress(before, among), _progress(after, among)
        for key, done in earlier.items():
            if key in later:
                yield key[0], done, later[key]


def _progress(status: Sample, among: Collection[int]) -> dict[tuple[int, int], float]:
    """The progress of each run: of each project its first, its second one and so on."""
    progress: dict[tuple[int, int], float] = {}
    for project in status.projects:
        if project.id in among:
            number = sum(key[0] == project.id for key in progress)
            progress[project.id, number] = project.progress
    return progress


def pauses(seen: Iterable[Seen], among: Collection[int]) -> Iterator[tuple[datetime, int, float]]:
    """For how many seconds each project has shown the same progress, also while it waits."""
    since: dict[int, tuple[float, datetime]] = {}
    for now in seen:
        for project in now.sample.projects:
            if project.id in among and project.status not in ENDED:
                progress, first = since.get(project.id, (0.0, now.at))
                first = first if progress == project.progress else now.at
                since[project.id] = (project.progress, first)
                yield now.at, project.id, (now.at - first).total_seconds()


def starved(now: Seen, lanes: Collection[str]) -> list[str]:
    """The lanes in which runs wait and none runs while others run, by the registry."""
    running = {lane: now.look.count(lane, "executing") for lane in lanes}
    waiting = {lane: now.look.count(lane, "submitted") for lane in lanes}
    return [lane for lane in lanes if waiting[lane] and not running[lane] and any(running.values())]


def age(seen: Iterable[Seen]) -> Iterator[tuple[datetime, float, float]]:
    """By how many seconds each portfolio status is older than the look at it; it is to be new."""
    for now in seen:
        yield now.at, (now.at - now.sample.time).total_seconds(), 0.0


def together(seen: Sequence[Seen], among: Collection[int]) -> float:
    """For how many seconds all projects executed and got on, by the API, from look to look."""
    seconds = 0.0
    for before, after in pairwise(seen):
        if after.sample.executing(among) == set(among):
            earlier, later = (_progress(now.sample, among) for now in (before, after))
            if all(later[run, 0] > earlier.get((run, 0), 0.0) for run in among):
                seconds += (after.at - before.at).total_seconds()
    return seconds


def overlap(runs: Iterable[Mapping[str, Any]], until: datetime) -> float:
    """For how many seconds all runs went on at once, by the registry; 0 where they did not.

    A run that has not ended goes on ``until`` then.
    """
    began = [moment(run["started_at"], f"start of {run['run_id']}") for run in runs]
    ended = [moment(run["completed_at"], "") if run["completed_at"] else until for run in runs]
    return max(0.0, (min(ended) - max(began)).total_seconds()) if began else 0.0
