"""What the checks of the bridge stand on: its service, and what was lived through for a phase."""

from __future__ import annotations

from datetime import datetime

import pytest

from pytest_rollout import Stage
from suites.bridge.scenarios.paper import papers_of_phase0
from suites.bridge.scenarios.pilot import pilot_run
from suites.bridge.scenarios.wakes import wakes
from suites.bridge.views.service import Bridge

__all__ = ["papers_of_phase0", "pilot_run", "wakes"]


@pytest.fixture(scope="session")
def moment(phase: Stage) -> datetime:
    """When checks that need no time of their own looked; the clock is asked once."""
    return phase.now()


@pytest.fixture(scope="session")
def bridge(phase: Stage) -> Bridge:
    """The bridge as the phase finds it."""
    return Bridge.of(phase)
