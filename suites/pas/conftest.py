"""What the checks of PAS stand on: its services, and what was lived through for a phase."""

from __future__ import annotations

from datetime import datetime

import pytest

from pytest_rollout import Stage
from suites.pas.scenarios.bursting import burst, joined, weighted
from suites.pas.scenarios.client_flow import amiss, flow, manual
from suites.pas.scenarios.computed import computed
from suites.pas.scenarios.contract import contract
from suites.pas.scenarios.control import controlled, empty
from suites.pas.scenarios.demos import demos
from suites.pas.scenarios.executors import executed, replayed
from suites.pas.scenarios.finishing import finished
from suites.pas.scenarios.gated import guarded, judged
from suites.pas.scenarios.hooks import crontabs_tried, hooks_tried
from suites.pas.scenarios.indexing import indexed, storm
from suites.pas.scenarios.interrupted import interrupted
from suites.pas.scenarios.kept_all import kept_all, untold
from suites.pas.scenarios.made import made
from suites.pas.scenarios.misses import misses
from suites.pas.scenarios.nights import nights
from suites.pas.scenarios.notifying import told
from suites.pas.scenarios.people import first_day
from suites.pas.scenarios.planning import crafted, trained
from suites.pas.scenarios.reading import alone, commanded
from suites.pas.scenarios.repeats import repeated
from suites.pas.scenarios.sandboxed import sandbox_tried
from suites.pas.scenarios.schedule import weeks
from suites.pas.scenarios.shapes import shapes
from suites.pas.scenarios.telemetry import migrated, migrated_twice, worked
from suites.pas.scenarios.ten_weeks import ten_weeks
from suites.pas.scenarios.unchanged import both
from suites.pas.scenarios.work import work
from suites.pas.views.pas import Pas
from suites.pas.views.store import Store

__all__ = [
    "alone",
    "amiss",
    "both",
    "burst",
    "commanded",
    "computed",
    "contract",
    "controlled",
    "crafted",
    "crontabs_tried",
    "demos",
    "empty",
    "executed",
    "finished",
    "first_day",
    "flow",
    "guarded",
    "hooks_tried",
    "indexed",
    "interrupted",
    "joined",
    "judged",
    "kept_all",
    "made",
    "manual",
    "migrated",
    "migrated_twice",
    "misses",
    "nights",
    "repeated",
    "replayed",
    "sandbox_tried",
    "shapes",
    "storm",
    "ten_weeks",
    "told",
    "trained",
    "untold",
    "weeks",
    "weighted",
    "work",
    "worked",
]


@pytest.fixture(scope="session")
def moment(phase: Stage) -> datetime:
    """When checks that need no time of their own looked; the clock is asked once."""
    return phase.now()


@pytest.fixture(scope="session")
def pas(phase: Stage) -> Pas:
    """The execution service as the phase finds it."""
    return Pas(phase.target("pas").client)


@pytest.fixture(scope="session")
def store(phase: Stage) -> Store:
    """The store of receipts of the full service."""
    return Store.named_in(phase.file("receipts"))
