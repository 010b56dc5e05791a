"""The MCP layer, by the official client: each operation is there, and answers as over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from pytest_rollout import Observe, Stage, scenario
from suites.bridge.views.operations import operations
from suites.bridge.views.service import Agent, Bridge
from suites.bridge.views.tools import Call, said, spoken

pytestmark = [pytest.mark.bridge_messages, pytest.mark.bridge_phase1]


@dataclass(frozen=True, slots=True)
class Pairs:
    """The tools that are listed, and of each operation the answers over both ways."""

    listed: list[str]
    both: dict[str, tuple[tuple[int, Any], tuple[int, Any]]]


@scenario(effect="change")
def pairs(phase: Stage) -> Pairs:
    """Each operation once over HTTP and once over MCP, on two threads that are alike."""
    bridge = Bridge.of(phase)
    operator = bridge.operator
    here, there = (operator.opened("over both", ["suite-ann"]) for _ in range(2))
    plan = planned(here, there)
    over_http = {name: _http(operator, *request) for name, (request, _) in plan.items()}
    calls = [(f"v1_{name.partition(' ')[0]}", arguments) for name, (_, arguments) in plan.items()]
    listed, answers = spoken(phase, operator.token, calls)
    over_mcp = dict(zip(plan, map(said, answers), strict=True))
    return Pairs(listed, {name: (over_http[name], over_mcp[name]) for name in plan})


_BLOCK = {"state": "blocked", "reason": "a trial"}
_TO_ANN = {"text": "to ann", "to": ["suite-ann"]}
_MARK = {"agent": "suite-ann", "seq": 1}
_BOB = {"agent": "suite-bob"}
_CLOSE = {"reason": "human_override: a trial"}
# Of each operation on a thread: name, method, the end of its address, its body, and what MCP takes
# besides the body and the thread.
ON_A_THREAD: tuple[tuple[str, str, str, Mapping[str, object] | None, Mapping[str, object]], ...] = (
    ("add_participant", "POST", "/participants", _BOB, {}),
    ("post_message", "POST", "/messages", {"text": "hello", "kind": "task"}, {}),
    ("post_message again", "POST", "/messages", _TO_ANN, {}),
    ("read_messages", "GET", "/messages?limit=1", None, {"limit": 1}),
    ("preview_recipients", "POST", "/recipients", {"from": "suite-bob"}, {}),
    ("mark_read", "POST", "/read-mark", _MARK, {}),
    ("get_thread", "GET", "", None, {}),
    ("remove_participant", "DELETE", "/participants/suite-bob", None, {"participant": "suite-bob"}),
    ("change_status", "POST", "/status", _BLOCK, {}),
    ("change_status again", "POST", "/status", _BLOCK, {}),
    ("post_message bad", "POST", "/messages", {"text": ""}, {}),
    ("override_close", "POST", "/override-close", _CLOSE, {}),
    ("read_audit", "GET", "/audit", None, {}),
)


def planned(
    here: str, there: str
) -> dict[str, tuple[tuple[str, str, object], Mapping[str, object]]]:
    """Of each operation: the request over HTTP, and the arguments over MCP."""
    plan: dict[str, tuple[tuple[str, str, object], Mapping[str, object]]] = {
        "create_thread": (("POST", "/v1/threads", {"title": "t"}), {"title": "t"}),
        "get_thread nowhere": (("GET", "/v1/threads/no-such", None), {"thread_id": "no-such"}),
        "get_policy": (("GET", "/v1/policy", None), {}),
    }
    for name, method, end, body, more in ON_A_THREAD:
        arguments = {"thread_id": there, **(body or {}), **more}
        plan[name] = (method, f"/v1/threads/{here}{end}", body), arguments
    return plan


def _http(agent: Agent, method: str, path: str, body: object) -> tuple[int, Any]:
    answer = agent.ask(method, path.partition("?")[0], body, params=_query(path))
    return answer.status_code, answer.json() if answer.content else None


def _query(path: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in path.partition("?")[2].split("&") if part)


CHANGES = ("id", "thread_id", "request_id", "correlation_id", "next_cursor", "target", "at")


def alike(body: Any) -> Any:
    """A body without what differs between two threads that are alike."""
    if isinstance(body, dict):
        return {
            key: "…" if key in CHANGES or key.endswith("_at") else alike(value)
            for key, value in body.items()
        }
    return [alike(value) for value in body] if isinstance(body, list) else body


@pytest.mark.criterion("mcp-layer-parity")
def test_mcp_answers_as_http(
    pairs: Pairs, bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    for name, (http, mcp) in pairs.both.items():
        same = (http[0], alike(http[1])) == (mcp[0], alike(mcp[1]))
        observe("mcp_differs", int(not same), operation=name, way="called", at=moment)
        assert same, f"{name}: HTTP says {http!r:.200}, MCP says {mcp!r:.200}"
    for operation in operations(bridge):
        if not operation.streams:
            missing = f"v1_{operation.name}" not in pairs.listed
            observe("mcp_differs", int(missing), operation=operation.name, way="listed", at=moment)
            assert not missing, f"MCP lists no v1_{operation.name}"


@pytest.mark.criterion("mcp-layer-parity")
@pytest.mark.effect("change")
def test_mcp_has_the_same_effects_and_refusals(phase: Stage, bridge: Bridge) -> None:
    ann, key = bridge.agent("suite-ann"), str(uuid4())
    thread = ann.opened("by tools")
    post: Call = (
        "v1_post_message",
        {"thread_id": thread, "text": "by a tool", "idempotency_key": key},
    )
    _, answers = spoken(phase, ann.token, [post, post, ("v1_get_thread", {"thread_id": thread})])
    first, again, told = map(said, answers)
    assert first[0] == 201, f"a post over MCP is answered {first}"
    assert again[1]["id"] == first[1]["id"], "a key over MCP has two effects"
    assert [row.text("text") for row in ann.read(thread)] == ["by a tool"]
    assert told[1]["messages"] == 1
    _, answers = spoken(
        phase, bridge.agent("suite-eve").token, [("v1_read_messages", {"thread_id": thread})]
    )
    assert said(answers[0])[0] == 404, "a stranger reads over MCP"
    _, answers = spoken(phase, "", [("v1_get_thread", {"thread_id": thread})])
    assert said(answers[0])[0] == 401, "without a token MCP serves"


@pytest.mark.criterion("mcp-methods-versioned")
def test_each_method_is_of_version_one(phase: Stage, observe: Observe, moment: datetime) -> None:
    listed, _ = spoken(phase, "", [])
    for name in listed:
        observe("unversioned_method", int(not name.startswith("v1_")), method=name, at=moment)
    assert len(set(listed)) == len(listed), "two methods have one name"
