"""What the checks of EROS stand on: its service, and what was lived through for a phase."""

from __future__ import annotations

import pytest

from pytest_rollout import Stage
from suites.eros.scenarios.beside_v5 import beside_v5
from suites.eros.scenarios.flag_trials import flag_trials, flips, phases_in_order
from suites.eros.scenarios.weeks import adopters_week, arrived, canary_week, shadow_week
from suites.eros.views.service import Service

__all__ = [
    "adopters_week",
    "arrived",
    "beside_v5",
    "canary_week",
    "flag_trials",
    "flips",
    "phases_in_order",
    "shadow_week",
]


@pytest.fixture(scope="session")
def service(phase: Stage) -> Service:
    """The service as the phase finds it."""
    return Service(phase.target("eros").client)
