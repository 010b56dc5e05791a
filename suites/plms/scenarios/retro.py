"""Day 7 as the suite sees it: the review, the tuning, the report that is published."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pytest_rollout import Event, Reported, Stage, every, scenario
from suites.plms.scenarios.calibration import (
    expectations,
    learning_rate,
    start_small,
    still_open,
)
from suites.plms.scenarios.kpi_gates import Tried, attempt_all, attempts, threshold_sides
from suites.plms.views.answers import not_done
from suites.plms.views.dialect import spoken
from suites.plms.views.final_report import REPORT, Written
from suites.plms.views.formats import PAGE, read_file
from suites.plms.views.host import newest
from suites.plms.views.portfolio import LANES, caps, rows, sample
from suites.plms.views.settings import MARKS, differences, stored
from suites.plms.views.tables import run_row

PLAN_RATE = 0.95
# What the days before leave: the policy of day 5, and submissions open after each roll-back.
LEFT = {"calibration_enabled": "true", "accept_new_projects": "true", "calibration_alpha": "0.2"}
Row = Mapping[str, Any]
_MINUTES = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Settings:
    """What may be tuned, as it stands."""

    caps: Mapping[str, int]
    alpha: float
    test_pass_rate: float  # as it is told; what the gates do is tried

    @property
    def names(self) -> set[str]:
        """The names of the settings."""
        return {*(f"cap of {lane}" for lane in LANES), "calibration_alpha", "test_pass_rate"}

    def changed(self, other: Settings) -> dict[str, tuple[float, float]]:
        """What is otherwise in another one: before and after, by the name of the setting."""
        pairs: dict[str, tuple[float, float]] = {
            f"cap of {lane}": (self.caps[lane], other.caps.get(lane, 0)) for lane in LANES
        }
        pairs["calibration_alpha"] = (self.alpha, other.alpha)
        pairs["test_pass_rate"] = (self.test_pass_rate, other.test_pass_rate)
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


# What the days before set: the caps of day 3, and what the release came with.
PLAN = Settings(LANES, 0.2, PLAN_RATE)


@dataclass(frozen=True, slots=True)
class Retro:
    """What was seen of day 7."""

    registry: Path
    known: tuple[Row, ...]  # the runs of the registry when they were reviewed
    history: Path  # of the invariants job
    kept: Mapping[str, Path]  # what people keep: the review, and operations of the week
    settings: Settings  # after tuning
    stood: Mapping[str, str]  # every setting, as the days before left it
    stands: Mapping[str, str]  # every setting when the day is over
    told_caps: Mapping[str, int]  # as the portfolio tells them, after tuning
    gates: tuple[Tried, ...]  # runs on both sides of the threshold that the report tells
    release: Path  # the checkout
    events: tuple[Event, ...]

    @property
    def changed(self) -> dict[str, tuple[Any, Any]]:
        """Every setting that is not as the days before left it: before and after."""
        tuned: dict[str, tuple[Any, Any]] = dict(PLAN.changed(self.settings))
        known = {*PLAN.names, "kpi_test_pass_rate"}
        other = differences(self.stood, self.stands)
        return tuned | {name: pair for name, pair in other.items() if name not in known}

    @property
    def review(self) -> Reported:
        """The review of the runs."""
        return _kept(self.kept["review"], "review")

    @property
    def operations(self) -> Reported:
        """Probes, incidents and decisions of the week."""
        return _kept(self.kept["operations"], "operations")


def _kept(path: Path, kind: str) -> Reported:
    if not path.is_file():
        not_done(f"there is no {path.name}", f"{PAGE}#{kind} says what it holds")
    return Reported(read_file(path, kind), path.name)


@scenario(effect="change", own_target=True)
def retro_day(phase: Stage) -> Retro:
    """Runs are reviewed, settings tuned where there is cause, the report written and pushed.

    Then the KPI gate is tried on both sides of the threshold that the report tells.
    """
    registry, client = phase.file("registry"), phase.target("plms").client
    stood = _left(phase, registry)
    phase.operate("plms", "open-host")
    phase.operate("plms", "review-runs")
    known = tuple(rows(registry, "SELECT * FROM project_runs"))
    for step in ("tune", "write-report", "publish-report"):
        phase.operate("plms", step)
    report = phase.file("release") / REPORT
    tuned = settings(registry)
    status = sample(client)
    gates = attempt_all(phase, [*attempts(_tried(report), 860)])
    phase.operate("plms", "close-shift")
    return Retro(
        registry=registry,
        known=known,
        history=phase.file("history"),
        kept={name: phase.file(name) for name in ("review", "operations")},
        settings=tuned,
        stood=stood,
        stands=stored(registry),
        told_caps={lane.name: lane.cap for lane in status.lanes},
        gates=gates,
        release=phase.file("release"),
        events=phase.events("change", "action"),
    )


def _left(phase: Stage, registry: Path) -> dict[str, str]:
    """Every setting as the days before left it.

    In a rehearsal that is what stands there before the first step, elsewhere the backup of day 0;
    what the plan itself has set since is as the plan says.
    """
    backup = registry if phase.embedded else newest(phase.file("backups"), "registry_*.db")
    planned = {f"cap of {lane}": str(cap) for lane, cap in LANES.items()}
    kept = {name: value for name, value in stored(backup).items() if name not in MARKS}
    marks = {name: value for name, value in stored(registry).items() if name in MARKS}
    return {**kept, **marks, **planned, **LEFT}


def told_rate(written: Written) -> float:
    """The threshold of the tests' pass rate that a report tells: a tuned one, else the plan's."""
    tuned = [change.after for change in written.changes if change.setting == "test_pass_rate"]
    return float(tuned[-1]) if tuned else PLAN_RATE


def _tried(report: Path) -> list[tuple[str, Any, float | None]]:
    rate = PLAN_RATE
    if report.is_file():
        rate = told_rate(Written.read(report))
    return [("Code-API", side.kpi, side.value) for side in threshold_sides(rate)]


@dataclass(frozen=True, slots=True)
class Blocked:
    """What the review says once runs were blocked by their KPIs."""

    review: Reported
    registry: Path


@scenario(effect="disrupt", own_target=True)
def blocked_run(phase: Stage) -> Blocked:
    """A baseline and a hotfix fail their tests and are blocked; then runs are reviewed again."""
    plms = phase.target("plms")
    for number, kind in enumerate(("baseline", "hotfix")):
        body = {"run_kind": kind, "lane_name": "Code-API", "tests_pass": False}
        key = {"Idempotency-Key": f"{phase.id}/blocked/{kind}"}
        given = spoken().body("start", body)
        answer = plms.client.post(f"/api/projects/{940 + number}/start", headers=key, json=given)
        answer.raise_for_status()
    plms.clock.advance(900)
    phase.operate("plms", "review-runs")
    return Blocked(_kept(phase.file("review"), "review"), phase.file("registry"))


@dataclass(frozen=True, slots=True)
class Effects:
    """What the settings do after tuning."""

    settings: Settings
    most_running: Mapping[str, int]  # tasks of each lane at once, with more of them than slots
    before: Row  # what a run of Code-API was expected to take
    run: Row  # what one then took
    after: Row  # what the next one is expected to take


@scenario(effect="disrupt", own_target=True)
def tuned_effects(phase: Stage) -> Effects:
    """Settings are tuned; then each lane gets more tasks than its cap, and a run teaches."""
    plms, registry = phase.target("plms"), phase.file("registry")
    phase.operate("plms", "open-host")
    phase.operate("plms", "tune")
    tuned, most = settings(registry), dict.fromkeys(LANES, 0)
    for number, lane in enumerate(LANES):
        body = {"run_kind": "rehearsal", "tags": "drill", "tasks": tuned.caps.get(lane, 0) + 2}
        start_small(phase, 950 + number, "caps", {**body, "lane_name": lane})
        for _ in every(plms.clock, 10, until=plms.clock.now() + _MINUTES):
            status = sample(plms.client)
            most[lane] = max(most[lane], *(x.running for x in status.lanes if x.name == lane))
    before = expectations(phase, 0)["Code-API"]
    run = start_small(phase, 101, "teaches", {"run_kind": "baseline"})
    still_open(phase, {run}, minutes=60)
    row = run_row(registry, run)
    return Effects(tuned, most, before, row, expectations(phase, 1)["Code-API"])


def settings(registry: Path) -> Settings:
    """What may be tuned, as it stands in the registry."""
    tuned = rows(registry, "SELECT value FROM system_config WHERE key = 'kpi_test_pass_rate'")
    rate = float(tuned[0]["value"]) if tuned else PLAN_RATE
    return Settings(caps(registry), learning_rate(registry), rate)


def git(release: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What git says of the release."""
    command = ["git", "-C", str(release), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)
