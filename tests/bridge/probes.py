"""What a test sees of a target, by the fault that changes it: one look for each fault."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.bridge.target import Bridge

Probe = Callable[[Bridge], object]


def _filled(bridge: Bridge, count: int = 4) -> str:
    thread = bridge.thread("rev", "rd", "co")
    for number in range(count):
        bridge.post("ex", thread, f"n{number}")
    return thread


def _seqs(bridge: Bridge, limit: int = 3) -> list[int]:
    thread, cursor, seen = _filled(bridge), "", []
    for _ in range(3):
        page = bridge.read("rev", thread, cursor, limit)
        seen += [message["seq"] for message in page["messages"]]
        cursor = page["next_cursor"]
    return seen


def _empty_poll(bridge: Bridge) -> object:
    thread = _filled(bridge)
    cursor = bridge.read("rev", thread)["next_cursor"]
    return bridge.read("rev", thread, cursor)["next_cursor"] == cursor


def _garbage(bridge: Bridge) -> object:
    return "error" in bridge.read("rev", _filled(bridge), "garbage")


def _status(*states: str, by: str = "op") -> Probe:
    def probe(bridge: Bridge) -> object:
        path = f"/threads/{bridge.thread('rd')}/status"
        bodies = [{"state": state, "reason": "why"} for state in states]
        return [bridge.do(by, "POST", path, body).status_code for body in bodies]

    return probe


def _post_to_closed(bridge: Bridge) -> object:
    thread = bridge.thread()
    bridge.do("op", "POST", f"/threads/{thread}/status", {"state": "closed"})
    return bridge.post("ex", thread).status_code


def _members(bridge: Bridge) -> object:
    thread, seen = bridge.thread("rev"), []
    path = f"/threads/{thread}/participants"
    for method, address, body in (
        ("POST", path, {"agent": "new"}),
        ("POST", path, {"agent": "new"}),
        ("DELETE", f"{path}/rev", None),
    ):
        bridge.do("op", method, address, body)
        seen.append([each["agent"] for each in bridge.state(thread)["participants"]])
    return seen


def _denied(bridge: Bridge) -> object:
    thread = bridge.thread("rd")
    bridge.do("rd", "POST", f"/threads/{thread}/participants", {"agent": "friend"})
    return len(bridge.state(thread)["participants"])


def _audit(bridge: Bridge) -> object:
    thread = _filled(bridge)
    bridge.do("op", "POST", f"/threads/{thread}/status", {"state": "blocked", "reason": "why"})
    return [(event["seq"], event["action"]) for event in bridge.events(thread)]


def _recipients(bridge: Bridge) -> object:
    said = bridge.post("ex", bridge.thread("rev", "rd")).json()
    return said["recipients"]


def _directed(bridge: Bridge) -> object:
    thread = bridge.thread("rev", "rd")
    bridge.post("ex", thread, to=["rev"])
    return len(bridge.read("rd", thread)["messages"])


def _history(bridge: Bridge) -> object:
    thread = _filled(bridge)
    bridge.do("op", "POST", f"/threads/{thread}/participants", {"agent": "late"})
    return len(bridge.read("late", thread)["messages"])


def _visible(bridge: Bridge) -> object:
    return len(bridge.read("rev", _filled(bridge))["messages"])


def _versions(bridge: Bridge) -> object:
    thread = bridge.thread("rev")
    answers = [bridge.post("ex", thread, schema_version=n) for n in (1, 2, 999)]
    return [(one.status_code, one.json().get("schema_version")) for one in answers]


def _text(bridge: Bridge) -> object:
    thread = bridge.thread("rev")
    bridge.post("ex", thread, "key sk-abc123")
    return [message["text"] for message in bridge.read("rev", thread)["messages"]]


def _fields(bridge: Bridge) -> object:
    thread = bridge.thread("rev")
    message = bridge.post("ex", thread).json()
    return sorted(message), sorted(bridge.state(thread))


def _token(**wanted: Any) -> Probe:
    def probe(bridge: Bridge) -> object:
        header = {"Authorization": f"Bearer {bridge.token('op', **wanted)}"}
        return bridge.ask("GET", "/v1/threads", headers=header).status_code

    return probe


def _forged(bridge: Bridge) -> object:
    header, claims, _ = bridge.token("op").split(".")
    said = {"Authorization": f"Bearer {header}.{claims}.AAAA"}
    return bridge.ask("GET", "/v1/threads", headers=said).status_code


def _sender(bridge: Bridge) -> object:
    return bridge.post("ex", bridge.thread("rev"), **{"from": "rev"}).status_code


def _stranger(bridge: Bridge) -> object:
    return bridge.read("stranger", _filled(bridge)).get("messages")


def _foreign(bridge: Bridge) -> object:
    planted = set(bridge.operate("foreign")["threads"])
    listed = bridge.do("op", "GET", "/threads?limit=200").json()["threads"]
    return len(planted & {thread["id"] for thread in listed})


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
    thread = _filled(bridge, 60)
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
    thread = _filled(bridge)
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
    thread = _filled(bridge)
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


PROBES: dict[Probe, tuple[str, ...]] = {
    _seqs: (
        *("cursor-off-by-one", "cursor-unordered", "cursor-timestamp-based"),
        *("post-ack-not-persisted", "slow-visibility"),
    ),
    _empty_poll: ("cursor-advances-on-empty",),
    _garbage: ("cursor-garbage-accepted",),
    _status("blocked", "active", "closed", "active"): (
        *("thread-create-wrong-state", "transition-unblock-rejected", "transition-reopen-closed"),
    ),
    _status("closed", by="rd"): ("policy-reader-may-close",),
    _post_to_closed: ("closed-accepts-posts",),
    _members: ("participant-add-noop", "participant-remove-noop", "participant-duplicate"),
    _denied: ("denied-but-applied",),
    _audit: ("audit-skip-status", "audit-rewrites"),
    _recipients: ("broadcast-includes-sender", "broadcast-misses-last"),
    _directed: ("directed-leaks",),
    _history: ("per-agent-history-skew",),
    _versions: ("schema-v1-refused", "schema-unknown-accepted", "schema-version-dropped"),
    _text: ("redacts-body",),
    _fields: ("field-removed", "visible-latency-missing"),
    _token(ttl_s=-1): ("exp-unchecked",),
    _token(sub="agent:other"): ("claims-unchecked",),
    _token(workspace="other"): ("workspace-unchecked",),
    _forged: ("signature-unchecked",),
    _sender: ("claims-unchecked",),
    _stranger: ("membership-unchecked",),
    _foreign: ("list-unscoped",),
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
