"""What is observed of a load's record, and which locustfiles are no use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout.checks.load import observe_series
from pytest_rollout.load.locustfiles import locustfile_problems
from pytest_rollout.model.evidence import decode, encode_distribution, number_text
from pytest_rollout.model.load import (
    FAILED,
    LATENCY,
    SERVICE_TIME,
    THROUGHPUT,
    EndpointLoad,
    LoadRecord,
    LoadSecond,
)
from pytest_rollout.plan.load import parse
from tests.load.loaded import WEB, plan_of
from tests.load.records import BEGAN_US, endpoint, record_of, seconds

END_S = BEGAN_US / 1_000_000 + 10
DAY = Decimal(86_400)  # beyond any cut, however short the load was
START = {"endpoint": "start", "load": "nightly"}


class Observed:
    """What was observed."""

    def __init__(self, record: LoadRecord, series: str, *, by_second: bool = True) -> None:
        self.told: list[tuple[Any, ...]] = []
        at_us = round(END_S * 1_000_000)
        observe_series(self, record, series, at_us, by_second=by_second)

    def __call__(self, metric: str, value: object, /, *, at: float, **labels: object) -> None:
        self.told.append((metric, value, at, labels))

    def ratio(self, metric: str, /, *, bad: int, of: int, at: float, **labels: object) -> None:
        self.told.append((metric, (bad, of), at, labels))

    def distribution(
        self, metric: str, values: Mapping[object, int], /, *, at: float, **labels: object
    ) -> None:
        self.told.append((metric, dict(values), at, labels))


def test_times_are_exact_seconds_by_endpoint() -> None:
    one, other = endpoint("start", {"5000": 2, "1": 1}), endpoint("poll", {"123457": 1})
    record = record_of(endpoints=(one, other))
    first, second = Observed(record, LATENCY).told
    assert first == (LATENCY, {Decimal("0.000001"): 1, Decimal("0.005"): 2}, END_S, START)
    assert second[1] == {Decimal("0.123457"): 1}
    stored = encode_distribution({number_text(value): n for value, n in first[1].items()})
    assert decode(stored) == ((Fraction(1, 1_000_000), 1), (Fraction(1, 200), 2))


def test_both_times_are_told_apart() -> None:
    record = record_of(endpoints=(EndpointLoad("start", 1, 0, {"900000": 1}, {"7000": 1}),))
    assert Observed(record, LATENCY).told[0][1] == {Decimal("0.9"): 1}
    assert Observed(record, SERVICE_TIME).told[0][1] == {Decimal("0.007"): 1}


def test_a_request_that_failed_counts_as_one_that_nobody_answered() -> None:
    record = record_of(endpoints=(endpoint("start", {"5000": 8}, failures=2),))
    for series in (LATENCY, SERVICE_TIME):
        assert Observed(record, series).told[0][1] == {Decimal("0.005"): 8, DAY: 2}
    assert Observed(record, FAILED).told == [(FAILED, (2, 10), END_S, START)]


def test_an_answer_that_took_longer_than_a_day_is_no_better_than_a_failure() -> None:
    record = record_of(endpoints=(endpoint("start", {"5000": 1, "100000000000": 1}, failures=1),))
    assert Observed(record, LATENCY).told[0][1] == {Decimal("0.005"): 1, Decimal(100_000): 2}


def test_failures_among_the_times_were_the_fastest() -> None:
    kept = {"1000": 1, "5000": 3}
    record = record_of(endpoints=(EndpointLoad("start", 4, 2, kept, kept),))
    assert Observed(record, LATENCY).told[0][1] == {Decimal("0.005"): 2, DAY: 2}


def test_throughput_is_of_each_full_second_after_the_warm_up() -> None:
    good = seconds(50, failed=10)
    record = record_of(warm_up_us=2_500_000, duration_us=9_900_000, seconds=good)
    told = Observed(record, THROUGHPUT).told
    assert [value for _, value, _, _ in told] == [40] * 6  # the seconds from 3 to 8
    begin = END_S - 9.9
    assert [at - begin for _, _, at, _ in told] == pytest.approx([4, 5, 6, 7, 8, 9])
    assert told[0][3] == {"load": "nightly"}


def test_a_second_without_an_answer_counts() -> None:
    few = (LoadSecond(0, 9, 9, 9, 0, 1), LoadSecond(3, 9, 9, 9, 0, 1))
    record = record_of(seconds=few, warm_up_us=0, duration_us=4_000_000)
    told = Observed(record, THROUGHPUT, by_second=False).told
    assert [value for _, value, _, _ in told] == [9, 0, 0, 9]
    assert {at for _, _, at, _ in told} == {END_S}  # of a clock that stands still


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "load/web.py is not there"),
        ("def broken(:\n", "load/web.py cannot be read: invalid syntax"),
        (WEB, ""),
    ],
)
def test_locustfiles_are_looked_at(tmp_path: Path, text: str | None, said: str) -> None:
    plan = parse(plan_of(), tmp_path / "rollout.yaml", "suites/demo/rollout.yaml").plan
    assert plan is not None
    (tmp_path / "load").mkdir()
    if text is not None:
        (tmp_path / "load/web.py").write_text(text)
    found = list(locustfile_problems(plan, tmp_path))
    assert bool(found) is bool(said)
    assert all(said in problem for problem in found)
    assert all(problem.startswith("suites/demo/rollout.yaml:7: load small: ") for problem in found)


FILE = """\
from locust import HttpUser, TaskSet, task

from pytest_rollout.load.generator import LoadUser


class Shopper(LoadUser):
    weight = 3
    wait_time = None
    done: int

    def on_start(self):
        self.done = 0

    @task(3)
    def begin(self):
        self.client.post("/start", name="start")

    @task
    class Browse(TaskSet):
        def on_start(self):
            pass


class Buyer(Shopper):
    @task
    def buy(self):
        pass
"""
OWN = "is locust's own name, and none for"


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("def begin(", "def start(", f":15: `start` {OWN} a task (another one, as `start_it`)"),
        ("def buy(", "def stop(", f":26: `stop` {OWN} a task (another one"),
        ("def buy(", "async def wait(", f":26: `wait` {OWN} a task (another one"),
        ("def buy(", "def on_stop(", f":26: `on_stop` {OWN} a task (another one"),
        ("class Browse", "class run", f":19: `run` {OWN} a task (another one"),
        ("weight = 3", "client = 3", f":7: `client` {OWN} a name of Shopper (another one"),
        ("weight = 3", "process: int = 3", f":7: `process` {OWN} a name of Shopper"),
        ("Buyer(Shopper)", "Buyer(HttpUser)", ":24: Buyer is of locust's HttpUser, for which"),
        ("Buyer(Shopper)", "Buyer(locust.FastHttpUser)", ":24: Buyer is of locust's FastHttpUser"),
        ("Shopper(LoadUser)", "Shopper(HttpUser)", ":6: Shopper is of locust's HttpUser, for wh"),
    ],
)
def test_users_that_make_no_planned_load(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    plan = parse(plan_of(), tmp_path / "rollout.yaml", "rollout.yaml").plan
    assert plan is not None
    plan = replace(plan, loads=(*plan.loads, replace(plan.loads[0], id="other")))
    path = tmp_path / "load/web.py"
    path.parent.mkdir()
    path.write_text(FILE)
    assert list(locustfile_problems(plan, tmp_path)) == []
    path.write_text(FILE.replace(right, wrong))
    (told, *more) = locustfile_problems(plan, tmp_path)
    assert told.startswith(f"rollout.yaml:7: load small: load/web.py{said}")
    assert all(
        ":24: Buyer is of locust's HttpUser" in one for one in more
    )  # as Shopper, which it is


def test_users_of_locust_make_a_load_without_arrivals(tmp_path: Path) -> None:
    text = plan_of("users: 4")
    plan = parse(text, tmp_path / "rollout.yaml", "rollout.yaml").plan
    assert plan is not None
    assert not plan.loads[0].open_loop
    (tmp_path / "load").mkdir()
    (tmp_path / "load/web.py").write_text(FILE.replace("Shopper(LoadUser)", "Shopper(HttpUser)"))
    assert list(locustfile_problems(plan, tmp_path)) == []
