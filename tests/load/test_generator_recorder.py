"""The recorder: what counts, in which second, and what a failure says."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pytest_rollout.load.generator import clock, failures
from pytest_rollout.load.generator.asking import ASKED, Asked, Asker
from pytest_rollout.load.generator.recorder import MOST_ENDPOINTS, MOST_GROUPS, Recorder
from pytest_rollout.load.generator.tally import Tally
from pytest_rollout.load.generator.timetable import Timetable
from pytest_rollout.model.load import LoadProfile, Offer


class Time:
    """A clock that a test sets."""

    now = 0.0


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """The steady clock, set by the test."""
    held = Time()
    monkeypatch.setattr(clock, "steady", lambda: held.now)
    return held


def recorder(*, warm_up: float = 0.0, open_loop: bool = True) -> Recorder:
    """Return one of a load of 10 s that began at 0."""
    made = Recorder(10.0, warm_up, open_loop=open_loop)
    made.begin = 0.0
    return made


def answer(
    counting: Recorder, time: Time, at: float, service: float, late: float = 0, **more: object
) -> None:
    """Tell of a request that ended."""
    time.now = at
    name = str(more.pop("name", "ok"))
    failure = more.pop("failure", None)
    told = {ASKED: asked(Asker(), name, at - service, late)}
    counting.on_request(name, service * 1e3, failure, told, request_type="GET")


def asked(
    asker: Asker, name: str = "page", begun: float = 0.5, late: float = 0, *, stated: bool = False
) -> Asked:
    """One request of a user."""
    return Asked(1, name, begun, late, asker, stated)


def taken(counting: Recorder) -> Tally:
    """Return all that was counted."""
    return counting.take(None, 0)


def test_latency_begins_at_the_planned_start_and_service_at_the_real_one(time: Time) -> None:
    counting = recorder()
    late = counting.start(planned=1.0, begun=1.5)
    answer(counting, time, 1.7, 0.2, late)
    tally = taken(counting)
    assert list(tally.start_delay) == [histogram_index(500_000)]
    endpoint = tally.endpoints["ok"]
    assert list(endpoint.latency) == [histogram_index(700_000)]
    assert list(endpoint.service_time) == [histogram_index(200_000)]
    assert (tally.seconds[1].started, tally.seconds[1].answered) == (1, 1)


def histogram_index(microseconds: int) -> int:
    """Return the bucket of a duration."""
    from pytest_rollout.load.generator.histograms import index_of

    return index_of(microseconds)


def test_what_was_planned_in_the_warm_up_stands_in_seconds_alone(time: Time) -> None:
    counting = recorder(warm_up=2.0)
    for planned in (1.6, 2.1):
        counting.start(planned, planned + 0.3)
        answer(counting, time, planned + 0.5, 0.2, 0.3)
    tally = taken(counting)
    assert tally.seconds[2].answered == 2
    assert tally.endpoints["ok"].requests == 1
    assert sum(tally.start_delay.values()) == 1  # of those that began after it
    assert counting.started == 2


@pytest.mark.parametrize(("at", "counts"), [(9.9, 1), (10.4, 1), (10.6, 0)])
def test_only_what_began_before_the_end_counts(time: Time, at: float, counts: int) -> None:
    counting = recorder(open_loop=False)
    answer(counting, time, at, 0.5)
    assert sum(second.answered for second in taken(counting).seconds.values()) == counts


def test_an_arrival_counts_with_all_its_requests_also_after_the_end(time: Time) -> None:
    counting = recorder()
    late = counting.start(planned=9.9, begun=9.9)
    answer(counting, time, 10.3, 0.4, late)
    answer(counting, time, 10.8, 0.5)
    counting.close()
    answer(counting, time, 10.9, 0.1)
    assert taken(counting).endpoints["ok"].requests == 2


@pytest.mark.parametrize("told", [None, -5000.0, float("nan"), float("inf")])
def test_an_answer_without_a_time_is_a_failure(time: Time, told: float | None) -> None:
    counting = recorder()
    time.now = 1.0
    counting.on_request("rpc", told)
    counting.on_request("rpc", 0.25)
    tally = taken(counting)
    assert (tally.endpoints["rpc"].requests, tally.endpoints["rpc"].failures) == (2, 1)
    assert tally.errors == {("rpc", "an answer without a time that it took"): 1}


@pytest.mark.parametrize(("status", "stated", "failed"), [(302, False, 1), (302, True, 0)])
def test_a_redirect_is_no_answer_unless_it_is_asked_for(
    time: Time, status: int, stated: bool, failed: int
) -> None:
    counting, asker = recorder(), Asker()
    time.now = 1.0
    context = {ASKED: asked(asker, stated=stated)}
    counting.on_request("page", 500.0, None, context, SimpleNamespace(status_code=status))
    counting.on_request("page", 500.0, None, context, SimpleNamespace(status_code=200))
    end = taken(counting).endpoints["page"]
    assert (end.requests, end.failures) == (2, failed)


def held(counting: Recorder, asker: Asker) -> dict[str, object]:
    """The context of a request that was answered, and that its user is to judge."""
    request = asked(asker, "order")
    counting.hold(request)
    asker.name = "order"
    return {ASKED: request}


def test_an_answer_that_its_user_judged_counts_once(time: Time) -> None:
    counting, asker = recorder(), Asker()
    time.now = 1.0
    counting.on_request("order", 500.0, None, held(counting, asker))
    counting.settle(asker)
    counting.close()
    end = taken(counting).endpoints["order"]
    assert (end.requests, end.failures, counting.held) == (1, 0, {})


@pytest.mark.parametrize(
    ("ends", "says"),
    [
        ("raises", "KeyError: 'id'"),
        ("forgets it", "its user did not say whether the answer is right"),
        ("is cut", "no answer when the load ended"),
    ],
)
def test_an_answer_that_its_user_did_not_judge_is_a_failure(
    time: Time, ends: str, says: str
) -> None:
    counting, asker = recorder(), Asker()
    time.now = 1.0
    held(counting, asker)
    if ends == "raises":
        counting.on_raised(asker, KeyError("id"))
    if ends == "forgets it":
        counting.settle(asker)
    counting.close()
    tally = taken(counting)
    assert (tally.endpoints["order"].requests, tally.endpoints["order"].failures) == (1, 1)
    assert tally.errors == {("order", says): 1}
    assert (counting.raised, counting.beside) == (0, 0)


def test_a_task_that_raises_counts_unless_what_it_asked_failed(time: Time) -> None:
    counting, asker = recorder(), Asker()
    time.now = 1.0
    asker.name = "cart"
    context = {ASKED: asked(asker, "cart")}
    counting.on_request("cart", 500.0, None, context)
    counting.on_raised(asker, ValueError("no JSON"))
    asker.anew()
    counting.on_request("cart", 500.0, OSError("500"), context)
    counting.on_raised(asker, ValueError("no JSON"))
    tally = taken(counting)
    assert tally.errors == {("cart", "ValueError: no JSON"): 1, ("cart", "OSError: 500"): 1}
    assert (counting.raised, counting.beside) == (1, 1)


def test_a_failure_is_counted_and_is_no_answer_time(time: Time) -> None:
    counting = recorder()
    answer(counting, time, 1.0, 0.001, failure=ConnectionRefusedError(111, "Connection refused"))
    tally = taken(counting)
    endpoint = tally.endpoints["ok"]
    assert (endpoint.requests, endpoint.failures) == (1, 1)
    assert not endpoint.latency
    assert not endpoint.service_time
    assert (tally.seconds[1].answered, tally.seconds[1].failed) == (1, 1)
    assert list(tally.errors) == [("ok", "ConnectionRefusedError: [Errno 111] Connection refused")]


def test_what_is_not_answered_at_the_end_is_a_failure(time: Time) -> None:
    counting = recorder()
    time.now = 9.0
    counting.under_way[1] = asked(Asker(), "ok", 9.0)
    time.now = 20.0
    counting.close()
    answer(counting, time, 20.1, 11.1)
    tally = taken(counting)
    assert tally.endpoints["ok"].failures == tally.endpoints["ok"].requests == 1
    assert tally.errors == {("ok", "no answer when the load ended"): 1}


def test_failures_of_the_preparation_of_users_are_said(time: Time) -> None:
    counting = Recorder(10.0, 0.0, open_loop=True)
    counting.on_request("login", 100.0, OSError("no route"))
    counting.on_request("login", 100.0, None, {ASKED: asked(Asker(), begun=float("-inf"))})
    tally = taken(counting)
    assert tally.errors == {("login", "OSError: no route"): 1}
    assert not tally.seconds


def test_groups_and_endpoints_are_capped(time: Time) -> None:
    counting = recorder()
    for number in range(MOST_GROUPS + 7):
        answer(counting, time, 1.0, 0.1, name=f"/{number}", failure=OSError("a"))
    for number in range(MOST_ENDPOINTS + 3):
        answer(counting, time, 1.0, 0.1, name=f"/of/{number}")
    tally = taken(counting)
    assert (len(tally.errors), tally.other_errors) == (MOST_GROUPS, 7)
    assert len(tally.endpoints) == MOST_ENDPOINTS + 1
    assert sum(end.requests for end in tally.endpoints.values()) == 260


def test_seconds_are_handed_out_once_they_are_over(time: Time) -> None:
    counting = recorder()
    for at in (0.5, 1.2, 1.9, 2.1):
        answer(counting, time, at, 0.1)
    first, rest = counting.take(2, 0), taken(counting)
    assert {number: second.answered for number, second in first.seconds.items()} == {0: 1, 1: 2}
    assert {number: second.answered for number, second in rest.seconds.items()} == {2: 1}


def test_in_a_closed_loop_each_request_is_a_start(time: Time) -> None:
    counting = recorder(open_loop=False)
    counting.asked += 2
    answer(counting, time, 1.2, 0.2)
    time.now = 2.0
    counting.on_request("other client", 100.0)
    tally = taken(counting)
    assert counting.started == 3
    assert sum(second.started for second in tally.seconds.values()) == 3


def test_the_first_request_of_another_client_is_measured_from_its_arrival(time: Time) -> None:
    counting = recorder()
    planned = [1.0]
    counting.unbegun = lambda: planned.pop() if planned else None
    time.now = 1.5
    counting.on_request("rpc", 100.0)
    counting.on_request("rpc", 100.0)
    tally = taken(counting)
    expected = {histogram_index(500_000): 1, histogram_index(100_000): 1}
    assert tally.endpoints["rpc"].latency == expected
    assert counting.started == 1


def test_arrivals_are_planned_whether_or_not_a_user_claims_them() -> None:
    timetable = Timetable(LoadProfile("a", "", "lf.py", "web", Offer(4_000_000, rate=25)))
    first = timetable.claim()
    timetable.draw_until(2.0)
    assert first is not None
    second = timetable.claim()
    assert second is not None
    assert first < second
    timetable.draw_until(4.0)
    claimed = [first, second]
    while (planned := timetable.claim()) is not None:
        claimed.append(planned)
    assert claimed == sorted(claimed)
    assert sum(timetable.planned.values()) == len(claimed)


@pytest.mark.parametrize(
    ("says", "other"),
    [
        ("500 Server Error for url: http://a.b/x?token=1", "500 Server Error for url: http://a/y"),
        ("order 81723 is unknown", "order 5 is unknown"),
        ("no 3f2b8c1e-0a1b-4c3d-9e8f-001122334455", "no 3f2b8c1e-0a1b-4c3d-9e8f-aa1122334455"),
        ("<Response at 0x7f11>", "<Response at 0x7fab>"),
        ("key sk_live_9f8e7d6c5b4a3210ff is wrong", "key sk_live_1f8e7d6c5b4a3210fe is wrong"),
    ],
)
def test_failures_of_one_cause_say_the_same(says: str, other: str) -> None:
    assert failures.normalised(says) == failures.normalised(other)


def test_a_failure_keeps_its_status_and_loses_what_is_secret() -> None:
    says = failures.normalised(ValueError("503 for url: http://u:p@h/x?token=abc " + "x" * 300))
    assert says.startswith("ValueError: 503 for url: URL xxx")
    assert "token" not in says
    assert len(says) <= 160
    assert failures.normalised("404") != failures.normalised("503")
