"""Day 6 as the suite sees it: two projects under load, a forced runway, a roll-back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from pytest_rollout import Event, Message, Reported, Stage, every, gaps, read_inbox, scenario
from suites.plms.scenarios.steps import Steps
from suites.plms.views.answers import read
from suites.plms.views.portfolio import Sample, Start, rows, sample, start
from suites.plms.views.watched import Seen, newest_row, run_rows, see

PAIR = {301: "Code-API", 302: "Data-Schema"}
BUDGETS = {
    301: {"budget_tokens": 50_000, "budget_duration_minutes": 120},
    302: {"budget_tokens": 40_000, "budget_duration_minutes": 90},
}
FILES = {301: "alpha-metrics", 302: "beta-metrics"}
STORED_WITHIN = timedelta(minutes=15)  # by people, of the end of both runs
THIRD = 393  # whose start is refused after the roll-back
_HALF_AN_HOUR = 1800
FORCED = {391: "Viz-Charts", 392: "Narrative"}
FIGURES = tuple(
    f"{name}_{part}"
    for name in ("tokens", "duration")
    for part in ("actual", "mean", "ci_lower", "ci_upper")
)


@dataclass(frozen=True, slots=True)
class Looks:
    """When a route was asked of one project, and what it answered where it did."""

    asked: list[datetime] = field(default_factory=list)
    answers: list[tuple[datetime, Reported]] = field(default_factory=list)

    def look(self, api: httpx.Client, path: str, now: datetime) -> None:
        """Ask once."""
        self.asked.append(now)
        answer = api.get(path)
        if answer.is_success:
            self.answers.append((now, read(answer, path.rpartition("/")[2])))

    def gaps(self) -> Iterator[tuple[datetime, float]]:
        """The seconds between two answers in a row, from the first question to the last."""
        times = [at for at, _ in self.answers]
        return gaps(sorted({self.asked[0], *times, self.asked[-1]}) if times else [])


@dataclass(frozen=True, slots=True)
class Stress:
    """What was seen while 301 and 302 ran, and what was left of it."""

    starts: dict[int, Start]
    estimates: dict[int, dict[str, Any]]  # as they stood when the runs started
    started: datetime
    seen: tuple[Seen, ...]
    after: Sample  # once both had ended, or nobody watched any more
    runways: dict[int, Looks]
    heatmap: Looks
    alerts: tuple[Message, ...]
    runs: list[dict[str, Any]]
    completed: list[dict[str, Any]]  # rows of all completed runs with an estimate and an actual
    rows: dict[int, Mapping[str, Any]]  # the registry's row of each one's run, {} without one
    receipts: list[dict[str, Any]]
    final: dict[int, dict[str, Any]]
    files: dict[int, Path]
    errors: Path
    events: tuple[Event, ...]

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The portfolio at each look."""
        return tuple(now.sample for now in self.seen)

    def progress(self, project: int) -> dict[datetime, float]:
        """The progress of a project at each look at which it was told."""
        return {
            now.at: told.progress
            for now in self.seen
            for told in now.sample.projects
            if told.id == project
        }

    def runs_of(self, project: int) -> list[dict[str, Any]]:
        """The runs of a project that were not cancelled."""
        return [run for run in self.runs if run["project_id"] == project]


@scenario(effect="change", own_target=True)
def stress_run(phase: Stage) -> Stress:
    """301 and 302 start together and are watched until both have ended."""
    plms = phase.target("plms")
    registry, steps = phase.file("registry"), Steps(phase)
    plms.clock.to(phase.window[0] + timedelta(minutes=5))
    steps.do("arm-runway-alerts")
    known = newest_row(registry)
    started = plms.clock.now()
    starts = {project: _start(phase, project) for project in PAIR}
    estimates = {project: _metrics(plms.client, project) for project in PAIR}
    runways, heatmap = {project: Looks() for project in PAIR}, Looks()
    seen = tuple(_watched(phase, runways, heatmap))
    after = sample(plms.client)
    for step in ("collect-final-metrics", "compute-errors", "close-shift"):
        steps.do(step)
    files = {project: phase.file(name) for project, name in FILES.items()}
    _wait_for_people(phase, (*files.values(), phase.file("estimation-errors")))
    runs = run_rows(registry, PAIR, known)
    return Stress(
        starts=starts,
        estimates=estimates,
        started=started,
        seen=seen,
        after=after,
        runways=runways,
        heatmap=heatmap,
        alerts=read_inbox(phase.file("inbox")),
        runs=[run for run in runs if run["status"] != "cancelled"],
        completed=_completed(registry),
        rows={project: _row(registry, start) for project, start in starts.items()},
        receipts=_receipts(registry),
        final={project: _metrics(plms.client, project) for project in PAIR},
        files=files,
        errors=phase.file("estimation-errors"),
        events=phase.events("change", "action"),
    )


def _wait_for_people(phase: Stage, files: Iterable[Path]) -> None:
    """In a real environment people store figures once both have ended: they get their time."""
    if phase.embedded:
        return
    clock, ended = phase.target("plms").clock, phase.now()
    for _ in every(clock, 5, until=ended + STORED_WITHIN):
        if all(path.is_file() and path.stat().st_mtime >= ended.timestamp() for path in files):
            return


def _start(phase: Stage, project: int) -> Start:
    key = f"{phase.id}/{project}/1"
    answer = start(phase.target("plms").client, project, key, **BUDGETS[project])
    if answer.status == httpx.codes.OK:
        phase.record("change", f"project {project} started")
    return answer


def _metrics(api: httpx.Client, project: int) -> dict[str, Any]:
    answer = api.get(f"/api/projects/{project}/metrics", params={"with_ci": 1})
    return read(answer, "metrics")


def _completed(registry: Path) -> list[dict[str, Any]]:
    query = (
        "SELECT * FROM project_runs WHERE status = 'completed' AND completed_at IS NOT NULL"
        " AND tokens_actual > 0 AND tokens_mean > 0"
    )
    return rows(registry, query)


def _row(registry: Path, start: Start) -> Mapping[str, Any]:
    query = "SELECT * FROM project_runs WHERE run_id = ?"
    return next(iter(rows(registry, query, start.body.get("run_id"))), {})


def _receipts(registry: Path) -> list[dict[str, Any]]:
    query = (
        "SELECT r.run_id, r.project_id, k.kpi_name, k.value, k.passed"
        " FROM project_runs AS r LEFT JOIN kpi_receipts AS k USING (run_id)"
        f" WHERE r.project_id IN ({', '.join('?' * len(PAIR))}) AND r.status <> 'cancelled'"
    )
    return rows(registry, query, *PAIR)


def _watched(phase: Stage, runways: Mapping[int, Looks], heatmap: Looks) -> Iterator[Seen]:
    """The portfolio every 10 s, runways every 30 s, the heatmap every 60 s.

    Half an hour after the slot nobody watches any more: what still runs then is stuck.
    """
    plms, registry = phase.target("plms"), phase.file("registry")
    due = {30: plms.clock.now(), 60: plms.clock.now()}
    for now in every(plms.clock, 10, until=phase.window[1] + timedelta(minutes=30)):
        seen = see(plms, registry, now, PAIR)
        if seen.sample.ended(PAIR):
            return
        yield seen
        for seconds in [each for each, at in due.items() if now >= at]:
            due[seconds] = now + timedelta(seconds=seconds)
            if seconds == 60:
                heatmap.look(plms.client, "/api/projects/301/risk-heatmap", now)
                continue
            for project in seen.sample.told_executing(PAIR):
                path = f"/api/projects/{project}/budget-runway"
                runways[project].look(plms.client, path, now)


@dataclass(frozen=True, slots=True)
class Forced:
    """The runway of two projects whose budget lasts exactly as long as their work."""

    runways: dict[int, Looks]
    alerts: tuple[Message, ...]


@scenario(effect="disrupt", own_target=True)
def forced_runway(phase: Stage) -> Forced:
    """Drill projects, kept out of priors and rates, use up their whole budget.

    Each had a short run of a large budget before, which its runway is not of.
    """
    plms = phase.target("plms")
    phase.operate("plms", "arm-runway-alerts")
    drill = {"tasks": 1, "write_sandbox": True, "tags": "drill"}
    for project, lane in FORCED.items():
        body = {**drill, "lane_name": lane, "task_seconds": 60, "budget_tokens": 600_000}
        start(plms.client, project, f"{phase.id}/{project}/0", **body)
    plms.clock.advance(90)
    for number, (project, lane) in enumerate(FORCED.items()):
        body = {**drill, "lane_name": lane, "task_seconds": 2400 + 300 * number}
        start(plms.client, project, f"{phase.id}/{project}/1", **body, budget_tokens=6_000)
    runways = {project: Looks() for project in FORCED}
    for now in every(plms.clock, 30, until=plms.clock.now() + timedelta(hours=1)):
        executing = sample(plms.client).told_executing(FORCED)
        for project in executing:
            runways[project].look(plms.client, f"/api/projects/{project}/budget-runway", now)
        if not executing:
            break
    return Forced(runways, read_inbox(phase.file("inbox")))


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What the roll-back of the stress test left behind."""

    before: Seen  # both run
    later: tuple[Seen, Seen]  # half a minute and a minute after
    switches: tuple[str, str]  # whether new projects are accepted, by the registry: at once, later
    # HTTP status of a start after it, of one half an hour later, and of one of project 301 again
    refused: tuple[int, int, int]
    left: list[dict[str, Any]]  # rows that the refused starts left
    trouble: str  # why the roll-back broke off, where it did
    alerts: tuple[Message, ...]
    reopened: Start  # the same start once submissions were resumed
    running: list[dict[str, Any]]  # and what came of it, by the registry


@scenario(effect="disrupt", own_target=True)
def stress_rolled_back(phase: Stage) -> Withdrawn:
    """Both projects run when the stress test is rolled back; then somebody starts a third.

    Half an hour later it is tried once more. At last submissions are resumed, and it is started.
    """
    plms, registry = phase.target("plms"), phase.file("registry")
    for project in PAIR:
        start(plms.client, project, f"{phase.id}/{project}/1", **BUDGETS[project])
    plms.clock.advance(60)
    before = see(plms, registry, plms.clock.now(), PAIR)
    steps = Steps(phase)
    steps.do("roll-back-stress")
    switches, later = [_switch(registry)], []
    for _ in range(2):
        plms.clock.advance(30)
        later.append(see(plms, registry, plms.clock.now(), PAIR))
    body = {"lane_name": "Narrative", "tasks": 1, "task_seconds": 60}
    third = start(plms.client, THIRD, f"{phase.id}/{THIRD}/1", **body)
    plms.clock.advance(_HALF_AN_HOUR)
    switches.append(_switch(registry))
    fourth = start(plms.client, THIRD, f"{phase.id}/{THIRD}/2", **body)
    again = start(plms.client, 301, f"{phase.id}/301/2", **BUDGETS[301])
    left, alerts = run_rows(registry, [THIRD]), read_inbox(phase.file("inbox"))
    phase.operate("plms", "resume-submissions")
    known = newest_row(registry)
    reopened = start(plms.client, THIRD, f"{phase.id}/{THIRD}/3", **body)
    plms.clock.advance(30)
    return Withdrawn(
        before=before,
        later=(later[0], later[1]),
        switches=(switches[0], switches[1]),
        refused=(third.status, fourth.status, again.status),
        left=left,
        trouble=steps.trouble.get("roll-back-stress", ""),
        alerts=alerts,
        reopened=reopened,
        running=run_rows(registry, [THIRD], known),
    )


def _switch(registry: Path) -> str:
    query = "SELECT value FROM system_config WHERE key = 'accept_new_projects'"
    return "".join(str(row["value"]) for row in rows(registry, query))
