"""What the checks of PLMS stand on: its API, its registry, and its scenarios."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from pytest_rollout import RolloutError, Stage
from suites.plms.scenarios.alert_drill import alert_drill
from suites.plms.scenarios.calibration import calibration_rolled_back, seeded
from suites.plms.scenarios.checker_rules import checker_tried
from suites.plms.scenarios.demos import demonstrated
from suites.plms.scenarios.deployment import api_deployed, taken_back, timer_deployed
from suites.plms.scenarios.failure_drill import drilled, unit_run
from suites.plms.scenarios.follow_up import final_report, followed_up
from suites.plms.scenarios.gate_sides import gate_tried
from suites.plms.scenarios.hard_stops import Lesson, canary, overrunning, quarantined
from suites.plms.scenarios.keyed_starts import aged_key, keyed_starts, rehearsals
from suites.plms.scenarios.kpi_gates import gated
from suites.plms.scenarios.lane_limits import Burst, burst, rolled_back
from suites.plms.scenarios.learning import learning, seeded_intervals
from suites.plms.scenarios.live_week import live_week
from suites.plms.scenarios.lying_service import lied_to
from suites.plms.scenarios.monitoring_rollback import monitoring_rolled_back
from suites.plms.scenarios.policy_probes import probed
from suites.plms.scenarios.preparation import opened_channels, prepared
from suites.plms.scenarios.probing import probed_changes
from suites.plms.scenarios.retro import blocked_run, retro_day, tuned_effects
from suites.plms.scenarios.spent_budgets import spent_by_people
from suites.plms.scenarios.stress_test import Forced, forced_runway, stress_rolled_back, stress_run
from suites.plms.scenarios.two_projects import two_projects
from suites.plms.scenarios.write_bursts import write_bursts
from suites.plms.views.dialect import Dialect, speaking
from suites.plms.views.host import Host

__all__ = [
    "aged_key",
    "alert_drill",
    "api_deployed",
    "blocked_run",
    "burst",
    "calibration_rolled_back",
    "canary",
    "checker_tried",
    "demonstrated",
    "drilled",
    "final_report",
    "followed_up",
    "forced_runway",
    "gate_tried",
    "gated",
    "keyed_starts",
    "learning",
    "lied_to",
    "live_week",
    "monitoring_rolled_back",
    "opened_channels",
    "overrunning",
    "prepared",
    "probed",
    "probed_changes",
    "quarantined",
    "rehearsals",
    "retro_day",
    "rolled_back",
    "seeded",
    "seeded_intervals",
    "stress_rolled_back",
    "stress_run",
    "taken_back",
    "timer_deployed",
    "tuned_effects",
    "two_projects",
    "unit_run",
    "write_bursts",
]


@pytest.fixture(scope="session", autouse=True)
def dialect(phase: Stage) -> Iterator[Dialect]:
    """What the target calls what; a rehearsal's target speaks as the docs do."""
    given = "" if phase.embedded else os.environ.get("PLMS_DIALECT", "")
    with speaking(Dialect.read(Path(given)) if given else Dialect()) as spoken:
        yield spoken


@pytest.fixture(scope="session")
def api(phase: Stage) -> httpx.Client:
    """The Ops API."""
    return phase.target("plms").client


@pytest.fixture(scope="session")
def crowd(phase: Stage, request: pytest.FixtureRequest) -> Burst | None:
    """Every lane with more work than its cap; in a rehearsal only, because it disrupts."""
    return request.getfixturevalue("burst") if phase.embedded else None


@pytest.fixture(scope="session")
def drained(phase: Stage, request: pytest.FixtureRequest) -> Forced | None:
    """Projects that use up their budgets; in a rehearsal only, because that disrupts."""
    return request.getfixturevalue("forced_runway") if phase.embedded else None


@pytest.fixture(scope="session")
def short_runways(phase: Stage, drained: Forced | None) -> Forced:
    """Budgets that were used up: those of a rehearsal, or the drills that people ran."""
    return drained if drained is not None else spent_by_people(phase)


@pytest.fixture(scope="session")
def lessons(phase: Stage, request: pytest.FixtureRequest) -> Mapping[int, Lesson] | None:
    """What runs that may not teach left behind; in a rehearsal only, because that disrupts."""
    return request.getfixturevalue("quarantined") if phase.embedded else None


@pytest.fixture(scope="session")
def registry(phase: Stage) -> Path:
    """The registry's file."""
    path = phase.file("registry")
    if not path.is_file():
        raise RolloutError(f"there is no registry at {path}")
    return path


@pytest.fixture(scope="session")
def host(phase: Stage) -> Host:
    """The host as the phase finds it."""
    return Host.of(phase)
