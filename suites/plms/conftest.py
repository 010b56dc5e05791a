"""What the checks of PLMS stand on: its API, its registry, and its scenarios."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from pytest_rollout import RolloutError, Stage
from suites.plms.deployment import deployed, taken_back
from suites.plms.host import Host
from suites.plms.preparation import prepared
from suites.plms.retro import blocked_run, retro_day
from suites.plms.scenarios import burst, rolled_back, two_projects
from suites.plms.stress import forced_runway, stress_rolled_back, stress_run
from suites.plms.week import canary, live_week, overrunning, quarantined

__all__ = [
    "blocked_run",
    "burst",
    "canary",
    "deployed",
    "forced_runway",
    "live_week",
    "overrunning",
    "prepared",
    "quarantined",
    "retro_day",
    "rolled_back",
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
