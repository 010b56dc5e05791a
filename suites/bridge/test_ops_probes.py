"""Probes: what /health and /ready answer while the database is there, and while it is not."""

from __future__ import annotations

import pytest

from pytest_rollout import Observe
from suites.bridge.scenarios.outages import Outage
from suites.bridge.views.said import not_done

pytestmark = pytest.mark.bridge_ops


def demanded(outage: Outage, path: str, *, down: bool) -> list[int]:
    """What a probe answered; raises NoValueError where there was no outage, or nobody looked."""
    if not outage.really:
        not_done("the database was not away", "take it away in a drill, and look")
    seen = outage.statuses(path, down=down)
    if not seen:
        not_done(f"nobody looked at {path}", "probe it all the time")
    return seen


@pytest.mark.criterion("health-liveness")
def test_health_answers_without_the_database(outage: Outage) -> None:
    for down in (False, True):
        seen = demanded(outage, "/health", down=down)
        assert set(seen) == {200}, f"/health answered {seen}, the database away: {down}"


@pytest.mark.criterion("ready-dependency")
def test_ready_answers_with_the_database(outage: Outage) -> None:
    seen = demanded(outage, "/ready", down=False)
    assert set(seen) == {200}, f"/ready answered {seen} while the database was there"


@pytest.mark.criterion("ready-fails-on-db-down")
def test_ready_fails_without_the_database(outage: Outage) -> None:
    seen = demanded(outage, "/ready", down=True)
    assert set(seen) == {503}, f"/ready answered {seen} while the database was away"


@pytest.mark.criterion("health-liveness", "ready-dependency", "ready-fails-on-db-down")
def test_probes_say_what_their_status_says(outage: Outage) -> None:
    assert not outage.odd, f"{outage.odd[0]}"


@pytest.mark.criterion("ready-recovers", "ready-dependency")
def test_ready_recovers_by_itself(outage: Outage, observe: Observe) -> None:
    demanded(outage, "/ready", down=True)
    assert outage.recovered_s is not None, "/ready did not answer 200 again"
    observe("ready_recovery_s", outage.recovered_s)
