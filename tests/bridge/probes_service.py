"""Looks at the service as a whole: bursts, rates, keys, the store, probes, logs and metrics."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.bridge.target import Bridge

Probe = Callable[[Bridge], object]


def filled(bridge: Bridge, count: int = 4) -> str:
    """A thread with messages."""
    thread = bridge.thread("rev", "rd", "co")
    for number in range(count):
        bridge.post("ex", thread, f"n{number}")
    return thread


def _malformed(count: int) -> Probe:
    def probe(bridge: Bridge) -> object:
        thread = bridge.thread("rev")
        path = f"/v1/threads/{thread}/messages"
        said = {"content": b"[1", "headers": bridge.bearer("ex")}
        answers = [bridge.ask("POST", path, **said).status_code for _ in range(count)]
        return set(answers), bridge.post("ex", thread).status_code

    return probe


def _crowd(bridge: Bridge) -> object:
    headers = {"headers": bridge.bearer("ex")}
    answers = bridge.together([("GET", "/v1/threads", headers)] * 60)
    begun = time.monotonic()
    bridge.ask("GET", "/health")
    return {one.status_code for one in answers}, time.monotonic() - begun > 2


def _served(operation: str, count: int) -> Probe:
    def probe(bridge: Bridge) -> object:
        thread = bridge.thread("rev")
        path = f"/v1/threads/{thread}/messages"
        request: dict[str, Any] = {"headers": bridge.bearer("ex")}
        if operation == "POST":
            request["json"] = {"text": "x"}
        return {bridge.ask(operation, path, **request).status_code for _ in range(count)}

    return probe


def _slower(bridge: Bridge) -> object:
    thread = filled(bridge, 60)
    begun = time.monotonic()
    for _ in range(3):
        bridge.read("ex", thread, limit=1)
    return time.monotonic() - begun > 0.17


def _rate(bridge: Bridge) -> object:
    thread = bridge.thread("rev")
    answers = [bridge.post("ex", thread).status_code for _ in range(122)]
    bridge.wait(61)
    return answers[-1], bridge.post("ex", thread).status_code


def _retried(bridge: Bridge) -> object:
    thread = bridge.thread("rev")
    bridge.operate("fail-writes", times=1)
    for _ in range(2):
        bridge.post("ex", thread, key="k")
    return bridge.state(thread)["messages"]


def _replayed(bridge: Bridge) -> object:
    thread = bridge.thread("rev")
    return [bridge.post("ex", thread, key="k").json()["seq"] for _ in range(2)]


def _parallel(key: str) -> Probe:
    def probe(bridge: Bridge) -> object:
        thread = bridge.thread("rev")
        headers = {**bridge.bearer("ex"), **({"Idempotency-Key": key} if key else {})}
        path, request = f"/v1/threads/{thread}/messages", {"json": {"text": "x"}}
        bridge.together([("POST", path, {**request, "headers": headers})] * 24)
        seqs = [one["seq"] for one in bridge.read("ex", thread, limit=200)["messages"]]
        return len(seqs), len(set(seqs))

    return probe


def _restarted(bridge: Bridge) -> object:
    thread = bridge.thread("rev")
    bridge.operate("restart")
    return bridge.do("op", "GET", f"/threads/{thread}").status_code


def _aged(bridge: Bridge) -> object:
    thread = filled(bridge)
    bridge.wait(366 * 86_400)
    return bridge.do("op", "GET", f"/threads/{thread}").status_code, len(bridge.events(thread))


def _write_s(bridge: Bridge) -> object:
    begun = time.monotonic()
    bridge.thread()
    return time.monotonic() - begun > 0.14


def _locked(bridge: Bridge) -> object:
    thread = bridge.thread()
    bridge.operate("lock", hold=True)
    status = bridge.post("ex", thread).status_code
    bridge.operate("lock", hold=False)
    return status


def _probes(bridge: Bridge) -> object:
    seen = [bridge.ask("GET", path).status_code for path in ("/health", "/ready")]
    for off in (True, False):
        bridge.operate("store", off=off)
        seen += [bridge.ask("GET", path).status_code for path in ("/health", "/ready")]
    return seen


def _log(bridge: Bridge) -> object:
    thread = bridge.thread("rd")
    bridge.post("rd", thread)
    lines = bridge.logged("request")
    ids = {line.get("request_id") for line in lines}
    kinds = {name for line in lines for name in line}
    return len(ids) == len(lines), sorted(kinds), len(bridge.logged("policy.denied"))


def _metrics(bridge: Bridge) -> object:
    thread = filled(bridge)
    bridge.do("op", "POST", f"/threads/{thread}/status", {"state": "blocked", "reason": "why"})
    bridge.read("rev", thread)
    bridge.metrics()
    bridge.wait(120)
    said = bridge.metrics()
    slow = {name for name, value in said.items() if "seconds" in name and value > 1}
    counted = ("messages_posted", "threads{", "http_requests_total", "message_posts_total")
    counts = {name: said[name] for name in said if name.startswith(counted)}
    took = any(value > 0 for name, value in said.items() if "duration_seconds_sum" in name)
    return sorted(set(said)), slow - set(counts), counts, took


def _alias(bridge: Bridge) -> object:
    return bridge.ask("GET", "/threads", headers=bridge.bearer("ex")).status_code


SERVICE: dict[Probe, tuple[str, ...]] = {
    _malformed(2): ("malformed-500",),
    _malformed(101): ("malformed-burst-500", "malformed-burst-poisons"),
    _crowd: ("burst-500", "burst-backlog"),
    _served("POST", 51): ("fail-2pct-posts",),
    _served("GET", 101): ("fail-1pct-reads",),
    _slower: ("degrades-with-load",),
    _rate: ("rate-guard-off", "rate-guard-sticky"),
    _retried: ("partial-write-on-error",),
    _replayed: ("idempotency-key-ignored",),
    _parallel("k"): ("idempotency-race",),
    _parallel(""): ("seq-race",),
    _restarted: ("volatile",),
    _aged: ("ttl-purge",),
    _write_s: ("global-lock-slow",),
    _locked: ("lock-timeout-500",),
    _probes: (
        *("service-unhealthy", "health-depends-on-db", "ready-always-503", "ready-always-200"),
        "ready-sticky",
    ),
    _log: ("log-no-request-id", "request-id-constant", "policy-trace-missing", "log-token"),
    _metrics: (
        *("metric-missing-post-total", "metric-missing-read-latency", "metric-missing-requests"),
        *("metric-missing-threads-by-state", "metric-double-counts", "metric-threads-stale"),
        *("metric-latency-wrong-unit", "metric-rate-lifetime-average", "metric-duration-constant"),
        *("metric-counter-resets", "sli-post-failures-missing", "sli-read-failures-missing"),
    ),
    _alias: ("unversioned-alias",),
    lambda bridge: bridge.ask("GET", "/v1/threads").status_code: ("auth-optional",),
}
