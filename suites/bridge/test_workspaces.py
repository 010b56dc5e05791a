"""One workspace is served, below /v1 alone; nothing of another one is taken or shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import httpx
import pytest

from pytest_rollout import Observe, Reported, Stage, reported
from suites.bridge.views.errors import code, slips
from suites.bridge.views.operations import operations
from suites.bridge.views.said import not_done
from suites.bridge.views.service import SECRET_WORD, Bridge, private

pytestmark = [pytest.mark.bridge_security, pytest.mark.bridge_phase1, pytest.mark.effect("change")]


@pytest.mark.criterion("cross-workspace-rejected")
def test_each_operation_turns_down_another_workspace(
    bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    ann, thread = private(bridge)
    strange = bridge.with_token(bridge.token("suite-ann", workspace="elsewhere"))
    for operation in operations(bridge):
        wrong = slips(operation.ask(strange, thread), "PERMISSION_DENIED", hidden=(SECRET_WORD,))
        by_path = operation.ask(bridge.operator, thread, {"workspace": "elsewhere"})
        wrong += slips(by_path, "PERMISSION_DENIED", hidden=(SECRET_WORD,))
        observe("foreign_workspace_answered", int(bool(wrong)), operation=operation.name, at=moment)
        assert not wrong, wrong
    assert ann.thread(thread).text("state") == "active", "a request of elsewhere took effect"
    assert len(ann.read(thread)) == 1


@pytest.mark.criterion("single-workspace-domain")
def test_one_workspace_is_served(bridge: Bridge, observe: Observe, moment: datetime) -> None:
    ann, here = bridge.agent("suite-ann"), bridge.workspace
    refused: dict[str, Callable[[], httpx.Response]] = {
        "body of a thread": lambda: ann.ask("POST", "/v1/threads", {"workspace": "elsewhere"}),
        "query of a list": lambda: ann.ask("GET", "/v1/threads", params={"workspace": "elsewhere"}),
        "body of a message": lambda: ann.send(ann.opened(), "x", workspace="elsewhere"),
        "token": lambda: bridge.with_token(bridge.token("suite-ann", workspace="elsewhere")).ask(
            "GET", "/v1/threads"
        ),
        "token of no workspace": lambda: bridge.with_token(
            bridge.token("suite-ann", workspace="")
        ).ask("GET", "/v1/threads"),
    }
    for what, ask in refused.items():
        wrong = slips(ask(), "PERMISSION_DENIED", "UNAUTHENTICATED")
        observe("foreign_workspace_taken", int(bool(wrong)), what=what, at=moment)
        assert not wrong, wrong
    thread = ann.post("/v1/threads", {"workspace": here}).text("id")
    message = ann.posted(thread, "named", workspace=here)
    event = bridge.operator.audit(thread)[0]
    for said in (ann.thread(thread), message, ann.read(thread)[0], event):
        assert said.text("workspace") == here, f"{said.source} names {said['workspace']}"


def as_if_not_there(bridge: Bridge, thread: str) -> None:
    """Demand of each operation that a thread of elsewhere is answered as one that is nowhere."""
    nowhere = "t-no-such-thread"
    for operation in operations(bridge):
        if "/threads/{" not in operation.path or operation.streams:
            continue
        real, made_up = (operation.ask(bridge.operator, where) for where in (thread, nowhere))
        wrong = slips(real, "NOT_FOUND", "INVALID_ARGUMENT")
        assert not wrong, f"of a thread of another workspace {wrong}"
        told = real.text.replace(thread, "ID") == made_up.text.replace(nowhere, "ID")
        same = told and real.status_code == made_up.status_code
        assert same, f"{operation.name} tells a thread of another workspace from one that is not"


@pytest.mark.criterion("cross-workspace-isolation")
def test_nothing_of_another_workspace_is_seen(
    phase: Stage, bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    if not phase.embedded:
        not_done("no rows of another workspace are in the store", "put some where nobody works")
    foreign = Reported(
        phase.operate("bridge", "foreign", workspace="elsewhere", threads=3, messages=4), "foreign"
    )
    hidden = [str(word) for name in ("threads", "agents", "texts") for word in foreign[name]]
    assert len(foreign["threads"]) == 3, "there is nothing that could be seen"
    _, thread = private(bridge)
    operator = bridge.operator
    for operation in operations(bridge):
        if not operation.only_reads or operation.streams:
            continue
        shown = ""
        for place in (thread, *map(str, foreign["threads"][:1])):
            shown += operation.ask(
                operator, place, {"limit": "200"} if "limit" in operation.path else None
            ).text.replace(str(place), "")
        seen = [word for word in hidden if word in shown]
        observe("foreign_row_seen", int(bool(seen)), operation=operation.name, at=moment)
        assert not seen, f"{operation.name} shows {seen[:2]}"
    as_if_not_there(bridge, str(foreign["threads"][0]))
    member = bridge.agent(str(foreign["agents"][0]))
    listed = [row.text("id") for row in member.all("/v1/threads", "threads")]
    listed += [row.text("id") for row in operator.all("/v1/threads", "threads")]
    assert not set(listed) & set(map(str, foreign["threads"])), "a list shows its threads"
    metrics = bridge.client.get("/metrics").text
    seen = [word for word in (*hidden, "elsewhere") if word in metrics]
    counted = {
        state: bridge.metric("threads", state=state) for state in ("active", "blocked", "closed")
    }
    own: dict[str, float] = dict.fromkeys(counted, 0)
    for row in operator.all("/v1/threads", "threads"):
        own[row.text("state")] += 1
    observe("foreign_row_seen", int(bool(seen) or counted != own), operation="metrics", at=moment)
    assert not seen, f"/metrics shows {seen[:2]}"
    assert counted == own, f"/metrics counts {counted} threads, there are {own}"
    assert code(operator.ask("GET", f"/v1/threads/{foreign['threads'][0]}")) == "NOT_FOUND"


@pytest.mark.criterion("api-v1-prefix")
def test_only_v1_is_served(bridge: Bridge, observe: Observe, moment: datetime) -> None:
    ann, thread = private(bridge)
    plain = {"/health", "/ready", "/metrics", "/version", "/openapi.json"}
    said = reported(bridge.client.get("/openapi.json")).inner("paths")
    stray = [path for path in said if not path.startswith("/v1/") and path not in plain]
    assert not stray, f"OpenAPI names addresses outside of /v1: {stray}"
    reads = [
        operation
        for operation in operations(bridge)
        if operation.only_reads and not operation.streams
    ]
    served = 0
    for operation in reads:
        path = operation.at(thread)
        served += ann.ask("GET", path).status_code == 200
        for other in ("", "/v2", "/v0", "/api/v1", "/v1/v1"):
            answer = ann.ask("GET", other + path.removeprefix("/v1"))
            wrong = slips(answer, "NOT_FOUND", hidden=(SECRET_WORD,))
            labels = {"operation": operation.name, "prefix": other or "none"}
            observe("unversioned_served", int(bool(wrong)), **labels, at=moment)
    assert served, "nothing is served below /v1 either"
    for other in ("", "/v2"):
        answer = ann.ask("POST", f"{other}/threads", {"title": "unversioned"})
        assert code(answer) == "NOT_FOUND", f"POST {other}/threads answers {answer.status_code}"
