"""What the checks of the bridge stand on: its service, and what was lived through for a phase."""

from __future__ import annotations

from datetime import datetime

import pytest

from pytest_rollout import Stage
from suites.bridge.scenarios.alerted import alerted
from suites.bridge.scenarios.benchmarked import benchmarked, guarded
from suites.bridge.scenarios.commanded import commanded
from suites.bridge.scenarios.drills import drills_done
from suites.bridge.scenarios.governed import filtered, retained
from suites.bridge.scenarios.hardened import indicated, one_key, retried, settings_tried
from suites.bridge.scenarios.loaded import burst, sustained, written
from suites.bridge.scenarios.logged import logged
from suites.bridge.scenarios.measured import measured
from suites.bridge.scenarios.metered import metered
from suites.bridge.scenarios.outages import outage_tried
from suites.bridge.scenarios.paper import papers_of_phase0
from suites.bridge.scenarios.pilot import pilot_run
from suites.bridge.scenarios.raised import deprecated_asked, helped, rising
from suites.bridge.scenarios.roles import policy_cells
from suites.bridge.scenarios.scaled import pushed, routed
from suites.bridge.scenarios.standing import (
    baseline,
    drilled,
    escalations,
    known,
    lived,
    load_tokens,
    operators_since,
    outage,
    pilot_threads,
    records,
    release,
    repository,
    revision,
    runtime,
    schema,
    scraped,
    threads,
    today,
    version,
)
from suites.bridge.scenarios.stuck import stuck
from suites.bridge.scenarios.ticking import ticked
from suites.bridge.scenarios.wakes import wakes
from suites.bridge.views.service import Bridge

__all__ = [
    "alerted",
    "baseline",
    "benchmarked",
    "burst",
    "commanded",
    "deprecated_asked",
    "drilled",
    "drills_done",
    "escalations",
    "filtered",
    "guarded",
    "helped",
    "indicated",
    "known",
    "lived",
    "load_tokens",
    "logged",
    "measured",
    "metered",
    "one_key",
    "operators_since",
    "outage",
    "outage_tried",
    "papers_of_phase0",
    "pilot_run",
    "pilot_threads",
    "policy_cells",
    "pushed",
    "records",
    "release",
    "repository",
    "retained",
    "retried",
    "revision",
    "rising",
    "routed",
    "runtime",
    "schema",
    "scraped",
    "settings_tried",
    "stuck",
    "sustained",
    "threads",
    "ticked",
    "today",
    "version",
    "wakes",
    "written",
]


@pytest.fixture(scope="session")
def moment(phase: Stage) -> datetime:
    """When checks that need no time of their own looked; the clock is asked once."""
    return phase.target("bridge").clock.now()


@pytest.fixture(scope="session")
def bridge(phase: Stage) -> Bridge:
    """The bridge as the phase finds it."""
    return Bridge.of(phase)
