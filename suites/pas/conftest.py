"""What the checks of PAS stand on: its services, and what was lived through for a phase."""

from __future__ import annotations

from datetime import datetime

import pytest

from pytest_rollout import Stage
from suites.pas.scenarios.client_flow import amiss, flow, manual
from suites.pas.scenarios.control import controlled, empty
from suites.pas.scenarios.demos import demos
from suites.pas.scenarios.finishing import finished
from suites.pas.scenarios.made import made
from suites.pas.scenarios.misses import misses
from suites.pas.scenarios.people import first_day
from suites.pas.scenarios.repeats import repeated
from suites.pas.scenarios.ten_weeks import ten_weeks
from suites.pas.scenarios.work import work
from suites.pas.views.pas import Pas

__all__ = [
    "amiss",
    "controlled",
    "demos",
    "empty",
    "finished",
    "first_day",
    "flow",
    "made",
    "manual",
    "misses",
    "repeated",
    "ten_weeks",
    "work",
]


@pytest.fixture(scope="session")
def moment(phase: Stage) -> datetime:
    """When checks that need no time of their own looked; the clock is asked once."""
    return phase.now()


@pytest.fixture(scope="session")
def pas(phase: Stage) -> Pas:
    """The execution service as the phase finds it."""
    return Pas(phase.target("pas").client)
