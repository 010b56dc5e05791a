"""Real runs of locust with a profile: what stands in the record that they leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_rollout.load import schedule
from tests.load.locust_run import a_profile, served, start

pytestmark = pytest.mark.slow


def test_each_planned_arrival_is_started_and_answered(tmp_path: Path) -> None:
    profile = a_profile(2, rate=60)
    with served() as server:
        load = start(tmp_path, profile, server.url)
        assert load.ended() == 0, load.output
    record = load.record
    planned = list(schedule.arrivals(profile))
    assert (record.completed, record.trouble) == (True, "")
    assert (record.planned, record.started, record.dropped) == (len(planned), len(planned), 0)
    assert sum(record.start_delay.values()) == len(planned)
    (endpoint,) = record.endpoints
    assert (endpoint.name, endpoint.requests, endpoint.failures) == ("ok", len(planned), 0)
    assert sum(endpoint.latency.values()) == sum(endpoint.service_time.values()) == len(planned)
    by_second = [sum(int(time) == second for time in planned) for second in range(2)]
    assert [second.planned for second in record.seconds[:2]] == by_second
    assert sum(second.answered for second in record.seconds) == len(planned)
