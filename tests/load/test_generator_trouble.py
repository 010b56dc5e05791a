"""Loads that were not what was planned: the record says so, or there is none."""

from __future__ import annotations

import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from pytest_rollout.model.load import Generators
from tests.load.locust_run import (
    LOCUSTFILE,
    a_profile,
    free_port,
    percentile,
    served,
    start,
    until,
    with_workers,
)

pytestmark = pytest.mark.slow


def test_arrivals_that_nobody_was_free_to_start_are_dropped(tmp_path: Path) -> None:
    """One user, answers of 200 ms, 50 arrivals a second: ten of a hundred are started."""
    profile = a_profile(2, rate=50, users=1)
    with served() as server:
        load = start(tmp_path, profile, server.url, locustfile=LOCUSTFILE.replace("/ok", "/slow"))
        load.ended()
    record = load.record
    assert record.completed
    assert record.planned > 80
    assert record.started <= 11
    assert record.dropped == record.planned - record.started
    assert percentile(record.start_delay, 0.5) > 500_000
    assert record.most_users == 1


def test_a_killed_load_leaves_no_record_and_a_status_that_is_not_completed(tmp_path: Path) -> None:
    with served() as server:
        load = start(tmp_path, a_profile(20), server.url)
        load.until_second(0)
        load.process.kill()
        load.ended()
    assert not load.record_path.exists()
    assert not load.status.completed
    assert load.status.started > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_load_that_is_stopped_says_when(tmp_path: Path, number: signal.Signals) -> None:
    with served() as server:
        load = start(tmp_path, a_profile(20), server.url)
        load.until_second(0)
        load.process.send_signal(number)
        assert load.ended() == 1, load.output
    record = load.record
    assert not record.completed
    assert "it was stopped after" in record.trouble
    assert record.trouble.endswith("of 20 s")
    assert record.planned > 900  # up to the planned end
    assert record.dropped == record.planned - record.started
    assert [facts.completed for facts in record.generators] == [False]


def test_a_load_without_a_request_says_so(tmp_path: Path) -> None:
    idle = LOCUSTFILE.replace('self.client.get("/ok", name="ok")', "pass")
    with served() as server:
        load = start(tmp_path, a_profile(1), server.url, locustfile=idle)
        load.ended()
    record = load.record
    assert (record.completed, record.endpoints) == (True, ())
    assert record.started > 0
    assert not any(second.answered for second in record.seconds)


def test_no_request_is_lost_whose_task_raises_or_forgets_it(tmp_path: Path) -> None:
    asking = LOCUSTFILE.replace(
        'self.client.get("/ok", name="ok")',
        """
        self.client.get("/ok", name="first")
        self.client.get("/ok", name="forgotten", catch_response=True)
        self.client.get("/moved", name="moved")
        self.client.get("/moved", name="followed", allow_redirects=True)
        with self.client.get("/ok", name="judged", catch_response=True) as answer:
            answer.success()
    @task
    def spoil(self):
        with self.client.get("/ok", name="wrong", catch_response=True) as answer:
            raise ValueError("no JSON")
    @task
    def stumble(self):
        self.client.get("/ok", name="before")
        raise KeyError("id")
    @task
    def idle(self):
        pass""",
    )
    with served() as server:
        load = start(tmp_path, a_profile(1, rate=90), server.url, locustfile=asking)
        load.ended()
    record = load.record
    ends = {end.name: (end.requests, end.failures) for end in record.endpoints}
    many = ends["first"][0]
    before = ends.pop("before")
    good = dict.fromkeys(("first", "followed", "judged"), (many, 0))
    wrong = ends.pop("wrong")
    assert ends == {**good, **dict.fromkeys(("forgotten", "moved"), (many, many))}
    assert (record.raised, before[1]) == (before[0], 0)
    assert record.started == many + wrong[0] + before[0] + record.unasked
    assert min(many, wrong[1], before[0], record.unasked) > 5
    says = {error.endpoint: error.says for error in record.errors}
    assert says["wrong"] == "ValueError: no JSON"
    assert says["before"] == "KeyError: 'id'"


def test_a_redirect_is_a_failure_also_where_a_user_asks_twice_at_once(tmp_path: Path) -> None:
    """One request ends while the other, which is redirected, goes on."""
    asking = LOCUSTFILE.replace(
        'self.client.get("/ok", name="ok")',
        """
        gevent.spawn(self.client.get, "/slow", name="plain")
        gevent.sleep(0.1)
        self.client.get("/slow/moved", name="moved")""",
    )
    with served() as server:
        load = start(
            tmp_path, a_profile(1, rate=10), server.url, locustfile=f"import gevent{asking}"
        )
        load.ended()
    ends = {end.name: (end.requests, end.failures) for end in load.record.endpoints}
    assert ends["plain"][1] == 0
    assert ends["moved"][0] == ends["moved"][1] == load.record.started > 3


def test_an_arrival_that_asks_on_after_the_end_counts_with_all_of_it(tmp_path: Path) -> None:
    asking = LOCUSTFILE.replace(
        'self.client.get("/ok", name="ok")',
        """
        self.client.get("/ok", name="one")
        gevent.sleep(0.7)
        self.client.get("/ok", name="two")""",
    )
    with served() as server:
        load = start(
            tmp_path, a_profile(1, rate=40), server.url, locustfile=f"import gevent{asking}"
        )
        load.ended()
    one, two = load.record.endpoints
    assert one.requests == two.requests == load.record.started > 20
    assert load.record.seconds[-1].answered > 0


def test_a_user_class_that_follows_no_arrival_is_named(tmp_path: Path) -> None:
    other = LOCUSTFILE + (
        "from locust import HttpUser\n"
        "class Stranger(HttpUser):\n"
        "    @task\n"
        "    def ask(self):\n"
        "        self.client.get('/ok')\n"
    )
    load = start(tmp_path, a_profile(1), "http://127.0.0.1:9", locustfile=other)
    assert load.ended() == 4
    assert "Stranger is no LoadUser" in load.output
    assert not load.record_path.exists()


def test_a_target_that_is_down_at_the_start_is_said(tmp_path: Path) -> None:
    load = start(tmp_path, a_profile(1), f"http://127.0.0.1:{free_port()}")
    load.ended()
    record = load.record
    (endpoint,), (error,) = record.endpoints, record.errors
    assert error.says.startswith("ConnectionRefusedError")
    assert endpoint.requests == endpoint.failures == error.count == record.started > 0
    assert not endpoint.latency


def test_a_target_that_dies_is_said(tmp_path: Path) -> None:
    with served() as server:
        load = start(tmp_path, a_profile(5), server.url)
        load.until_second(0)
        server.stop()
        load.ended()
    record = load.record
    assert record.completed
    assert record.seconds[0].failed == 0 < record.seconds[0].answered
    assert record.seconds[4].failed == record.seconds[4].answered > 0
    assert any(error.says.startswith("Connection") for error in record.errors)
    assert 0 < record.endpoints[0].failures < record.endpoints[0].requests


def test_a_clock_that_is_set_back_shows_and_moves_no_figure(tmp_path: Path) -> None:
    stepping = LOCUSTFILE + (
        "import time\n"
        "from pytest_rollout.load.generator import clock\n"
        "began = time.perf_counter()\n"
        "def wall():\n"
        "    return time.time() - (3600 if time.perf_counter() - began > 1.5 else 0)\n"
        "clock.wall = wall\n"
    )
    with served() as server:
        load = start(tmp_path, a_profile(2), server.url, locustfile=stepping)
        load.ended()
    record = load.record
    (facts,) = record.generators
    assert facts.clock_jump_us == pytest.approx(3_600_000_000, rel=0.001)
    assert 1_900_000 < record.ended_us - record.started_us < 4_000_000
    assert record.started == record.planned
    assert percentile(record.endpoints[0].latency, 1.0) < 1_000_000


def test_a_generator_that_is_starved_shows_in_its_delays(tmp_path: Path) -> None:
    with served() as server:
        load = start(tmp_path, a_profile(4), server.url)
        load.until_second(0)
        load.process.send_signal(signal.SIGSTOP)
        time.sleep(1)
        load.process.send_signal(signal.SIGCONT)
        load.ended()
    (facts,) = load.record.generators
    assert facts.late_wakeups_us > 500_000
    assert percentile(load.record.start_delay, 0.99) > 500_000


def test_workers_share_the_arrivals_and_their_parts_make_one_record(tmp_path: Path) -> None:
    profile = replace(a_profile(2, rate=60), generators=Generators(processes=2))
    with served() as server:
        load = start(tmp_path, profile, server.url, *with_workers(2))
        assert load.ended() == 0, load.output
    record = load.record
    assert (record.completed, record.trouble, record.workers_expected) == (True, "", 2)
    assert [facts.worker[:4] for facts in record.generators] == ["0 on", "1 on"]
    assert all(facts.completed for facts in record.generators)
    assert record.planned == record.started == record.endpoints[0].requests > 80


@pytest.mark.nightly
def test_workers_begin_together_once_the_users_of_each_are_ready(tmp_path: Path) -> None:
    preparing = LOCUSTFILE + (
        "    def on_start(self):\n"
        "        import gevent\n"
        "        gevent.sleep(1.5 if self.process.worker else 0)\n"
    )
    profile = replace(a_profile(1, rate=60), generators=Generators(processes=2))
    with served() as server:
        load = start(tmp_path, profile, server.url, *with_workers(2), locustfile=preparing)
        assert load.ended() == 0, load.output
    assert load.record.completed
    assert load.record.started == load.record.planned > 30
    assert load.record.begins_apart_us < 500_000


def test_a_worker_that_is_killed_is_named(tmp_path: Path) -> None:
    profile = replace(a_profile(6, rate=40), generators=Generators(processes=2))
    with served() as server:
        load = start(tmp_path, profile, server.url, *with_workers(2))
        load.until_second(1)
        psutil.Process(load.process.pid).children()[0].kill()
        load.ended()
    record = load.record
    (lost,) = (facts.worker for facts in record.generators if not facts.completed)
    assert record.trouble == f"did not report to the end: {lost}"
    assert len(record.generators) == 2
    assert record.planned > 200
    assert record.started < 0.95 * record.planned
    assert record.dropped == record.planned - record.started


def test_workers_on_other_machines_learn_the_load_from_their_master(tmp_path: Path) -> None:
    """Both run here; the worker is given the locustfile and the address of its master alone."""
    port = str(free_port())
    profile = replace(
        a_profile(2, rate=None, users=2), generators=Generators(0, 1, f"127.0.0.1:{port}")
    )
    asking = LOCUSTFILE.replace("(LoadUser):", "(LoadUser):\n    pacing = 0.05")
    words = ("--master", "--master-bind-port", port, "--expect-workers", "1")
    with served() as server:
        load = start(tmp_path, profile, server.url, *words, locustfile=asking)
        worker = [*load.process.args[:5], "--worker", "--master-port", port]  # type: ignore[index]
        environ = {"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin"}
        joined = subprocess.Popen(worker, env=environ, stderr=subprocess.DEVNULL)
        try:
            assert load.ended() == 0, load.output
            until(lambda: joined.poll() is not None)
        finally:
            joined.kill()
            joined.wait()
    record = load.record
    assert (record.completed, record.open_loop, record.trouble) == (True, False, "")
    assert record.endpoints[0].requests == record.started == record.planned
    assert 70 <= record.started <= 82  # two users, twenty times a second each
    assert record.most_users == 2
