"""A server that stalls: the record says what users saw, which a closed loop does not see."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_rollout.load import schedule
from pytest_rollout.model.load import Law, LoadProfile, LoadRecord
from tests.load.locust_run import ROOT, Served, a_profile, percentile, served, start
from tests.load.open_loop import measured, quantile

pytestmark = pytest.mark.slow

PLAIN = """
from locust import FastHttpUser, constant_throughput, task

class Asker(FastHttpUser):
    wait_time = constant_throughput({each})

    @task
    def ask(self):
        self.client.get("/ok", name="ok")
"""


def truth(server: Served, profile: LoadProfile, share: float) -> float:
    """A quantile of an open loop with the arrivals of a profile, in seconds."""
    return quantile(measured(server.port, list(schedule.arrivals(profile))), share)


def recorded(directory: Path, server: Served, profile: LoadProfile) -> LoadRecord:
    """The record of a load of ours."""
    load = start(directory, profile, server.url)
    assert load.ended(90) == 0, load.output
    return load.record


def plain(directory: Path, server: Served, profile: LoadProfile, share: float) -> float:
    """A quantile that locust itself tells, with users who keep the rate as well as they can."""
    rate, users = profile.offer.rate or 0, 4
    at = directory / "plain.py"
    at.write_text(PLAIN.format(each=rate / users), encoding="utf-8")
    command = [sys.executable, "-m", "locust", "-f", str(at), "--headless", "--only-summary"]
    told = directory / "plain"
    command += ["--host", server.url, "-u", str(users), "-r", str(users)]
    command += ["-t", f"{profile.offer.duration_us / 1e6:g}s", "--json-file", str(told)]
    subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=90,
        check=True,
    )
    (entry,) = json.loads(told.with_suffix(".json").read_text(encoding="utf-8"))
    counts = {str(round(float(ms) * 1000)): n for ms, n in entry["response_times"].items()}
    return percentile(counts, share) / 1e6


def agreeing(
    directory: Path, server: Served, profile: LoadProfile, share: float
) -> tuple[float, LoadRecord]:
    """The truth and a record of the same load that tell the same latency, of three trials at most.

    A machine that stops for a second is a stall that only one of the two lives through. A wrong
    way to count is wrong each time.
    """
    for trial in range(3):
        expected = truth(server, profile, share)
        (at := directory / str(trial)).mkdir()
        record = recorded(at, server, profile)
        assert record.started == record.planned
        told = percentile(record.endpoints[0].latency, share) / 1e6
        if told == pytest.approx(expected, rel=0.1):
            return expected, record
    pytest.fail(f"users wait {expected:.3f} s and the record says {told:.3f} s, for the third time")


def compared(
    directory: Path, profile: LoadProfile, stall: tuple[float, float], share: float
) -> None:
    """Compare what each says of the same server under the same load."""
    with served(stall) as server:
        expected, _ = agreeing(directory, server, profile, share)
        told = plain(directory, server, profile, share)
    assert told < expected / 2


def test_a_stall_is_seen_as_users_see_it(tmp_path: Path) -> None:
    profile = replace(a_profile(6, rate=100), law=Law.EVEN)
    compared(tmp_path, profile, (2.0, 0.5), 0.95)


@pytest.mark.nightly
def test_a_stall_of_a_second_in_five_is_seen_as_users_see_it(tmp_path: Path) -> None:
    profile = replace(a_profile(20, rate=200), law=Law.EVEN)
    compared(tmp_path, profile, (5.0, 1.0), 0.99)


def test_where_the_slots_are_too_few_latency_still_begins_at_the_plan(tmp_path: Path) -> None:
    """Four at once: service times say next to nothing of a stall, and latencies all of it."""
    profile = replace(a_profile(6, rate=100, users=4), law=Law.EVEN)
    with served((2.0, 0.5)) as server:
        _, record = agreeing(tmp_path, server, profile, 0.95)
    assert percentile(record.endpoints[0].service_time, 0.9) / 1e6 < 0.1
    assert percentile(record.start_delay, 0.9) / 1e6 > 0.1
