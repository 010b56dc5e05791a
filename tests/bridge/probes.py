"""What a test sees of a target, by the fault that changes it: one look for each fault."""

from __future__ import annotations

from typing import Any

from tests.bridge.probes_service import SERVICE, Probe, filled
from tests.bridge.target import Bridge


def _seqs(bridge: Bridge, limit: int = 3) -> list[int]:
    thread, cursor, seen = filled(bridge), "", []
    for _ in range(3):
        page = bridge.read("rev", thread, cursor, limit)
        seen += [message["seq"] for message in page["messages"]]
        cursor = page["next_cursor"]
    return seen


def _empty_poll(bridge: Bridge) -> object:
    thread = filled(bridge)
    cursor = bridge.read("rev", thread)["next_cursor"]
    return bridge.read("rev", thread, cursor)["next_cursor"] == cursor


def _garbage(bridge: Bridge) -> object:
    return "error" in bridge.read("rev", filled(bridge), "garbage")


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
    thread = filled(bridge)
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
    thread = filled(bridge)
    bridge.do("op", "POST", f"/threads/{thread}/participants", {"agent": "late"})
    return len(bridge.read("late", thread)["messages"])


def _visible(bridge: Bridge) -> object:
    return len(bridge.read("rev", filled(bridge))["messages"])


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
    return bridge.read("stranger", filled(bridge)).get("messages")


def _foreign(bridge: Bridge) -> object:
    planted = set(bridge.operate("foreign")["threads"])
    listed = bridge.do("op", "GET", "/threads?limit=200").json()["threads"]
    return len(planted & {thread["id"] for thread in listed})


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
    **SERVICE,
}
