"""Whether the record of a load can be believed: each doubt, with the nearest record without it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_rollout.load import consistency, honesty
from pytest_rollout.load.histograms import many, quantile
from pytest_rollout.load.schedule import least_users_by_second, planned_by_second
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.load import (
    EndpointLoad,
    ErrorGroup,
    Law,
    LoadRecord,
    LoadSecond,
    Offer,
    Shape,
    ShapeKind,
)
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.report.sentences import text
from tests.load.records import (
    BEGAN_US,
    COUNTED,
    PLANNED,
    RATE,
    SECONDS,
    closed_profile,
    endpoint,
    generator,
    profile_of,
    record_of,
    seconds,
)

ERROR, MISSING, INCONCLUSIVE = Verdict.ERROR, Verdict.MISSING, Verdict.INCONCLUSIVE
SECOND = 1_000_000


def codes(**changed: Any) -> list[str]:
    return [reason.code for reason in honesty.doubts(profile_of(), record_of(**changed))]


def lasting(microseconds: int) -> dict[str, Any]:
    return {"ended_us": BEGAN_US + microseconds}


def workers(*facts: Any, expected: int = 2) -> dict[str, Any]:
    return {"generators": facts, "workers_expected": expected}


def ended(answered: int) -> dict[str, Any]:
    """As many answers in all: none lacks but in the first second."""
    first = answered - RATE * (SECONDS - 1)
    return {"seconds": (LoadSecond(0, RATE, RATE, first, 0, 4), *seconds()[1:])}


def last(answered: int, failed: int = 0) -> dict[str, Any]:
    """The seconds, of which the last has so many answers."""
    second = LoadSecond(SECONDS - 1, RATE, RATE, answered, failed, 4)
    return {"seconds": (*seconds(many=SECONDS - 1), second)}


def starting(*started: int) -> dict[str, Any]:
    """The first seconds, in which so many arrivals started; the others as planned."""
    first = tuple(LoadSecond(n, RATE, many, RATE, 0, 4) for n, many in enumerate(started))
    return {"seconds": (*first, *seconds()[len(first) :])}


one_less = endpoint(times={"5000": COUNTED - 1})
few = {"endpoints": (one_less,), **last(RATE - 1)}
# What changes in a good record, the doubt, and what changes in the nearest that has none.
BOUNDS: dict[str, tuple[dict[str, Any], str, Verdict, dict[str, Any]]] = {
    "not to its end": ({"completed": False}, "load.cut-short", ERROR, {}),
    "too short": (lasting(9_899_999), "load.cut-short", ERROR, lasting(9_900_000)),
    "it broke off": ({"trouble": "worker 2 is gone"}, "load.trouble", ERROR, {}),
    "another load": ({"profile": "hourly"}, "load.of-another", ERROR, {}),
    "another seed": ({"seed": 2}, "load.of-another", ERROR, {}),
    "another law": ({"law": Law.POISSON}, "load.of-another", ERROR, {}),
    "a longer warm-up": ({"warm_up_us": 2_000_001}, "load.of-another", ERROR, {}),
    "a closed loop": ({"open_loop": False}, "load.of-another", ERROR, {}),
    "a worker too few": (
        workers(generator("a")),
        "load.workers",
        ERROR,
        workers(generator("a"), generator("b")),
    ),
    "no process": ({"generators": ()}, "load.workers", ERROR, {}),
    "a worker was lost": (
        workers(generator("a"), generator("b", completed=False)),
        "load.worker-lost",
        ERROR,
        workers(generator("a"), generator("b")),
    ),
    "a busy core": (
        {"generators": (generator(cpu_share=0.91),)},
        "load.saturated",
        ERROR,
        {"generators": (generator(cpu_share=0.9, cpu_peak=0.97),)},
    ),
    "a busy moment": (
        {"generators": (generator(cpu_peak=0.98),)},
        "load.saturated",
        ERROR,
        {"generators": (generator(cpu_peak=0.97),)},
    ),
    "woken late": (
        {"generators": (generator(late_wakeups_us=100_001),)},
        "load.woken-late",
        ERROR,
        {"generators": (generator(late_wakeups_us=100_000),)},
    ),
    "a clock set back": (
        {"generators": (generator(clock_jump_us=-100_001),)},
        "load.clock",
        ERROR,
        {"generators": (generator(clock_jump_us=-100_000),)},
    ),
    "a clock set ahead": (
        {"generators": (generator(clock_jump_us=100_001),)},
        "load.clock",
        ERROR,
        {"generators": (generator(clock_jump_us=100_000),)},
    ),
    "a lower rate was planned": (
        {"planned": 989, "started": 989, "start_delay": {"200": 989}},
        "load.planned-less",
        ERROR,
        {"planned": 990, "started": 990, "start_delay": {"200": 990}},
    ),
    "not all started": (
        {"started": 989, "dropped": 11, "start_delay": {"200": 989}},
        "load.not-started",
        ERROR,
        {"started": 990, "dropped": 10, "start_delay": {"200": 990}},
    ),
    "delays were lost": (
        {"start_delay": {"200": COUNTED * 99 // 100 - 1}},
        "load.delays-lost",
        ERROR,
        {"start_delay": {"200": COUNTED * 99 // 100}},
    ),
    "started late": (
        {"start_delay": {"200": 989, "100001": 11}},
        "load.late",
        ERROR,
        {"start_delay": {"200": 990, "100001": 10}},
    ),
    "late by a little": (
        {"start_delay": {"100001": 1000}},
        "load.late",
        ERROR,
        {"start_delay": {"100000": 1000}},
    ),
    "nothing planned": (
        {"planned": 0, "started": 0, "start_delay": {}, "seconds": (), "endpoints": ()},
        "load.nothing-offered",
        MISSING,
        {},
    ),
    "no request": ({"seconds": seconds(0), "endpoints": ()}, "load.no-request", MISSING, {}),
    "answers that never came": (ended(989), "load.unanswered", ERROR, ended(990)),
    "times that were lost": (
        {"endpoints": (replace(one_less, requests=COUNTED),)},
        "load.counts",
        ERROR,
        {"endpoints": (replace(one_less, requests=COUNTED, failures=1),), **last(RATE, 1)},
    ),
    "too few": (few, "load.few", INCONCLUSIVE, {}),
    "processes that began apart": (
        {"begins_apart_us": 500_001},
        "load.begins-apart",
        ERROR,
        {"begins_apart_us": 500_000},
    ),
    "started too early": (starting(123, 77), "load.other-times", ERROR, starting(122, 78)),
    "all started at once": (starting(1000, *[0] * 9), "load.other-times", ERROR, {}),
    "started too late": (
        {**starting(0, 0, 77, 223), "start_delay": {"200": PLANNED}},
        "load.other-times",
        ERROR,
        {**starting(0, 0, 78, 222), "start_delay": {"200": PLANNED}},
    ),
    "no second says what started": (
        {**starting(*[0] * 10), "start_delay": {}},
        "load.other-times",
        ERROR,
        {},
    ),
    "a task that raised": ({"raised": 1, "beside": 1}, "load.raised", ERROR, {"beside": 1}),
    "tasks that asked nothing": ({"unasked": 11}, "load.unasked", ERROR, {"unasked": 10}),
    "negative times": (
        {"endpoints": (endpoint(times={"-5": COUNTED}),)},
        "load.no-counts",
        ERROR,
        {"endpoints": (endpoint(times={"5": COUNTED}),)},
    ),
    "negative counts": (
        {"endpoints": (endpoint(times={"5": COUNTED + 9, "6": -9}),)},
        "load.no-counts",
        ERROR,
        {"endpoints": (endpoint(times={"5": COUNTED, "6": 0}),)},
    ),
}


@pytest.mark.parametrize("what", BOUNDS)
def test_a_doubt_and_its_nearest_neighbour_without_it(what: str) -> None:
    bad, code, verdict, good = BOUNDS[what]
    reasons = honesty.doubts(profile_of(), record_of(**bad))
    assert reasons[0].code == code
    # Without any start there are also too few answers; the verdict is of the worst.
    if what != "nothing planned":
        assert {reason.code for reason in reasons} <= {code, "load.delays-lost"}
        assert honesty.verdict_of(reasons) is verdict
    assert codes(**good) == []


def test_no_record_is_missing_and_a_good_one_has_no_doubt() -> None:
    (reason,) = honesty.doubts(profile_of(), None)
    assert honesty.verdict_of([reason]) is MISSING
    assert text(reason, "UTC") == "load nightly left no record"
    assert honesty.verdict_of(honesty.doubts(profile_of(), record_of())) is Verdict.PASS


def test_the_worst_doubt_gives_the_verdict() -> None:
    bad = record_of(**few, generators=(generator(completed=False),))
    assert honesty.verdict_of(honesty.doubts(profile_of(), bad)) is ERROR


def _all(reason: Reason) -> tuple[object, ...]:
    what = reason.facts["what"]
    assert isinstance(what, tuple)
    return what


def at_odds(record: LoadRecord) -> list[str]:
    return [str(what) for reason in consistency.at_odds(record) for what in _all(reason)]


DOUBLE = endpoint(times={"5000": COUNTED // 2})
SLOW = EndpointLoad("start", COUNTED, 0, {"1000": COUNTED}, {"9000000": COUNTED})
ODD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "requests": ({"endpoints": (endpoint(times={"5000": 100}),)}, {}),
    "failures": (last(RATE, 1), {**last(RATE, 1), "endpoints": (replace(SLOW, failures=1),)}),
    "failures-beyond": (last(RATE, 101), last(RATE, 100)),
    "errors": (
        {"errors": (ErrorGroup("start", "500", 7),), "other_errors": 1, "beside": 7},
        {"errors": (ErrorGroup("start", "500", 7),), "other_errors": 1, "beside": 8},
    ),
    "endpoint-twice": (
        {"endpoints": (DOUBLE, DOUBLE)},
        {"endpoints": (DOUBLE, replace(DOUBLE, name="poll"))},
    ),
    "generator-twice": (workers(generator("a"), generator("a")), workers(generator("a"))),
    "second-twice": ({"seconds": seconds()[:1] * 10}, {"seconds": seconds()}),
    "long": (lasting(70_000_001), lasting(70_000_000)),
    "latency": (
        {"endpoints": (SLOW,)},
        {"endpoints": (replace(SLOW, latency=SLOW.service_time),)},
    ),
    "processor": (
        {"generators": (generator(cpu_share=float("nan")),)},
        {"generators": (generator(cpu_share=float("nan"), completed=False),)},
    ),
}


@pytest.mark.parametrize("what", ODD)
def test_a_record_that_contradicts_itself_is_an_error(what: str) -> None:
    bad, good = ODD[what]
    assert what in at_odds(record_of(**bad))
    assert what not in at_odds(record_of(**good))
    assert honesty.verdict_of(honesty.doubts(profile_of(), record_of(**bad))) is ERROR


def test_the_share_of_a_core_that_nobody_says_is_an_error() -> None:
    assert at_odds(record_of(generators=(generator(cpu_peak=None),))) == ["processor"]


def test_what_began_in_the_warm_up_may_end_after_it() -> None:
    """Of the second before its end, thirty answers came after it; endpoints do not have them."""
    told = starting()["seconds"]
    late = replace(told[1], answered=RATE - 30), replace(told[2], answered=RATE + 30)
    assert at_odds(record_of(seconds=(told[0], *late, *told[3:]))) == []


def test_parts_of_a_worker_that_was_lost_need_not_agree() -> None:
    lost = {"generators": (generator(completed=False),)}
    assert at_odds(record_of(endpoints=(one_less,), **lost)) == []


@pytest.mark.parametrize(
    ("users", "gone"), [((4,) * 10, False), ((1,) * 10, True), ((0, 0, *(4,) * 8), False)]
)
def test_users_who_are_gone_are_an_error(users: tuple[int, ...], gone: bool) -> None:
    profile = closed_profile()
    told = tuple(replace(each, users=many) for each, many in zip(seconds(), users, strict=True))
    reasons = honesty.doubts(profile, record_of(profile, seconds=told))
    assert [reason.code for reason in reasons] == ["load.users"] * gone
    assert all("there were 1 of 4 planned users" in text(reason, "UTC") for reason in reasons)


def test_users_of_a_ramp_are_those_of_its_time() -> None:
    profile = closed_profile(shape=Shape(ShapeKind.RAMP, over_us=8_000_000))
    assert least_users_by_second(profile) == [0, 1, 1, 2, 2, 3, 3, 4, 4, 4]
    told = tuple(
        replace(each, users=many)
        for each, many in zip(seconds(), (0, 1, 1, 2, 2, 3, 3, 4, 4, 4), strict=True)
    )
    assert honesty.doubts(profile, record_of(profile, seconds=told)) == ()


def silence(open_loop: bool, *told: tuple[int, int, int, int]) -> LoadRecord:
    """A record of seconds, each as started, answered, failed, users."""
    of = tuple(LoadSecond(n, s, s, a, f, u) for n, (s, a, f, u) in enumerate(told))
    return record_of(profile_of() if open_loop else closed_profile(), seconds=of)


GOOD, HUNG, IDLE = (9, 9, 0, 4), (0, 0, 0, 4), (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("record", "gone"),
    [
        (silence(False, *[GOOD] * 2, *[HUNG] * 16, (0, 4, 4, 0)), 8),  # until all are cut
        (silence(False, *[GOOD] * 9, HUNG, HUNG, (0, 4, 4, 0)), 0),  # one second
        (silence(False, *[GOOD] * 10, (0, 1, 1, 4), (0, 1, 1, 4)), 0),  # two who came last
        (silence(True, *[GOOD] * 10, (0, 1, 1, 4), (0, 1, 1, 4)), 0),
        (silence(False, *[GOOD] * 2, *[IDLE] * 8, (0, 1, 1, 4)), 0),  # between bursts
        (silence(True, *[GOOD] * 2, *[(9, 0, 0, 4)] * 8, (0, 72, 72, 4)), 8),
        (silence(True, *[GOOD] * 2, *[HUNG] * 8, (0, 1, 1, 4)), 0),  # nothing was planned
        (silence(True, *[(9, 0, 0, 4)] * 10, (0, 90, 90, 4)), 10),  # from the begin on
        (silence(True, *[GOOD] * 2, *[(9, 0, 0, 4)] * 8, (0, 72, 0, 4)), 0),  # only slow
    ],
)
def test_seconds_in_which_nothing_is_answered_tell_that_the_target_is_gone(
    record: LoadRecord, gone: int
) -> None:
    reasons = honesty.doubts_of_times(record)
    assert [reason.facts["seconds"] for reason in reasons] == [gone] * bool(gone)


def test_users_who_wait_for_a_target_that_hangs_hide_how_many_would_have_failed() -> None:
    profile = closed_profile(need=1)
    hangs = silence(False, *[GOOD] * 2, *[HUNG] * 8, (0, 4, 4, 0))
    fails = silence(False, *[GOOD] * 2, *[(9, 9, 9, 4)] * 8)
    for record, codes_of in ((hangs, ["load.target-gone"]), (fails, [])):
        bare = replace(record, endpoints=(), warm_up_us=0)
        told = [reason.code for reason in honesty.doubts(profile, bare)]
        assert [code for code in told if code == "load.target-gone"] == codes_of


def test_users_without_a_rate_need_no_planned_arrivals() -> None:
    profile = closed_profile()
    good = record_of(profile)
    assert honesty.doubts(profile, good) == ()
    idle = replace(good, planned=0, started=0, seconds=(), endpoints=())
    reasons = honesty.doubts(profile, idle)
    assert [reason.code for reason in reasons] == ["load.nothing-offered", "load.few"]
    assert honesty.verdict_of(reasons) is MISSING


def test_planned_arrivals_are_counted_from_the_seed_for_all_workers() -> None:
    profile = profile_of(
        need=100, law=Law.POISSON, offer=Offer(10 * SECOND, 100.0, None, 2 * SECOND)
    )
    record = record_of(profile)
    assert record.planned != PLANNED
    assert honesty.doubts(profile, record) == ()
    both = (generator("a"), generator("b"))
    more = planned_by_second(profile, 2).total()  # two came, one was stated
    told = planned_by_second(profile, 2)
    seen = tuple(LoadSecond(n, told[n], told[n], told[n], 0, 4) for n in range(SECONDS))
    counted = sum(told[n] for n in range(2, SECONDS))
    came = record_of(
        profile,
        planned=more,
        started=more,
        generators=both,
        seconds=seen,
        start_delay={"200": counted},
        endpoints=(endpoint(times={"5000": counted}),),
    )
    assert more != record.planned
    assert honesty.doubts(profile, came) == ()
    half = replace(record, workers_expected=2, generators=both, planned=500, started=500)
    assert "load.planned-less" in [one.code for one in honesty.doubts(profile, half)]


@pytest.mark.parametrize(
    ("failed", "of", "gone"),
    [
        ((), (), False),
        ((9,), (10,), False),
        ((10,), (10,), True),
        ((0, 0, 10), (10, 10, 10), False),  # one second may be unlucky
        ((0, 10, 10), (10, 10, 10), True),
        ((0, 10, 9), (10, 10, 10), False),
        ((0, 10, 10, 0), (10, 10, 10, 0), True),  # nothing ended in the last second
        ((10, 10, 0), (10, 10, 10), False),  # it came back
    ],
)
def test_a_target_that_is_gone_at_the_end(
    failed: tuple[int, ...], of: tuple[int, ...], gone: bool
) -> None:
    told = tuple(
        LoadSecond(n, 10, 10, many_of, bad, 4)
        for n, (bad, many_of) in enumerate(zip(failed, of, strict=True))
    )
    reasons = honesty.doubts_of_times(record_of(seconds=told, duration_us=len(told) * SECOND))
    assert [reason.code for reason in reasons] == ["load.target-gone"] * gone


@pytest.mark.parametrize(
    ("histogram", "part", "expected"),
    [
        ({}, 99, None),
        ({"5": 1}, 99, 5),
        ({"9": 1, "100": 99}, 1, 9),
        ({"9": 1, "100": 99}, 2, 100),
        ({"1": 99, "10": 1}, 99, 1),
        ({"1": 98, "10": 2}, 99, 10),
        ({"1": 5, "7": 0}, 100, 1),
    ],
)
def test_a_quantile_is_the_least_value_that_reaches_its_share(
    histogram: dict[str, int], part: int, expected: int | None
) -> None:
    assert quantile(histogram, part, 100) == expected
    assert many(histogram) == sum(histogram.values())
