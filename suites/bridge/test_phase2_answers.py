"""What the bridge answers, held against what it and the release before have promised of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from pytest_rollout import Stage
from suites.bridge.views import described, papers
from suites.bridge.views.errors import code
from suites.bridge.views.schemas import operations
from suites.bridge.views.service import Agent, Bridge

pytestmark = [pytest.mark.bridge_phase2, pytest.mark.effect("change")]

Asked = tuple[
    Agent, str, dict[str, str], object
]  # who asks for which operation, of what, with what


def untrue(answer: httpx.Response, promised: Mapping[str, Any], whole: Mapping[str, Any]) -> str:
    """What of an answer is not as a document has promised; empty: all is."""
    said = promised["responses"].get(str(answer.status_code))
    if said is None or answer.status_code >= 400:
        return f"it is answered {answer.status_code}: {answer.text:.120}"
    shape = said.get("content", {}).get("application/json", {}).get("schema")
    if shape is None:
        return "it has a body" if answer.content else ""
    if not answer.headers.get("content-type", "").startswith("application/json"):
        return f"it is {answer.headers.get('content-type')}"
    schema = {**shape, "components": whole.get("components", {})}
    wrong = next(iter(Draft202012Validator(schema).iter_errors(answer.json())), None)
    return "" if wrong is None else f"{wrong.json_path}: {wrong.message:.120}"


@pytest.mark.criterion("additive-minor-changes")
def test_the_description_can_be_used(repository: Path, schema: Mapping[str, Any]) -> None:
    """Clients are generated from it: each reference leads somewhere, each part has a schema."""
    for name, document in {
        "what is served": schema,
        "that of the release before": papers.structured(repository, papers.SCHEMA_BEFORE),
    }.items():
        wrong = [f"{of}: {flaw}" for of, flaw in described.flaws(document).items() if flaw]
        assert not wrong, f"OpenAPI, {name}: {'; '.join(wrong[:4])}"
    loose = described.loose(schema)
    assert not loose, f"what {loose[0]} answers may hold anything"


@pytest.mark.criterion("additive-minor-changes")
def test_the_answers_are_as_promised(
    phase: Stage, bridge: Bridge, repository: Path, schema: Mapping[str, Any]
) -> None:
    """Each operation, about a thread that holds something of each kind."""
    before = dict(papers.structured(repository, papers.SCHEMA_BEFORE))
    places = {
        str(said["operationId"]): (method, path, said)
        for method, path, said in operations(schema)
        if path.startswith("/v1/")
    }
    promised = {(method, path): said for method, path, said in operations(before)}
    asked = _asked(phase, bridge)
    if phase.embedded:
        unasked = sorted(places.keys() - {name.partition(" ")[0] for _, name, _, _ in asked})
        assert not unasked, f"nobody asks for {unasked}"
    for agent, name, parts, body in asked:
        method, path, said = places[name.partition(" ")[0]]
        address = path
        for part, value in parts.items():
            address = address.replace(f"{{{part}}}", value)
        answer = agent.ask(method.upper(), address, body)
        wrong = untrue(answer, said, schema)
        if not wrong and (method, path) in promised:
            wrong = untrue(answer, promised[method, path], before)
        assert not wrong, f"{name} is not answered as promised: {wrong}"


def _asked(phase: Stage, bridge: Bridge) -> list[Asked]:
    """A request for each operation, in an order in which all of them work."""
    operator, boss = bridge.operator, bridge.agent("suite-boss", "coordinator")
    reviewer = {"agent": "suite-bob", "role": "reviewer"}
    members = ["suite-ann", reviewer, boss.name]
    thread = operator.opened("promised", members, lane="autonomous", project="suite promised")
    here = {"thread_id": thread}
    ann = bridge.agent("suite-ann")
    ann.posted(thread, "this is not right yet", kind="finding")
    asked: list[Asked] = [
        (operator, "create_thread", {}, {"title": "t", "participants": ["suite-ann"]}),
        (operator, "post_message", here, {"text": "to all"}),
        (operator, "post_message to one", here, {"text": "to one", "to": ["suite-ann"], "more": 1}),
        (ann, "preview_recipients", here, {"to": {"role": "reviewer"}}),
        (operator, "add_participant", here, {"agent": "suite-dan"}),
        (operator, "add_participant again", here, {"participant": "suite-dan"}),
        (operator, "remove_participant", {**here, "participant": "suite-dan"}, None),
        (ann, "mark_read", here, {"seq": 1}),
        (boss, "assign", here, {"agent": "suite-ann", "task": "correct it"}),
        (boss, "hand_over", here, {"agent": "suite-dan"}),
        (boss, "summarise", here, None),
        (operator, "change_status", here, {"state": "blocked", "reason": "a trial"}),
        (ann, "read_inbox", {}, None),
        *((operator, name, {}, None) for name in ("list_threads", "get_policy", "list_triggers")),
        *((operator, name, {}, None) for name in ("list_runtime_sessions", "list_escalations")),
        *((operator, name, {}, None) for name in ("list_alerts", "read_workspace_audit")),
        *((operator, name, here, None) for name in ("get_thread", "read_messages", "read_audit")),
        *((operator, name, here, None) for name in ("read_triggers", "read_health")),
        (operator, "read_thread_escalations", here, None),
    ]
    asked += _of_operators(phase, bridge, thread)
    asked.append((operator, "override_close", here, {"reason": "human_override: a trial"}))
    other = {"thread_id": boss.opened("an old form")}
    return [*asked, (boss, "close_thread", other, {"reason": "done"})]


def _of_operators(phase: Stage, bridge: Bridge, thread: str) -> list[Asked]:
    """What only operators may: settings, which stay as they are, and stepping in."""
    operator = bridge.operator
    operator.change(thread, "blocked", "so that there is an escalation")
    (raised,) = operator.get(f"/v1/threads/{thread}/escalations").each("escalations")
    operator.change(thread, "active")
    mode = operator.get("/v1/policy").inner("config").text("wake_mode")
    for_ever = {"messages_after_days": None, "action": "archive"}
    asked: list[Asked] = [
        (
            operator,
            "handle_escalation",
            {"escalation_id": raised.text("id")},
            {"note": "seen to"},
        ),
        (operator, "set_wake_mode", {}, {"wake_mode": mode, "reason": "a trial"}),
        (operator, "set_retention", {}, for_ever),
        (operator, "sweep_retention", {}, None),
        (operator, "read_archive", {}, None),
        (operator, "set_filters", {}, {"rules": [{"id": "a", "pattern": "zq+", "action": "mask"}]}),
        (operator, "set_filters away", {}, {"rules": []}),
    ]
    if phase.embedded:
        asleep = {"managed": True, "state": "dormant", "heartbeat_age_s": 60, "ack_after_s": 1}
        phase.operate("bridge", "session", agent="suite-typist", **asleep)
        phase.operate("bridge", "type", agent="suite-typist")
        there = operator.opened("beside a human", ["suite-typist"])
        operator.posted(there, "please look")
        (waits,) = operator.triggers(there)
        trigger = {"trigger_id": waits.text("id")}
        asked.append((operator, "override_trigger", trigger, {"reason": "a trial"}))
    return asked


@pytest.mark.criterion("additive-minor-changes")
def test_refusals_are_as_promised(bridge: Bridge, schema: Mapping[str, Any]) -> None:
    """One of each status: it is among those that are described, and has the form of an error."""
    ann, operator = bridge.agent("suite-ann"), bridge.operator
    thread = ann.opened("to be refused")
    closed = operator.opened("to be closed")
    operator.change(closed, "closed", "done")
    path, nobody = f"/v1/threads/{thread}/messages", bridge.with_token("")
    refused = {
        400: ann.ask("POST", path, {"text": 7}),
        401: nobody.ask("POST", path, {"text": "x"}),
        403: ann.ask("POST", path, {"text": "x", "from": "suite-bob"}),
        404: bridge.agent("suite-eve").ask("POST", path, {"text": "x"}),
        409: operator.ask("POST", f"/v1/threads/{closed}/messages", {"text": "x"}),
    }
    promised = schema["paths"]["/v1/threads/{thread_id}/messages"]["post"]["responses"]
    for status, answer in refused.items():
        assert answer.status_code == status, f"it is answered {answer.status_code}, not {status}"
        said = promised.get(str(status))
        assert said is not None, f"OpenAPI does not say that a post may be answered {status}"
        form = described.resolved(str(said.get("$ref")), schema) or said
        shape = form["content"]["application/json"]["schema"]
        whole = {**shape, "components": schema["components"]}
        wrong = next(iter(Draft202012Validator(whole).iter_errors(answer.json())), None)
        assert wrong is None, f"{code(answer)} is not as described: {wrong and wrong.message:.120}"
        empty = next(iter(Draft202012Validator(whole).iter_errors({"error": {"code": 1}})), None)
        assert empty is not None, "the description of errors lets anything pass"
    how = refused[401].headers.get("WWW-Authenticate", "")
    assert how.startswith("Bearer"), f"who one is is to be said by {how or 'nothing'}"
    not_there = ann.ask("PATCH", path, {})
    assert not_there.status_code == 405, f"PATCH is answered {not_there.status_code}"
    assert {"GET", "POST"} <= set(not_there.headers.get("Allow", "").split(", "))
    assert code(not_there) == "METHOD_NOT_ALLOWED", f"it is {code(not_there)}"
