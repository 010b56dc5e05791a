"""Metrics: that they can be read, and that they are those of what the suite did."""

from __future__ import annotations

from itertools import pairwise
from statistics import median

import pytest

from pytest_rollout import NotReportedError, Observe
from suites.bridge.checks.told import observe_each
from suites.bridge.scenarios.metered import RESULTS, STEP, Metered
from suites.bridge.views.exposition import Between, Scrape
from suites.bridge.views.said import not_done

pytestmark = pytest.mark.bridge_ops

STATES = ("active", "blocked", "closed")


def moves(part: Between, name: str, **labels: str) -> str:
    """What is wrong with a counter that its cause must have raised; empty where it rose."""
    try:
        return "" if part.rose(name, **labels) > 0 else f"{name} did not rise"
    except NotReportedError as error:
        return str(error)


def there(look: Scrape, name: str, **labels: str) -> str:
    """What is wrong with a series that must be there; empty where it is."""
    return "" if look.has(name, **labels) else f"/metrics has no {name} {labels or ''}".rstrip()


def rose(part: Between, wanted: float, name: str, *, exact: bool, **labels: str) -> str:
    """What is wrong with how much a counter rose; others may have been at work."""
    risen = part.rose(name, **labels)
    right = risen == wanted if exact else risen >= wanted
    return "" if right else f"{name} rose by {risen:g}, and {wanted:g} were made"


# That they can be read, and move


@pytest.mark.criterion("metric-posts-per-minute")
def test_posts_can_be_read(metered: Metered, observe: Observe) -> None:
    posts = metered.parts["posts"]
    problems = {
        "total": moves(posts, "messages_posted_total"),
        "rate": there(posts.after, "messages_posted_per_minute"),
    }
    if not problems["rate"] and posts.after.sum("messages_posted_per_minute") <= 0:
        problems["rate"] = "after posts the rate of a minute is zero"
    observe_each(observe, "series_missing", problems, figure="posts")


@pytest.mark.criterion("metric-read-latency")
def test_times_of_reads_can_be_read(metered: Metered, observe: Observe) -> None:
    reads = metered.parts["reads"]
    problems = {
        "median": there(reads.after, "read_latency_seconds", quantile="0.5"),
        "p95": there(reads.after, "read_latency_seconds", quantile="0.95"),
        "count": moves(reads, "read_latency_seconds_count"),
    }
    observe_each(observe, "series_missing", problems, figure="read-latency")


@pytest.mark.criterion("metric-delivery-failure-rate")
def test_deliveries_can_be_read(metered: Metered, observe: Observe) -> None:
    wakes = worked(metered, "wakes")
    problems = {
        "deliveries": moves(wakes, "message_deliveries_total"),
        "failures": moves(wakes, "message_delivery_failures_total"),
    }
    observe_each(observe, "series_missing", problems, figure="deliveries")


@pytest.mark.criterion("metric-threads-by-state")
def test_threads_can_be_read(metered: Metered, observe: Observe) -> None:
    look = metered.parts["states"].after
    problems = {state: there(look, "threads", state=state) for state in STATES}
    observe_each(observe, "series_missing", problems, figure="threads")


@pytest.mark.criterion("metric-escalations-per-day")
def test_escalations_can_be_read(metered: Metered, observe: Observe) -> None:
    part = metered.parts["escalations"]
    problems = {
        "total": moves(part, "escalations_total"),
        "day": moves(part, "escalations_per_day"),
    }
    observe_each(observe, "series_missing", problems, figure="escalations")


@pytest.mark.criterion("metric-loop-detections")
def test_loops_can_be_read(metered: Metered, observe: Observe) -> None:
    problems = {"loops": moves(worked(metered, "loops"), "loop_detections_total")}
    observe_each(observe, "series_missing", problems, figure="loops")


@pytest.mark.criterion("metric-wake-by-result")
def test_wakes_can_be_read(metered: Metered, observe: Observe) -> None:
    look = metered.parts["escalations"].after
    problems = {result: there(look, "wake_attempts_total", result=result) for result in RESULTS}
    known = (
        set(look.by("wake_attempts_total", "result")) if look.has("wake_attempts_total") else set()
    )
    others = sorted(known - set(RESULTS))
    problems["others"] = f"there are results besides: {others}" if others else ""
    observe_each(observe, "series_missing", problems, figure="wakes")


@pytest.mark.criterion("metric-api-requests")
def test_requests_can_be_read(metered: Metered, observe: Observe) -> None:
    reads = metered.parts["reads"]
    problems = {
        "requests": moves(reads, "http_requests_total", method="GET"),
        "seconds": moves(reads, "http_request_duration_seconds_sum", method="GET"),
    }
    observe_each(observe, "series_missing", problems, figure="requests")


def worked(metered: Metered, part: str) -> Between:
    """A part of the workload; raises NoValueError where it was not done."""
    if part not in metered.parts:
        not_done(f"no {part} were provoked", "rehearse it, where it may be")
    return metered.parts[part]


# That they are right


@pytest.mark.criterion("metric-posts-accurate")
def test_posts_are_those_accepted(metered: Metered, observe: Observe) -> None:
    """A replay is no message, a read is none either."""
    problems = {
        "posts": rose(
            metered.parts["posts"],
            metered.done["posts"],
            "messages_posted_total",
            exact=metered.exact,
        ),
        "reads": rose(metered.parts["reads"], 0, "messages_posted_total", exact=metered.exact),
    }
    observe_each(observe, "metric_mismatch", problems, figure="posts")


@pytest.mark.criterion("metric-threads-by-state-accurate")
def test_threads_are_those_listed(metered: Metered, observe: Observe) -> None:
    look = metered.parts["states"].after
    problems = {}
    for state in STATES:
        said, listed = look.sum("threads", state=state), metered.states.get(state, 0)
        problems[state] = "" if said == listed else f"/metrics says {said:g}, {listed} are listed"
    total = look.sum("threads")
    listed = sum(metered.states.values())
    problems["all"] = "" if total == listed else f"/metrics says {total:g}, {listed} are listed"
    observe_each(observe, "metric_mismatch", problems, figure="threads")


@pytest.mark.criterion("metric-wake-accurate")
def test_wakes_are_those_made(metered: Metered, observe: Observe) -> None:
    """Each outcome was set up in the runtime, so many times each."""
    part = worked(metered, "wakes")
    problems = {
        result: rose(
            part, metered.outcomes[result], "wake_attempts_total", exact=True, result=result
        )
        for result in RESULTS
    }
    observe_each(observe, "metric_mismatch", problems, figure="wakes")


@pytest.mark.criterion("metric-loop-accurate")
def test_loops_are_those_provoked(metered: Metered, observe: Observe) -> None:
    loops, wakes = worked(metered, "loops"), worked(metered, "wakes")
    problems = {
        "loops": rose(loops, metered.done["loops"], "loop_detections_total", exact=True),
        "wakes": rose(wakes, 0, "loop_detections_total", exact=True),
    }
    observe_each(observe, "metric_mismatch", problems, figure="loops")


@pytest.mark.criterion("metric-escalation-accurate")
def test_escalations_are_those_made(metered: Metered, observe: Observe) -> None:
    part, name = metered.parts["escalations"], "escalations_total"
    by_hand, exact = metered.done["escalated"], metered.exact
    problems = {
        "operator": rose(part, by_hand, name, exact=exact, source="operator"),
        "day": rose(part, by_hand, "escalations_per_day", exact=exact),
    }
    if "loops" in metered.parts:
        loops, automatic = metered.parts["loops"], metered.done["automatic"]
        problems["automatic"] = rose(loops, automatic, name, exact=exact, source="automatic")
        problems["not operator"] = rose(loops, 0, name, exact=exact, source="operator")
    observe_each(observe, "metric_mismatch", problems, figure="escalations")


@pytest.mark.criterion("metric-read-latency-accurate")
def test_times_of_reads_are_those_seen(metered: Metered, observe: Observe) -> None:
    """A reader also waits for the wire: to a fifth, and twenty milliseconds."""
    part = metered.parts["reads"]
    middle = part.after.sum("read_latency_seconds", quantile="0.5")
    high = part.after.sum("read_latency_seconds", quantile="0.95")
    seen = median(metered.read_s)
    mean = part.rose("read_latency_seconds_sum") / part.rose("read_latency_seconds_count")
    problems = {
        "order": "" if 0 < middle <= high else f"the median is {middle}, the p95 {high}",
        "median": near(middle, seen),
        "mean": near(mean, sum(metered.read_s) / len(metered.read_s)),
        "count": rose(
            part, metered.done["reads"], "read_latency_seconds_count", exact=metered.exact
        ),
    }
    observe_each(observe, "metric_mismatch", problems, figure="read-latency")


def near(said: float, seen: float) -> str:
    """What is wrong with a time that is told; empty where it is about what a caller saw."""
    right = seen * 0.8 - 0.02 <= said <= seen * 1.2 + 0.001
    return "" if right else f"/metrics says {said:.4f} s, callers waited {seen:.4f} s"


@pytest.mark.criterion("metric-delivery-failure-accurate")
def test_failed_deliveries_are_those_made(metered: Metered, observe: Observe) -> None:
    part = worked(metered, "wakes")
    failed, delivered = "message_delivery_failures_total", "message_deliveries_total"
    problems = {
        "failed": rose(part, metered.failed, failed, exact=True),
        "deliveries": rose(part, metered.delivered, delivered, exact=True),
        "loops": rose(worked(metered, "loops"), 0, failed, exact=True),
    }
    observe_each(observe, "metric_mismatch", problems, figure="deliveries")


@pytest.mark.criterion("metric-posts-rate-window")
def test_the_rate_follows_the_load(metered: Metered, observe: Observe) -> None:
    if not metered.rates:
        not_done("no step of load was made on a quiet service", "rehearse it, where it may be")
    wanted = {"quiet": 0.0, "step": float(STEP), "after": 0.0}
    problems = {
        moment: "" if abs(said - wanted[moment]) < 1 else f"it is {said:g}, not {wanted[moment]:g}"
        for moment, said in metered.rates
    }
    observe_each(observe, "metric_mismatch", problems, figure="posts-rate")


@pytest.mark.criterion("metric-duration-accurate")
def test_times_of_requests_are_those_seen(metered: Metered, observe: Observe) -> None:
    """No more than callers waited, and at least a third of it: the rest is the wire's."""
    whole = Between(metered.parts["begin"].after, metered.parts["reads"].after)
    said = whole.rose("http_request_duration_seconds_sum")
    seen = sum(metered.waited_s)
    made = metered.done["requests"]
    right = seen * 0.2 <= said <= seen * 1.2 if metered.exact else said >= seen * 0.2
    problems = {
        "sum": "" if right else f"/metrics says {said:.3f} s, callers waited {seen:.3f} s",
        "count": rose(whole, made, "http_request_duration_seconds_count", exact=metered.exact),
        "requests": rose(whole, made, "http_requests_total", exact=metered.exact),
    }
    observe_each(observe, "metric_mismatch", problems, figure="durations")


@pytest.mark.criterion("metric-counters-nondecreasing")
def test_counters_never_fall(metered: Metered, observe: Observe) -> None:
    looks = metered.scrapes
    problems = {}
    for number, (before, after) in enumerate(pairwise(looks)):
        fell = Between(before, after).fell()
        problems[f"look {number}"] = f"{fell[0]} fell" if fell else ""
    if not looks[0].counters():
        not_done("/metrics has no counter", "export some")
    observe_each(observe, "metric_mismatch", problems, figure="counters")
