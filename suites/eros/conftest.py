"""What the checks of EROS stand on: its service, and what was lived through for a phase."""

from __future__ import annotations

import pytest

from pytest_rollout import Stage
from suites.eros.scenarios.flag_trials import flag_trials, flips, phases_in_order
from suites.eros.views.service import Service

__all__ = [
    "flag_trials",
    "flips",
    "phases_in_order",
]


@pytest.fixture(scope="session")
def service(phase: Stage) -> Service:
    """The service as the phase finds it."""
    return Service(phase.target("eros").client)
