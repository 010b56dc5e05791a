"""What the checks of PAS stand on: its services, and what was lived through for a phase."""

from __future__ import annotations

from datetime import datetime

import pytest

from pytest_rollout import Stage
from suites.pas.views.pas import Pas

__all__: list[str] = []


@pytest.fixture(scope="session")
def moment(phase: Stage) -> datetime:
    """When checks that need no time of their own looked; the clock is asked once."""
    return phase.now()


@pytest.fixture(scope="session")
def pas(phase: Stage) -> Pas:
    """The execution service as the phase finds it."""
    return Pas(phase.target("pas").client)
