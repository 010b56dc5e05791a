"""What a run that begins says of itself: what it asks, of which texts, where, and who runs it."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

import pytest

from pytest_rollout.evidence.bodies import Process, RunStart
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.phase_life import begins_of
from pytest_rollout.processes import this_process
from pytest_rollout.session.producer import producer
from pytest_rollout.session.request import Request
from pytest_rollout.session.zone_data import zone_data
from pytest_rollout.targets.address import addresses
from pytest_rollout.targets.authors import authors_of


def run_start(request: Request, ledger: Ledger) -> RunStart:
    """Return what the first record of a run says, by what the ledger holds before it."""
    asked = {plan.id: plan for plan, _ in request.asked}
    whens = [c.when for plan in asked.values() for _, c in plan.criteria() if c.when]
    return RunStart(
        plans={plan.id: plan.digest for plan in asked.values()},
        calendars={
            plan.id: {calendar.file: calendar.digest for calendar in plan.calendars}
            for plan in asked.values()
            if plan.calendars
        },
        beside={loaded.id: loaded.digests for loaded in request.loaded if loaded.id in asked},
        gates=tuple(str(gate) for gate in request.gates),
        partial=request.partial,
        drill=request.drill,
        configured={when.configured: bool(os.environ.get(when.configured)) for when in whens},
        begins=begins_of(ledger, request.gates, request.environment),
        process=Process(*this_process()),
        targets={id_: addresses(request.environment_of(p)) for id_, p in asked.items()},
        producer=producer(os.environ),
        authors=authors_of(asked.values(), request.environment_of, request.root),
        zone_data=zone_data(),
        versions={
            "python": platform.python_version(),
            "pytest": pytest.__version__,
            "pytest-rollout": version("pytest-rollout"),
        },
    )
