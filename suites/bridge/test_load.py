"""The bridge under load: a run without pause, a burst, ever more writers, posts at once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pytest_rollout import Observe, TooLittleError
from suites.bridge.checks.told import observe_each
from suites.bridge.scenarios.loaded import STEPS, Burst, Interval, Sustained, Written

pytestmark = pytest.mark.bridge_load

LATENCY_S, SUCCESS = 2.0, 0.99


@pytest.mark.criterion("sustained-read-write")
def test_each_interval_meets_the_targets(sustained: Sustained, observe: Observe) -> None:
    first = sustained.intervals[0]
    problems = {
        f"interval {number}": violation(interval, first)
        for number, interval in enumerate(sustained.intervals)
    }
    observe_each(observe, "interval_violates", problems)


def violation(interval: Interval, first: Interval) -> str:
    """Which target an interval misses; a short run shows a rise before it reaches the target."""
    if not interval.seconds:
        return "nothing was asked in it"
    share = 1 - interval.failed / len(interval.seconds)
    if share < SUCCESS:
        return f"{share:.1%} succeeded"
    if interval.quantile(95) > LATENCY_S:
        return f"the p95 was {interval.quantile(95):.2f} s"
    middle, allowed = interval.quantile(50), 3 * first.quantile(50) + 0.1
    return (
        f"half took over {middle:.2f} s, {allowed:.2f} s were allowed" if middle > allowed else ""
    )


@pytest.mark.criterion("sustained-no-leak")
def test_the_end_is_as_quick_as_the_begin(sustained: Sustained, observe: Observe) -> None:
    """By the middle of three intervals at each end; what is under 20 ms counts as 20 ms."""
    ends = (sustained.intervals[:3], sustained.intervals[-3:])
    begin, end = (sorted(max(interval.quantile(50), 0.02) for interval in part)[1] for part in ends)
    observe("end_over_start", end / begin)


@pytest.mark.criterion("burst-traffic")
def test_a_burst_is_answered_or_throttled(burst: Burst, observe: Observe) -> None:
    statuses = [request.status for request in burst.asked]
    problems = {
        f"request {number}": ""
        if 200 <= request.status < 300 or (request.status == 429 and request.retry_after)
        else f"it was answered {request.status}"
        for number, request in enumerate(burst.asked)
    }
    observe_each(observe, "burst_answer_odd", problems)
    good = sum(200 <= status < 300 for status in statuses)
    if good < len(statuses) // 2:
        raise TooLittleError(f"{good} of {len(statuses)} requests were not throttled")
    assert 429 in statuses, "one sender posted too much, and was not throttled"


@pytest.mark.criterion("burst-recovers")
def test_a_burst_leaves_no_backlog(burst: Burst, observe: Observe) -> None:
    observe("recovery_s", burst.recovery_s)


@pytest.mark.criterion("storage-contention-threshold")
def test_the_number_of_writers_is_known(written: Written, observe: Observe) -> None:
    observe("max_writers_within_slo", written.within(LATENCY_S))
    missing = [writers for writers in STEPS if writers not in written.steps]
    missed = written.within(LATENCY_S) < max(written.steps)
    if missing and not missed:
        raise TooLittleError(f"{missing} writers were not tried, and no step missed the target")


@pytest.mark.criterion("storage-contention-stepped")
def test_each_step_of_writers_is_quick(written: Written, observe: Observe) -> None:
    at = datetime.now(UTC)
    for writers, asked in written.steps.items():
        for number, post in enumerate(asked):
            observe("write_seconds", post.seconds, at=at, writers=str(writers), n=number)


@pytest.mark.criterion("concurrent-burst-no-5xx")
def test_posts_at_once_give_no_internal_error(written: Written, observe: Observe) -> None:
    problems = {
        f"post {number}": ""
        if 0 < post.status < 500
        else f"it was answered {post.status or 'not at all'}"
        for number, post in enumerate(written.burst)
    }
    observe_each(observe, "answer_5xx", problems)
    refused = sorted({post.status for post in written.burst if post.status >= 400})
    assert not refused, f"posts that were fine were answered {refused}"


@pytest.mark.criterion("concurrent-burst-monotonic-seq")
def test_the_sequence_has_no_gap_and_no_repeat(written: Written, observe: Observe) -> None:
    """By the history: numbers, ids and times; and by the answers, which history must bear out."""
    told = {post.seq: post.id for post in written.burst if post.status == 201}
    problems = {}
    for place, (seq, id_, accepted) in enumerate(written.history):
        before = written.history[place - 1] if place else None
        problems[f"message {place}"] = (
            f"it has number {seq}, and {place + 1} was due"
            if seq != place + 1
            else "it was accepted before the one before it"
            if before is not None and accepted < before[2]
            else f"its post was told {told.get(seq)}, and {id_} is kept"
            if seq in told and told[seq] != id_
            else ""
        )
    observe_each(observe, "sequence_wrong", problems)
    kept = {id_ for _, id_, _ in written.history}
    lost = [post.id for post in written.burst if post.status == 201 and post.id not in kept]
    assert not lost, f"{len(lost)} messages that were accepted are not in the history"
    assert len(kept) == len(written.history), "a message is in the history more than once"
    _order_is_that_of_callers(written)


def _order_is_that_of_callers(written: Written) -> None:
    """A post that was answered before another was sent has the smaller number."""
    done = sorted(
        (post for post in written.burst if post.status == 201), key=lambda post: post.told
    )
    largest, ended = 0, 0
    for post in sorted(done, key=lambda post: post.sent):
        while ended < len(done) and done[ended].told < post.sent:
            largest = max(largest, done[ended].seq)
            ended += 1
        assert post.seq > largest, f"{post.seq} was posted after {largest} had been answered"
