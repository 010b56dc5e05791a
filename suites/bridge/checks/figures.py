"""How the figures of `/metrics` differ from what the suite did, and from what callers saw."""

from __future__ import annotations

from itertools import pairwise
from statistics import fmean, median

from suites.bridge.scenarios.metered import (
    READS,
    RESULTS,
    SLOW_S,
    SLOWER,
    STEP,
    Metered,
)
from suites.bridge.views.exposition import Between
from suites.bridge.views.said import not_done

_TAIL_S = 0.3  # that all requests together may take after they were answered
STATES = ("active", "blocked", "closed")


def between(said: float, least: float, most: float) -> str:
    """What is wrong with a time that is told: it took as long as the store, no longer than callers.

    What callers wait for besides, on a busy machine, is not the service's.
    """
    right = least * 0.95 <= said <= most * 1.2 + 0.001
    shown = f"the store took {least:.4f} s and callers waited {most:.4f} s"
    return "" if right else f"/metrics says {said:.4f} s, {shown}"


def worked(metered: Metered, part: str) -> Between:
    """A part of the workload; raises NoValueError where it was not done."""
    if part not in metered.parts:
        not_done(f"no {part} were provoked", "rehearse it, where it may be")
    return metered.parts[part]


def rose(part: Between, wanted: float, name: str, *, exact: bool, **labels: str) -> str:
    """What is wrong with how much a counter rose; others may have been at work."""
    risen = part.rose(name, **labels)
    right = risen == wanted if exact else risen >= wanted
    return "" if right else f"{name} rose by {risen:g}, and {wanted:g} were made"


def posts_off(metered: Metered) -> dict[str, str]:
    """How posts differ from those accepted; a replay is no message, a read is none either."""
    return {
        "posts": rose(
            metered.parts["posts"],
            metered.done["posts"],
            "messages_posted_total",
            exact=metered.exact,
        ),
        "reads": rose(metered.parts["reads"], 0, "messages_posted_total", exact=metered.exact),
    }


def threads_off(metered: Metered) -> dict[str, str]:
    """How threads differ from those that are listed."""
    look = metered.parts["states"].after
    problems = {}
    for state in STATES:
        said, listed = look.sum("threads", state=state), metered.states.get(state, 0)
        problems[state] = "" if said == listed else f"/metrics says {said:g}, {listed} are listed"
    total = look.sum("threads")
    listed = sum(metered.states.values())
    problems["all"] = "" if total == listed else f"/metrics says {total:g}, {listed} are listed"
    return problems


def wakes_off(metered: Metered) -> dict[str, str]:
    """How wakes differ from those made: each outcome was set up in the runtime, some times."""
    part = worked(metered, "wakes")
    problems = {
        result: rose(
            part, metered.outcomes[result], "wake_attempts_total", exact=True, result=result
        )
        for result in RESULTS
    }
    polled, name = metered.outcomes["failed"], "polling_fallbacks_total"
    attempted = sum(metered.outcomes.values()) - metered.outcomes["already_active"]
    waited = part.rose("message_to_wake_seconds_sum")
    deferred = part.after.sum("deferred_triggers")
    return problems | {
        "polled": rose(part, polled, name, exact=True, reason="no-ack"),
        "polled in all": rose(part, polled, name, exact=True),
        "attempted": rose(part, attempted, "message_to_wake_seconds_count", exact=True),
        "waited": "" if 0 <= waited <= attempted else f"first attempts took {waited:g} s in all",
        "deferred": f"{deferred:g} are said to wait for a human" if deferred else "",
    }


def loops_off(metered: Metered) -> dict[str, str]:
    """How loops differ from those provoked."""
    loops, wakes = worked(metered, "loops"), worked(metered, "wakes")
    return {
        "loops": rose(loops, metered.done["loops"], "loop_detections_total", exact=True),
        "wakes": rose(wakes, 0, "loop_detections_total", exact=True),
    }


def escalations_off(metered: Metered) -> dict[str, str]:
    """How escalations differ from those made."""
    part, name = metered.parts["escalations"], "escalations_total"
    by_hand, exact = metered.done["escalated"], metered.exact
    problems = {
        "operator": rose(part, by_hand, name, exact=exact, source="operator"),
        "day": rose(part, by_hand, "escalations_per_day", exact=exact),
    }
    if "next day" in metered.parts:
        left = metered.parts["next day"].after.sum("escalations_per_day")
        problems["next day"] = f"a day later it is {left:g}, not 0" if left else ""
    if "loops" in metered.parts:
        loops, automatic = metered.parts["loops"], metered.done["automatic"]
        problems["automatic"] = rose(loops, automatic, name, exact=exact, source="automatic")
        problems["not operator"] = rose(loops, 0, name, exact=exact, source="operator")
    return problems


def reads_off(metered: Metered) -> dict[str, str]:
    """How times of reads differ from those that the store took, and from those seen."""
    part = metered.parts["reads"]
    middle = part.after.sum("read_latency_seconds", quantile="0.5")
    high = part.after.sum("read_latency_seconds", quantile="0.95")
    store = [SLOW_S] * (READS - SLOWER) + [2 * SLOW_S] * SLOWER
    mean = part.rose("read_latency_seconds_sum") / part.rose("read_latency_seconds_count")
    return {
        "order": "" if 0 < middle <= high else f"the median is {middle}, the p95 {high}",
        "median": between(middle, SLOW_S, median(metered.read_s)) if metered.exact else "",
        "p95": between(high, 2 * SLOW_S, max(metered.read_s)) if metered.exact else "",
        "mean": between(mean, fmean(store), fmean(metered.read_s)) if metered.exact else "",
        "count": rose(
            part, metered.done["reads"], "read_latency_seconds_count", exact=metered.exact
        ),
    }


def deliveries_off(metered: Metered) -> dict[str, str]:
    """How deliveries differ from those made."""
    part = worked(metered, "wakes")
    failed, delivered = "message_delivery_failures_total", "message_deliveries_total"
    return {
        "failed": rose(part, metered.failed, failed, exact=True),
        "deliveries": rose(part, metered.delivered, delivered, exact=True),
        "loops": rose(worked(metered, "loops"), 0, failed, exact=True),
    }


def rate_off(metered: Metered) -> dict[str, str]:
    """How the rate of a minute differs from the load that was made."""
    if not metered.rates:
        not_done("no step of load was made on a quiet service", "rehearse it, where it may be")
    wanted = {"quiet": 0.0, "step": float(STEP), "after": 0.0}
    return {
        moment: "" if abs(said - wanted[moment]) < 1 else f"it is {said:g}, not {wanted[moment]:g}"
        for moment, said in metered.rates
    }


def requests_off(metered: Metered) -> dict[str, str]:
    """How requests and their times differ from what callers saw.

    No more than callers waited, and at least a third of it: the rest is the wire's.
    """
    whole = Between(metered.parts["begin"].after, metered.parts["reads"].after)
    said = whole.rose("http_request_duration_seconds_sum")
    seen = sum(metered.waited_s)
    made = metered.done["requests"]
    right = seen * 0.2 <= said <= seen * 1.2 + _TAIL_S if metered.exact else said >= seen * 0.2
    return {
        "sum": "" if right else f"/metrics says {said:.3f} s, callers waited {seen:.3f} s",
        "count": rose(whole, made, "http_request_duration_seconds_count", exact=metered.exact),
        "requests": rose(whole, made, "http_requests_total", exact=metered.exact),
        "posts": rose(
            whole,
            metered.done["posts"] + 1,  # and a replay
            "http_requests_total",
            exact=metered.exact,
            method="POST",
            route="/v1/threads/{thread_id}/messages",
            status="201",
        ),
        "refused": rose(
            whole,
            metered.done["refused"],
            "http_requests_total",
            exact=metered.exact,
            status="404",
        ),
    }


def fallen(metered: Metered) -> dict[str, str]:
    """Which counters fell between two looks."""
    looks = metered.scrapes
    problems = {}
    for number, (before, after) in enumerate(pairwise(looks)):
        fell = Between(before, after).fell()
        problems[f"look {number}"] = f"{fell[0]} fell" if fell else ""
    if not looks[0].counters():
        not_done("/metrics has no counter", "export some")
    return problems
