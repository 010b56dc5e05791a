"""What the checks of PLMS stand on: its API, its registry, and its scenarios."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from pytest_rollout import RolloutError, Stage
from suites.plms.afterwards import final_report, followed_up, probed_change
from suites.plms.calibration import calibration_rolled_back, probed, seeded
from suites.plms.demonstrations import demonstrated
from suites.plms.deployment import deployed, taken_back
from suites.plms.host import Host
from suites.plms.monitoring import alert_drill, monitoring_rolled_back
from suites.plms.preparation import prepared
from suites.plms.retro import blocked_run, retro_day
from suites.plms.scenarios import burst, rolled_back, two_projects
from suites.plms.starting import keyed_starts, rehearsals
from suites.plms.stress import forced_runway, stress_rolled_back, stress_run
from suites.plms.week import canary, live_week, overrunning, quarantined

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
    "overrunning",
    "prepared",
    "probed",
    "probed_change",
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
