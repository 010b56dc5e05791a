"""Today: what is asked amiss is refused in words, and each request is in the access log."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import parse_qsl

import pytest

from pytest_rollout import Reported, Stage, reported
from suites.pas.scenarios.client_flow import Flow
from suites.pas.scenarios.contract import DEEPEST, nested
from suites.pas.views.contract import operations
from suites.pas.views.lines import arrived
from suites.pas.views.pas import Pas
from suites.pas.views.recorder import Call

pytestmark = pytest.mark.pas_today

STATUS = "/pas/v1/runs/status"
NO_OBJECT = {
    "half of one": b"{",
    "no text": b"\xff\xfe",
    "nothing": b"",
    "a list": b"[]",
    "too deep": b"[" * 100_000,
}


@pytest.mark.criterion("invalid-body-422", "twelve-endpoints")
@pytest.mark.effect("change")
@pytest.mark.parametrize("path", ["jobcards", "runs/start"])
def test_a_body_that_is_no_object_is_refused(pas: Pas, path: str) -> None:
    for name, content in NO_OBJECT.items():
        headers = {"content-type": "application/json"}
        answer = pas.client.post(f"/pas/v1/{path}", content=content, headers=headers)
        assert answer.status_code == 422, f"{name} is answered {answer.status_code}"
        why = reported(answer, any_status=True).text("detail")
        assert len(why.split()) >= 3, f"{name} is refused with {why!r}"


@pytest.mark.criterion("invalid-body-422", "twelve-endpoints")
@pytest.mark.effect("change")
def test_a_payload_is_nested_so_deep_and_no_deeper(pas: Pas) -> None:
    answers = {
        deep: pas.submit(pas.new_run("deep"), "Narrative", payload=nested(deep)).status_code
        for deep in (DEEPEST, DEEPEST + 1)
    }
    assert answers == {DEEPEST: 200, DEEPEST + 1: 422}, f"payloads so deep are answered {answers}"


@pytest.mark.criterion("twelve-endpoints")
def test_a_status_is_of_a_run(pas: Pas) -> None:
    answer = pas.client.get(STATUS)
    assert answer.status_code == 422, f"a status of no run is answered {answer.status_code}"
    assert reported(answer, any_status=True).text("detail")
    known = operations(reported(pas.client.get("/openapi.json")))[f"GET {STATUS}"]["responses"]
    assert {"200", "404", "422"} <= set(known), f"the documentation knows {sorted(known)}"


@pytest.mark.criterion("twelve-endpoints")
@pytest.mark.effect("change")
@pytest.mark.parametrize("key", ["", "a b", "a\tb"])
def test_a_key_is_of_visible_characters(pas: Pas, key: str) -> None:
    body = {"project_id": pas.project, "run_id": pas.new_run("key"), "lane": "Narrative"}
    answer = pas.client.post("/pas/v1/jobcards", json=body, headers={"Idempotency-Key": key})
    assert answer.status_code == 422, f"the key {key!r} is answered {answer.status_code}"


@pytest.mark.criterion("vp-calls-stub")
def test_the_access_log_has_what_the_client_asked(phase: Stage, flow: Flow) -> None:
    """Each of its requests, in their order, as the recorder before the service saw them."""
    log = arrived(
        phase.file("requests") / "pas.jsonl",
        "access log of PAS",
        lambda entries: _first_missing(flow.calls, entries) is None,
    )
    call = _first_missing(flow.calls, log)
    assert call is None, f"{call.method} {call.path} ({call.status}) is not in the log, or not then"
    assert all(
        line.text("agent") for line in log if line["key"] in {c.key for c in flow.calls if c.key}
    )


def _first_missing(calls: Sequence[Call], log: Sequence[Reported]) -> Call | None:
    """The first request that the log lacks, or has before one that came earlier."""
    logged = iter(log)
    for call in calls:
        asked = (call.method, call.path, dict(call.query), call.status, call.key)
        if not any(asked == _asked(dict(entry)) for entry in logged):
            return call
    return None


def _asked(entry: dict[str, object]) -> tuple[object, ...]:
    query = dict(parse_qsl(str(entry["query"])))
    return (entry["method"], entry["path"], query, entry["status"], entry["key"])


@pytest.mark.criterion("vp-calls-stub")
def test_the_access_log_says_when_and_who(pas: Pas, phase: Stage) -> None:
    agent, now = f"suite-{uuid.uuid4().hex}", phase.target("pas").clock.now()
    pas.client.get(STATUS, params={"run_id": "no-such-run"}, headers={"User-Agent": agent})
    log = arrived(
        phase.file("requests") / "pas.jsonl",
        "access log of PAS",
        lambda entries: any(entry["agent"] == agent for entry in entries),
    )
    mine = [line for line in log if line["agent"] == agent]
    assert len(mine) == 1, f"a request is in the log {len(mine)} times"
    said = (mine[0]["status"], mine[0]["key"], mine[0]["query"])
    assert said == (404, None, "run_id=no-such-run"), f"it is logged as {said}"
    off = abs(mine[0].moment("at") - now)
    assert off < timedelta(minutes=1), f"it is logged {off.total_seconds():g} s off its time"
