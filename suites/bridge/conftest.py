"""What the checks of the bridge stand on: its service, and what was lived through for a phase."""

from __future__ import annotations

from datetime import datetime

import pytest

from pytest_rollout import Stage
from suites.bridge.scenarios.benchmarked import guarded
from suites.bridge.scenarios.commanded import commanded
from suites.bridge.scenarios.hardened import one_key, settings_tried
from suites.bridge.scenarios.loaded import sustained
from suites.bridge.scenarios.logged import logged
from suites.bridge.scenarios.paper import papers_of_phase0
from suites.bridge.scenarios.pilot import pilot_run
from suites.bridge.scenarios.raised import deprecated_asked, helped, rising
from suites.bridge.scenarios.roles import policy_cells
from suites.bridge.scenarios.scaled import pushed, routed
from suites.bridge.scenarios.standing import (
    baseline,
    escalations,
    known,
    lived,
    load_tokens,
    operators_since,
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
from suites.bridge.scenarios.together import (
    alerted,
    benchmarked,
    burst,
    disturbing,
    drilled,
    edged,
    filtered,
    hardening,
    hardening_there,
    indicated,
    launching,
    loading,
    measured,
    metered,
    operating,
    outage,
    retained,
    retried,
    stuck,
    ticked,
    written,
)
from suites.bridge.scenarios.wakes import wakes
from suites.bridge.views.service import Bridge

__all__ = [
    "alerted",
    "baseline",
    "benchmarked",
    "burst",
    "commanded",
    "deprecated_asked",
    "disturbing",
    "drilled",
    "edged",
    "escalations",
    "filtered",
    "guarded",
    "hardening",
    "hardening_there",
    "helped",
    "indicated",
    "known",
    "launching",
    "lived",
    "load_tokens",
    "loading",
    "logged",
    "measured",
    "metered",
    "one_key",
    "operating",
    "operators_since",
    "outage",
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
