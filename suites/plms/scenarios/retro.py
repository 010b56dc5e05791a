"""Day 7 as the suite sees it: the review, the tuning, the report that is published."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_rollout import Event, RolloutError, Stage, scenario
from suites.plms.views.dialect import spoken
from suites.plms.views.formats import read_file
from suites.plms.views.portfolio import caps, rows


@dataclass(frozen=True, slots=True)
class Settings:
    """What may be tuned, as it stands."""

    caps: dict[str, int]
    alpha: str
    test_pass_rate: float


@dataclass(frozen=True, slots=True)
class Retro:
    """What was seen of day 7."""

    review: dict[str, Any]
    before: Settings  # as noted when the rollout began
    after: Settings
    operations: dict[str, Any]  # probes, incidents and decisions that were noted in the week
    release: Path  # the checkout
    events: tuple[Event, ...]


@scenario(effect="change", own_target=True)
def retro_day(phase: Stage) -> Retro:
    """Runs are reviewed, settings tuned where there is cause, the report written and pushed."""
    phase.operate("plms", "open-host")
    for step in ("review-runs", "tune", "write-report", "publish-report", "close-shift"):
        phase.operate("plms", step)
    operations = read_file(phase.file("operations"), "operations")
    before = operations["before"]
    return Retro(
        review=read_file(phase.file("review"), "review"),
        before=Settings(before["caps"], before["alpha"], before["test_pass_rate"]),
        after=settings(phase.file("registry")),
        operations=operations,
        release=phase.file("release"),
        events=phase.events("change", "action"),
    )


@dataclass(frozen=True, slots=True)
class Blocked:
    """What the review says once a run was blocked by its KPIs."""

    review: dict[str, Any]
    registry: Path


@scenario(effect="disrupt", own_target=True)
def blocked_run(phase: Stage) -> Blocked:
    """A run of Code-API fails its tests and is blocked; then the runs are reviewed again."""
    plms = phase.target("plms")
    body = {"run_kind": "baseline", "lane_name": "Code-API", "tests_pass": False}
    key = {"Idempotency-Key": f"{phase.id}/blocked/1"}
    given = spoken().body("start", body)
    answer = plms.client.post("/api/projects/940/start", headers=key, json=given)
    answer.raise_for_status()
    plms.clock.advance(900)
    phase.operate("plms", "review-runs")
    review = read_file(phase.file("review"), "review")
    return Blocked(review, phase.file("registry"))


def settings(registry: Path) -> Settings:
    """What may be tuned, as it stands in the registry."""
    query = "SELECT key, value FROM system_config"
    config = {row["key"]: row["value"] for row in rows(registry, query)}
    rate = float(config.get("kpi_test_pass_rate", 0.95))
    alpha = config.get("calibration_alpha")
    if alpha is None:
        raise RolloutError("system_config has no calibration_alpha, so no tuning of it can be seen")
    return Settings(caps(registry), alpha, rate)


def git(release: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What git says of the release."""
    command = ["git", "-C", str(release), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)
