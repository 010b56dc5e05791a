"""What the checks of the bridge stand on: its service, and what was lived through for a phase."""

from __future__ import annotations

from datetime import datetime

import pytest

from pytest_rollout import Stage
from suites.bridge.views.service import Service

__all__: list[str] = []


@pytest.fixture(scope="session")
def moment(phase: Stage) -> datetime:
    """When checks that need no time of their own looked; the clock is asked once."""
    return phase.now()


@pytest.fixture(scope="session")
def service(phase: Stage) -> Service:
    """The service as the phase finds it."""
    return Service(phase.target("bridge").client)
