"""Metrics: that they can be read, and that they are those of what the suite did."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pytest

from pytest_rollout import NotReportedError, Observe, Stage
from suites.bridge.checks.figures import (
    STATES,
    deliveries_off,
    escalations_off,
    fallen,
    loops_off,
    posts_off,
    rate_off,
    reads_off,
    requests_off,
    threads_off,
    wakes_off,
)
from suites.bridge.checks.told import observe_each
from suites.bridge.scenarios.metered import RESULTS, Metered
from suites.bridge.views.exposition import Between, Scrape

pytestmark = pytest.mark.bridge_ops

Figure = Callable[[Metered], dict[str, str]]  # what is wrong, by what it is about


def moves(part: Between, name: str, **labels: str) -> str:
    """What is wrong with a counter that its cause must have raised; empty where it rose."""
    try:
        return "" if part.rose(name, **labels) > 0 else f"{name} did not rise"
    except NotReportedError as error:
        return str(error)


def there(look: Scrape, name: str, **labels: str) -> str:
    """What is wrong with a series that must be there; empty where it is."""
    return "" if look.has(name, **labels) else f"/metrics has no {name} {labels or ''}".rstrip()


def provoked(metered: Metered, part: str, name: str) -> str:
    """What is wrong with a counter: it rises with its cause, or is there where none was made."""
    if part in metered.parts:
        return moves(metered.parts[part], name)
    return there(metered.scrapes[-1], name)


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
    problems |= untrue(metered, problems, posts_off, rate_off)
    observe_each(observe, "series_missing", problems, figure="posts")


@pytest.mark.criterion("metric-read-latency")
def test_times_of_reads_can_be_read(metered: Metered, observe: Observe) -> None:
    reads = metered.parts["reads"]
    problems = {
        "median": there(reads.after, "read_latency_seconds", quantile="0.5"),
        "p95": there(reads.after, "read_latency_seconds", quantile="0.95"),
        "count": moves(reads, "read_latency_seconds_count"),
    }
    problems |= untrue(metered, problems, reads_off)
    observe_each(observe, "series_missing", problems, figure="read-latency")


@pytest.mark.criterion("metric-delivery-failure-rate")
def test_deliveries_can_be_read(metered: Metered, observe: Observe) -> None:
    names = ("message_deliveries_total", "message_delivery_failures_total")
    problems = {name: provoked(metered, "wakes", name) for name in names}
    problems |= untrue(metered, problems, deliveries_off)
    observe_each(observe, "series_missing", problems, figure="deliveries")


@pytest.mark.criterion("metric-threads-by-state")
def test_threads_can_be_read(metered: Metered, observe: Observe) -> None:
    look = metered.parts["states"].after
    problems = {state: there(look, "threads", state=state) for state in STATES}
    problems |= untrue(metered, problems, threads_off)
    observe_each(observe, "series_missing", problems, figure="threads")


@pytest.mark.criterion("metric-escalations-per-day")
def test_escalations_can_be_read(metered: Metered, observe: Observe) -> None:
    part = metered.parts["escalations"]
    problems = {
        "total": moves(part, "escalations_total"),
        "day": moves(part, "escalations_per_day"),
    }
    problems |= untrue(metered, problems, escalations_off)
    observe_each(observe, "series_missing", problems, figure="escalations")


@pytest.mark.criterion("metric-loop-detections")
def test_loops_can_be_read(metered: Metered, observe: Observe) -> None:
    problems = {"loops": provoked(metered, "loops", "loop_detections_total")}
    problems |= untrue(metered, problems, loops_off)
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
    problems |= untrue(metered, problems, wakes_off)
    observe_each(observe, "series_missing", problems, figure="wakes")


@pytest.mark.criterion("metric-api-requests")
def test_requests_can_be_read(metered: Metered, observe: Observe) -> None:
    reads = metered.parts["reads"]
    problems = {
        "requests": moves(reads, "http_requests_total", method="GET"),
        "seconds": moves(reads, "http_request_duration_seconds_sum", method="GET"),
    }
    problems |= untrue(metered, problems, requests_off, fallen)
    observe_each(observe, "series_missing", problems, figure="requests")


LABELS: Mapping[tuple[str, str], tuple[str, ...]] = {  # all values, which begin at zero
    ("message_post_failures_total", "cause"): ("unavailable", "internal"),
    ("message_read_failures_total", "cause"): ("unavailable", "internal"),
    ("store_failures_total", "cause"): ("locked", "down"),
    ("policy_denials_total", "rule"): (
        *("authentication", "workspace", "membership", "role", "claim", "state", "rate", "filter"),
    ),
    ("token_validation_failures_total", "reason"): (
        *("expired", "signature", "claims", "malformed", "missing", "no-key"),
    ),
    ("threads", "state"): STATES,
    ("wake_attempts_total", "result"): RESULTS,
    ("escalations_total", "source"): ("automatic", "operator"),
}
FALLBACKS = {
    "unmanaged",
    "no-runtime",
    "human-input",
    "no-ack",
    "polling-only",
}  # of the usual ways


@pytest.mark.criterion("metric-api-requests")
def test_metrics_say_what_they_are(phase: Stage) -> None:
    """In a form of the Prometheus text, with its version: scrapers go by that."""
    kind = phase.target("bridge").client.get("/metrics").headers.get("Content-Type", "")
    assert re.search("text.*version=", kind), f"/metrics says that it is {kind!r}"


@pytest.mark.criterion("metric-api-requests")
def test_series_are_there_before_anything_happens(metered: Metered) -> None:
    """With each value of their labels, so that a rise from nothing is seen; and with no others."""
    for (name, label), values in LABELS.items():
        for look in (metered.idle, metered.scrapes[-1]):
            told = set(look.by(name, label))
            assert told == set(values), f"{name} has the values {sorted(told)} of {label}"
    polled = set(metered.idle.by("polling_fallbacks_total", "reason"))
    assert polled >= FALLBACKS, (
        f"of polling_fallbacks_total {sorted(FALLBACKS - polled)} is missing"
    )
    if metered.exact:  # on a service that was just started, and was asked for nothing but probes
        ahead = [
            f"{name} {dict(labels) or ''}".strip()
            for (name, labels), value in metered.idle.counters().items()
            if value and not name.startswith("http_request")
        ]
        assert not ahead, f"before anything happens {ahead[0]} is over zero"


def untrue(metered: Metered, missing: Mapping[str, str], *figures: Figure) -> dict[str, str]:
    """What a series says that was not so; nothing where it is missing, or others were at work."""
    if not metered.exact or any(missing.values()):
        return {}
    return {
        f"{figure.__name__}, {name}": problem
        for figure in figures
        for name, problem in figure(metered).items()
    }


# That they are right


@pytest.mark.criterion("metric-posts-accurate")
def test_posts_are_those_accepted(metered: Metered, observe: Observe) -> None:
    observe_each(observe, "metric_mismatch", posts_off(metered), figure="posts")


@pytest.mark.criterion("metric-threads-by-state-accurate")
def test_threads_are_those_listed(metered: Metered, observe: Observe) -> None:
    observe_each(observe, "metric_mismatch", threads_off(metered), figure="threads")


@pytest.mark.criterion("metric-wake-accurate")
def test_wakes_are_those_made(metered: Metered, observe: Observe) -> None:
    observe_each(observe, "metric_mismatch", wakes_off(metered), figure="wakes")


@pytest.mark.criterion("metric-loop-accurate")
def test_loops_are_those_provoked(metered: Metered, observe: Observe) -> None:
    observe_each(observe, "metric_mismatch", loops_off(metered), figure="loops")


@pytest.mark.criterion("metric-escalation-accurate")
def test_escalations_are_those_made(metered: Metered, observe: Observe) -> None:
    observe_each(observe, "metric_mismatch", escalations_off(metered), figure="escalations")


@pytest.mark.criterion("metric-read-latency-accurate")
def test_times_of_reads_are_those_seen(metered: Metered, observe: Observe) -> None:
    observe_each(observe, "metric_mismatch", reads_off(metered), figure="read-latency")


@pytest.mark.criterion("metric-delivery-failure-accurate")
def test_failed_deliveries_are_those_made(metered: Metered, observe: Observe) -> None:
    observe_each(observe, "metric_mismatch", deliveries_off(metered), figure="deliveries")


@pytest.mark.criterion("metric-posts-rate-window")
def test_the_rate_follows_the_load(metered: Metered, observe: Observe) -> None:
    observe_each(observe, "metric_mismatch", rate_off(metered), figure="posts-rate")


@pytest.mark.criterion("metric-duration-accurate")
def test_times_of_requests_are_those_seen(metered: Metered, observe: Observe) -> None:
    observe_each(observe, "metric_mismatch", requests_off(metered), figure="durations")


@pytest.mark.criterion("metric-counters-nondecreasing")
def test_counters_never_fall(metered: Metered, observe: Observe) -> None:
    observe_each(observe, "metric_mismatch", fallen(metered), figure="counters")
