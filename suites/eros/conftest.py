"""What the checks of EROS stand on: its service, and what was lived through for a phase."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest

from pytest_rollout import Stage
from suites.eros.scenarios.at_noon import at_noon
from suites.eros.scenarios.auto_sandbox import auto_tried
from suites.eros.scenarios.beside_v5 import beside_v5
from suites.eros.scenarios.burst import burst
from suites.eros.scenarios.flag_trials import flag_trials, flips, phases_in_order
from suites.eros.scenarios.in_flight import surge
from suites.eros.scenarios.learning import (
    agent_runs,
    before_learning,
    first_day,
    four_weeks,
    learning_resumed,
    manual_begun,
    two_weeks,
)
from suites.eros.scenarios.learning_grades import graded
from suites.eros.scenarios.learning_sandbox import (
    figured,
    hooks_tried,
    learning_taken_back,
    read_aloud,
    reflected,
)
from suites.eros.scenarios.learning_warnings import warned
from suites.eros.scenarios.live_cases import Happened, live_cases
from suites.eros.scenarios.old_pipeline import Asked, removals, thirty_days
from suites.eros.scenarios.operations import messages_sent, operations, refusals
from suites.eros.scenarios.recovery import recovered
from suites.eros.scenarios.risks import bad_drafts, hung_agents, served_days, slow_runs
from suites.eros.scenarios.rollback_drills import flipped, pulled, requested, switched_off
from suites.eros.scenarios.summaries import summaries
from suites.eros.scenarios.timed import timed
from suites.eros.scenarios.triggers import triggered
from suites.eros.scenarios.unheard import unheard
from suites.eros.scenarios.validation import finished
from suites.eros.scenarios.weeks import adopters_week, arrived, canary_week, shadow_week
from suites.eros.scenarios.widening import widened
from suites.eros.views.service import Service

__all__ = [
    "adopters_week",
    "agent_runs",
    "arrived",
    "at_noon",
    "auto_tried",
    "bad_drafts",
    "before_learning",
    "beside_v5",
    "burst",
    "canary_week",
    "figured",
    "finished",
    "first_day",
    "flag_trials",
    "flipped",
    "flips",
    "four_weeks",
    "graded",
    "hooks_tried",
    "hung_agents",
    "learning_resumed",
    "learning_taken_back",
    "live_cases",
    "manual_begun",
    "messages_sent",
    "operations",
    "phases_in_order",
    "pulled",
    "read_aloud",
    "recovered",
    "reflected",
    "refusals",
    "removals",
    "requested",
    "served_days",
    "shadow_week",
    "slow_runs",
    "summaries",
    "surge",
    "switched_off",
    "thirty_days",
    "timed",
    "triggered",
    "two_weeks",
    "unheard",
    "warned",
    "widened",
]


@pytest.fixture(scope="session")
def moment(phase: Stage) -> datetime:
    """When checks that need no time of their own looked; the clock is asked once."""
    return phase.now()


@pytest.fixture(scope="session")
def service(phase: Stage) -> Service:
    """The service as the phase finds it."""
    return Service(phase.target("eros").client)


@pytest.fixture(scope="session")
def old_removed(phase: Stage, request: pytest.FixtureRequest) -> Sequence[Asked] | None:
    """What became of wishes to remove v4; in a rehearsal only, because removing disrupts."""
    if not phase.embedded:
        return None
    asked: Sequence[Asked] = request.getfixturevalue("removals")
    return asked


@pytest.fixture(scope="session")
def both_sides(phase: Stage, request: pytest.FixtureRequest) -> Sequence[Happened]:
    """Runs at both sides of the phase's triggers; in a rehearsal only, because they disrupt."""
    if not phase.embedded:
        return ()
    happened: Sequence[Happened] = request.getfixturevalue("live_cases")
    return happened
