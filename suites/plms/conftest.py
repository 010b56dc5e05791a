"""What the checks of PLMS stand on: its API, its registry, and its scenarios."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from pytest_rollout import RolloutError, Stage
from suites.plms.scenarios.calibration import calibration_rolled_back, probed, seeded
from suites.plms.scenarios.demos import demonstrated
from suites.plms.scenarios.deployment import deployed, taken_back
from suites.plms.scenarios.follow_up import final_report, followed_up
from suites.plms.scenarios.keyed_starts import keyed_starts, rehearsals
from suites.plms.scenarios.live_week import canary, live_week, overrunning, quarantined
from suites.plms.scenarios.monitoring import alert_drill, monitoring_rolled_back
from suites.plms.scenarios.preparation import opened_channels, prepared
from suites.plms.scenarios.probing import probed_changes
from suites.plms.scenarios.retro import blocked_run, retro_day
from suites.plms.scenarios.stress_test import forced_runway, stress_rolled_back, stress_run
from suites.plms.scenarios.two_projects import burst, rolled_back, two_projects
from suites.plms.views.host import Host

__all__ = [
    "alert_drill",
    "blocked_run",
    "burst",
    "calibration_rolled_back",
    "canary",
    "demonstrated",
    "deployed",
    "final_report",
    "followed_up",
    "forced_runway",
    "keyed_starts",
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
    "stress_rolled_back",
    "stress_run",
    "taken_back",
    "two_projects",
]


@pytest.fixture(scope="session")
def api(phase: Stage) -> httpx.Client:
    """The Ops API."""
    return phase.target("plms").client


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
