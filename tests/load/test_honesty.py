"""Whether the record of a load can be believed: each doubt, with the nearest record without it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_rollout.load import honesty
from pytest_rollout.load.histograms import many, quantile
from pytest_rollout.model.load import Law, LoadSecond, Offer
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
    """As many answers in all: none lacks but in the last second."""
    whole = seconds(many=SECONDS - 1)
    last = answered - RATE * (SECONDS - 1)
    return {"seconds": (*whole, LoadSecond(SECONDS - 1, RATE, RATE, last, 0, 4))}


few, enough = endpoint(times={"5000": 99}), endpoint(times={"5000": 100})
# What changes in a good record, the doubt, and what changes in the nearest that has none.
BOUNDS: dict[str, tuple[dict[str, Any], str, Verdict, dict[str, Any]]] = {
    "not to its end": ({"completed": False}, "load.cut-short", ERROR, {}),
    "too short": (lasting(9_899_999), "load.cut-short", ERROR, lasting(9_900_000)),
    "it broke off": ({"trouble": "worker 2 is gone"}, "load.trouble", ERROR, {}),
    "another load": ({"profile": "hourly"}, "load.of-another", ERROR, {}),
    "another seed": ({"seed": 2}, "load.of-another", ERROR, {}),
    "another law": ({"law": Law.POISSON}, "load.of-another", ERROR, {}),
    "a longer warm-up": ({"warm_up_us": 1}, "load.of-another", ERROR, {}),
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
        {"endpoints": (endpoint(requests=COUNTED + 1),)},
        "load.counts",
        ERROR,
        {"endpoints": (endpoint(failures=1),)},
    ),
    "too few": ({"endpoints": (few,)}, "load.few", INCONCLUSIVE, {"endpoints": (enough,)}),
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
    bad = record_of(endpoints=(few,), generators=(generator(completed=False),))
    assert honesty.verdict_of(honesty.doubts(profile_of(), bad)) is ERROR


def test_users_without_a_rate_need_no_planned_arrivals() -> None:
    profile = closed_profile()
    good = record_of(profile)
    assert honesty.doubts(profile, good) == ()
    idle = replace(good, planned=0, started=0, seconds=(), endpoints=())
    reasons = honesty.doubts(profile, idle)
    assert [reason.code for reason in reasons] == ["load.nothing-offered", "load.few"]
    assert honesty.verdict_of(reasons) is MISSING


def test_planned_arrivals_are_counted_from_the_seed_for_all_workers() -> None:
    profile = profile_of(law=Law.POISSON, offer=Offer(10 * SECOND, 100.0, None, 2 * SECOND))
    record = record_of(profile)
    assert record.planned != PLANNED
    assert honesty.doubts(profile, record) == ()
    both = (generator("a"), generator("b"))
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
    reasons = honesty.doubts_of_times(record_of(seconds=told))
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
