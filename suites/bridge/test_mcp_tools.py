"""What MCP says of its tools: the arguments of each are those of its operation over HTTP."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator

from pytest_rollout import Stage, reported
from suites.bridge.views.described import references, resolved
from suites.bridge.views.schemas import operations
from suites.bridge.views.service import Bridge
from suites.bridge.views.tools import Call, said, spoken, tools

pytestmark = [pytest.mark.bridge_messages, pytest.mark.bridge_phase1, pytest.mark.effect("change")]

OWN = {"idempotency_key", "correlation_id"}


@pytest.mark.criterion("mcp-layer-parity")
def test_tools_take_what_operations_take(phase: Stage, bridge: Bridge) -> None:
    """Every part of the address, the query and the body, with the same shape; what is demanded."""
    schema = reported(bridge.client.get("/openapi.json"))
    listed = tools(phase)
    for _, path, told in operations(schema):
        if not path.startswith("/v1/"):
            continue
        tool = listed[f"v1_{told['operationId']}"]
        wrong = shape_problem(tool.input_schema, arguments(told, schema), own(told))
        wrong = wrong or takes_otherwise(tool.input_schema, shapes(told, schema), schema)
        assert not wrong, f"{tool.name}: {wrong}"
        assert len(str(tool.description or "").split()) >= 2, f"{tool.name} says nothing of itself"
        lost = [
            reference
            for reference in references(tool.input_schema)
            if not resolved(reference, tool.input_schema)
        ]
        assert not lost, f"{tool.name} refers to {lost}"
    assert len(listed) == len({str(tool.description) for tool in listed.values()}), (
        "two tools say the same of themselves"
    )


def arguments(told: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, bool]:
    """The arguments of an operation, and whether each is demanded."""
    demanded = {
        str(parameter["name"]): bool(parameter["required"])
        for parameter in told.get("parameters", ())
        if parameter["in"] in ("path", "query")
    }
    body = told.get("requestBody")
    if body is not None:
        shape = body["content"]["application/json"]["schema"]
        shape = resolved(str(shape.get("$ref")), schema) or shape
        needed = shape.get("required", ())
        demanded |= {str(name): name in needed for name in shape.get("properties", {})}
    return demanded


def shapes(told: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What an operation says of each argument, and of the key that it takes."""
    names = {"Idempotency-Key": "idempotency_key"}
    listed = told.get("parameters", ())
    schemas = {
        names.get(parameter["name"], str(parameter["name"])): parameter["schema"]
        for parameter in listed
    }
    if "requestBody" in told:
        shape = told["requestBody"]["content"]["application/json"]["schema"]
        schemas |= (resolved(str(shape.get("$ref")), schema) or shape).get("properties", {})
    return schemas


SAMPLES: tuple[object, ...] = (  # values on both sides of what arguments may be
    *("", "x", "two words", "executor", "king", "blocked", "attended", "archive", "hybrid"),
    *("k" * size for size in (64, 65, 128, 129, 200, 201, 500, 501)),
    *(0, 1, -1, 200, 201, 2**53, 2**53 + 1, 1.5, True, [], {}, [1]),
    *(["suite-ann"], ["suite-ann"] * 65, {"role": "reader"}, {"agent": "suite-ann"}),
)


def takes_otherwise(
    tool: Mapping[str, Any], told: Mapping[str, Mapping[str, Any]], schema: Mapping[str, Any]
) -> str:
    """Which argument a tool takes that its operation refuses, or the other way round."""
    for name, shape in tool["properties"].items():
        mine = Draft202012Validator({**shape, "$defs": tool.get("$defs", {})})
        due = {"type": "string"} if name == "correlation_id" else told[name]
        its = Draft202012Validator({**due, "components": schema["components"]})
        apart = [value for value in SAMPLES if mine.is_valid(value) != its.is_valid(value)]
        if apart:
            return f"it takes {name} {apart[0]!r:.40} otherwise than its operation"
    return ""


def own(told: Mapping[str, Any]) -> set[str]:
    """The arguments that a tool has besides: where its operation takes a key, that and a chain."""
    keyed = any(parameter["name"] == "Idempotency-Key" for parameter in told.get("parameters", ()))
    return OWN if keyed else set()


def shape_problem(shape: Mapping[str, Any], due: Mapping[str, bool], besides: set[str]) -> str:
    """What is wrong with the arguments of a tool; empty where they are those of its operation."""
    Draft202012Validator.check_schema(shape)
    if shape.get("type") != "object" or shape.get("additionalProperties") is not True:
        return f"it takes {shape.get('type')}, others: {shape.get('additionalProperties')}"
    named = set(shape.get("properties", {}))
    if OWN & named != besides:
        return f"of a key and a chain it takes {sorted(OWN & named)}"
    if named - OWN != set(due):
        return f"it takes {sorted(named)}, its operation {sorted(due)}"
    needed = {name for name, demanded in due.items() if demanded}
    if set(shape.get("required", ())) != needed:
        return f"it demands {sorted(shape.get('required', ()))}, its operation {sorted(needed)}"
    loose = [name for name, argument in shape["properties"].items() if argument == {}]
    return f"it takes anything as {loose[0]}" if loose else ""


@pytest.mark.criterion("mcp-layer-parity")
def test_every_operation_answers_over_both_ways(phase: Stage, bridge: Bridge) -> None:
    """Those that only read, on one thread: what MCP says is what HTTP says."""
    operator = bridge.operator
    thread = operator.opened("read by both", ["suite-ann", "suite-bob"], lane="autonomous")
    bridge.agent("suite-ann").posted(thread, "not right yet", kind="finding")
    operator.change(thread, "blocked", "so that there is an escalation")
    schema = reported(bridge.client.get("/openapi.json"))
    asked: dict[str, str] = {
        str(told["operationId"]): path
        for method, path, told in operations(schema)
        if method == "get" and path.startswith("/v1/")
    }
    calls: list[Call] = [
        (f"v1_{name}", {"thread_id": thread} if "{thread_id}" in path else {})
        for name, path in asked.items()
    ]
    _, answers = spoken(phase, operator.token, calls)
    for (name, path), answer in zip(asked.items(), answers, strict=True):
        http = operator.ask("GET", path.replace("{thread_id}", thread))
        status, body = said(answer)
        assert status == http.status_code, f"{name}: {status}, over HTTP {http.status_code}"
        assert body == http.json(), f"{name} says over MCP {body!r:.200}, not {http.text:.200}"
        text = "".join(part.text for part in answer.content)
        right = re.fullmatch(rf"{status}: (done|\S+ .+)", text)
        assert right, f"{name} says in words {text[:60]!r}"


@pytest.mark.criterion("mcp-layer-parity")
def test_a_call_carries_ids_and_is_logged(phase: Stage, bridge: Bridge) -> None:
    """Its correlation id is stored, its key holds over HTTP as well, and the log has a line."""
    ann, key, own = bridge.agent("suite-ann"), str(uuid4()), f"mcp.{uuid4().hex}"
    thread = ann.opened("over tools", ["suite-bob"])
    words: dict[str, Any] = {
        "text": "by a tool",
        "to": ["suite-bob"],
        "kind": "task",
        "invented": [1],
    }
    post: Call = (
        "v1_post_message",
        {"thread_id": thread, **words, "correlation_id": own, "idempotency_key": key},
    )
    wrong: Call = ("v1_post_message", {"thread_id": thread, "text": "x", "idempotency_key": ""})
    nothing: Call = ("v1_no_such_tool", {})
    pages: list[Call] = [
        ("v1_read_messages", {"thread_id": thread, "limit": limit}) for limit in (0, 1)
    ]
    _, answers = spoken(phase, ann.token, [post, wrong, nothing, *pages])
    (status, message), refused, missing, none, page = map(said, answers)
    assert status == 201, f"a post over MCP is answered {status}"
    told = {name: message["extra"] if name == "invented" else message[name] for name in words}
    assert told == {**words, "invented": {"invented": [1]}}, f"it is kept as {told}"
    assert message["correlation_id"] == own, f"its chain is {message['correlation_id']}"
    assert (refused[0], missing[0], none[0], page[0]) == (400, 404, 400, 200)
    assert missing[1]["error"]["code"] == "NOT_FOUND", f"no such tool: {missing[1]}"
    assert [row["id"] for row in page[1]["messages"]] == [message["id"]]
    again = ann.send(thread, key=key, **words)
    assert reported(again).text("id") == message["id"], "a key over MCP is not known over HTTP"
    trigger = next(row for row in bridge.operator.triggers(thread))
    assert trigger.get("correlation_id") == own, f"the trigger's is {trigger['correlation_id']}"
    event = bridge.operator.audit(thread)[-1]
    assert (event.text("action"), event.get("correlation_id")) == ("message.post", own)
    log = (phase.file("logs") / "bridge.jsonl").read_text("utf-8").splitlines()
    lines = [line for line in log if own in line and '"v1_post_message"' in line]
    assert len(lines) == 1, f"a call over MCP leaves {len(lines)} lines of a request"
    for part in ('"method": "MCP"', '"status": 201', '"agent": "suite-ann"', thread):
        assert part in lines[0], f"its line lacks {part}: {lines[0]}"
    risen = bridge.metric("http_requests_total", method="MCP", route="v1_post_message")
    assert risen >= 2, f"/metrics counts {risen:g} calls of the tool"
