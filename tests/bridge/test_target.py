"""The reference target of the bridge: threads, messages, tokens, store and programs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from fixtures.bridge import FAULTS
from fixtures.bridge.mcp.conduct import Toolbox
from fixtures.bridge.mcp.server import tools
from pytest_rollout.targets.reference import Fault
from tests.bridge.target import BEGIN, Bridge, serving


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Bridge]:
    with serving(tmp_path / "target") as target:
        yield target


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_breaks_a_part(name: str) -> None:
    assert FAULTS.planted(Fault.parse(name)) is not None
    assert FAULTS[name].endswith(".")


def test_pages_of_any_size_hold_every_message_once(bridge: Bridge) -> None:
    thread = bridge.thread("rev", "rd")
    for number in range(23):
        bridge.post("ex", thread, f"n{number}", to=["rev"] if number % 5 == 0 else None)
    for reader, expected in (
        ("rev", range(1, 24)),
        ("rd", [n for n in range(1, 24) if n % 5 != 1]),
    ):
        for limit in (1, 2, 7, 23, 200):
            seen, cursor, more = [], "", True
            while more:
                page = bridge.read(reader, thread, cursor, limit)
                seen += [message["seq"] for message in page["messages"]]
                cursor, more = page["next_cursor"], page["has_more"]
            assert seen == list(expected)
            assert bridge.read(reader, thread, cursor)["next_cursor"] == cursor


def test_a_cursor_is_only_what_the_list_gave(bridge: Bridge) -> None:
    here, there = bridge.thread("rev"), bridge.thread("rev")
    bridge.post("ex", here)
    bridge.post("ex", there)
    foreign = bridge.read("ex", there)["next_cursor"]
    for cursor in ("garbage", foreign, foreign + "=", foreign[:-1], "MDow", "%D9%A3"):
        assert bridge.read("ex", here, cursor)["error"]["code"] == "INVALID_ARGUMENT"


def test_posts_at_the_same_time_are_numbered_without_gaps(bridge: Bridge) -> None:
    thread = bridge.thread("a", "b", "c")
    headers = [bridge.bearer(agent) for agent in "abc"]
    path = f"/v1/threads/{thread}/messages"
    requests = [
        ("POST", path, {"json": {"text": "x"}, "headers": headers[n % 3]}) for n in range(90)
    ]
    answers = bridge.together(requests)
    assert sorted(answer.json()["seq"] for answer in answers) == list(range(1, 91))


def test_a_key_has_one_effect_also_at_the_same_time(bridge: Bridge) -> None:
    thread = bridge.thread("rev")
    said = {"json": {"text": "once"}, "headers": {**bridge.bearer("ex"), "Idempotency-Key": "k"}}
    answers = bridge.together([("POST", f"/v1/threads/{thread}/messages", said)] * 32)
    assert len({answer.text for answer in answers}) == 1
    assert sum("Idempotent-Replay" in answer.headers for answer in answers) == 31
    assert bridge.state(thread)["messages"] == 1
    assert bridge.post("ex", thread, "other", key="k").status_code == 409
    assert bridge.post("rev", thread, "other", key="k").status_code == 201


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_retry_after_a_failure_keeps_one_message(bridge: Bridge, when: str) -> None:
    thread = bridge.thread("rev")
    bridge.operate("fail-writes", times=1, when=when)
    assert bridge.post("ex", thread, key="k").status_code == 503
    assert bridge.state(thread)["messages"] == (when == "after")
    assert bridge.post("ex", thread, key="k").status_code == 201
    assert bridge.state(thread)["messages"] == 1


def test_the_rate_guard_counts_what_was_accepted(bridge: Bridge) -> None:
    thread = bridge.thread("rev")
    bridge.operate("fail-writes", times=3)
    answers = [bridge.post("ex", thread).status_code for _ in range(124)]
    assert [answers.count(status) for status in (503, 201, 429)] == [3, 120, 1]
    assert bridge.post("rev", thread).status_code == 201
    bridge.wait(59.9)
    assert bridge.post("ex", thread).status_code == 429
    bridge.wait(0.1)
    assert bridge.post("ex", thread).status_code == 201


def test_a_locked_store_is_unavailable_for_writers_alone(bridge: Bridge) -> None:
    thread = bridge.thread("rev")
    bridge.operate("lock", hold=True)
    answer = bridge.post("ex", thread)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert bridge.do("ex", "GET", f"/threads/{thread}").status_code == 200
    bridge.operate("lock", hold=False)
    assert bridge.post("ex", thread).status_code == 201


def test_readiness_follows_the_database_and_health_does_not(bridge: Bridge) -> None:
    probes = ("/health", "/ready", "/metrics")
    bridge.operate("store", off=True)
    assert [bridge.ask("GET", path).status_code for path in probes] == [200, 503, 200]
    assert bridge.do("ex", "GET", "/threads").status_code == 503
    bridge.operate("store", off=False)
    assert [bridge.ask("GET", path).status_code for path in probes] == [200, 200, 200]


def test_a_restart_keeps_everything(bridge: Bridge) -> None:
    thread = bridge.thread("rev", project="p")
    bridge.post("ex", thread, key="k")
    paths = [f"/threads/{thread}{part}" for part in ("", "/messages", "/audit", "/triggers")]
    before = [bridge.do("op", "GET", path).text for path in paths]
    bridge.operate("restart")
    assert [bridge.do("op", "GET", path).text for path in paths] == before
    assert bridge.post("ex", thread, key="k").headers["Idempotent-Replay"] == "true"


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"ttl_s": 0}, 401),
        ({"ttl_s": 0.5}, 200),
        ({"workspace": "other"}, 403),
        ({"sub": "agent:rev"}, 401),
        ({"drop": ["exp"]}, 401),
        ({"claims": {"iss": "me"}}, 401),
        ({"claims": {"exp": True}}, 401),
        ({"role": "executioner"}, 200),
        ({"role": "owner"}, 401),
    ],
)
def test_a_token_must_hold(bridge: Bridge, wanted: dict[str, Any], status: int) -> None:
    token = bridge.token("ex", **wanted)
    answer = bridge.ask("GET", "/v1/threads", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == status


def test_keys_are_kept_while_the_issuer_is_off(bridge: Bridge) -> None:
    statuses = [bridge.do("ex", "GET", "/threads").status_code]
    bridge.operate("issuer", off=True)
    for seconds in (299.9, 0.1):
        bridge.wait(seconds)
        statuses.append(bridge.do("ex", "GET", "/threads").status_code)
    bridge.operate("issuer", off=False, rotate=True)
    statuses.append(bridge.do("ex", "GET", "/threads").status_code)
    assert statuses == [200, 200, 503, 200]


def test_bodies_are_kept_to_the_character(bridge: Bridge) -> None:
    thread = bridge.thread("rev")
    for text in ("\0 x", " \t", "sk-12345", "\U0001f600‮", "a" * 32_768, "%s {0} ?"):
        extra = {"deep": [{"a": None, "é": 1.5}], "id": "mine"}
        answer = bridge.post("ex", thread, text, **extra)
        assert answer.status_code == 201
        kept = bridge.read("rev", thread, limit=200)["messages"][-1]
        assert (kept["text"], kept["extra"]) == (text, extra)
        assert kept == answer.json()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b'{"text": 5}',
        b'{"text": ""}',
        b'{"text": "a", "x": NaN}',
        b'{"text": "a", "x": 1e999}',
        b'{"text": "\\ud800"}',
        b'{"text": "a", "\\udfff": 1}',
        b"[" * 90_000,
        b"\xff\xfe",
        b'{"text": "a", "x": ' + b"[" * 20 + b"]" * 20 + b"}",
        b'{"text": "' + b"a" * 262_144 + b'"}',
        b'{"text": "a", "schema_version": 3}',
        b'{"text": "a", "schema_version": true}',
        b'{"text": "a", "to": []}',
        b'{"text": "a", "reply_to": "m-0"}',
    ],
)
def test_malformed_bodies_get_one_answer_and_leave_nothing(bridge: Bridge, content: bytes) -> None:
    thread = bridge.thread("rev")
    said = {"content": content, "headers": bridge.bearer("ex")}
    answers = bridge.together([("POST", f"/v1/threads/{thread}/messages", said)] * 3)
    assert {answer.status_code for answer in answers} == {400}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["error"]["code"] == "INVALID_ARGUMENT"
    assert bridge.state(thread)["last_seq"] == 0


def test_every_change_leaves_one_event_and_nothing_else_does(bridge: Bridge) -> None:
    thread = bridge.thread("rev", "rd")
    path = f"/threads/{thread}"
    changes: list[tuple[str, str, str, Any]] = [
        ("co", "GET", path, None),
        ("op", "POST", f"{path}/participants", {"participant": "new"}),
        ("op", "POST", f"{path}/participants", {"participant": "new"}),
        ("rd", "POST", f"{path}/messages", {"text": "no"}),
        ("ex", "POST", f"{path}/messages", {"text": "yes"}),
        ("rev", "POST", f"{path}/read-mark", {"seq": 9}),
        ("rev", "POST", f"{path}/read-mark", {"seq": 1}),
        ("op", "DELETE", f"{path}/participants/new", None),
        ("ex", "POST", f"{path}/status", {"state": "blocked", "reason": "why"}),
        ("ex", "POST", f"{path}/status", {"state": "active"}),
        ("op", "POST", f"{path}/override-close", {"reason": "human_override: enough"}),
    ]
    statuses = [bridge.do(*change).status_code for change in changes]
    assert statuses == [404, 201, 200, 403, 201, 200, 200, 204, 200, 403, 200]
    assert [event["action"] for event in bridge.events(thread)] == [
        *("thread.create", "participant.add", "message.post", "participant.read"),
        *("participant.remove", "thread.block", "thread.override_close"),
    ]
    assert bridge.do("new", "GET", path).status_code == 403


def test_an_open_finding_keeps_a_thread_open(bridge: Bridge) -> None:
    thread = bridge.thread("rev")
    bridge.post("rev", thread, "wrong", kind="finding")
    close = f"/threads/{thread}/status"
    assert bridge.do("rev", "POST", close, {"state": "closed"}).status_code == 409
    bridge.post("ex", thread, "done", kind="progress")
    assert bridge.do("rev", "POST", close, {"state": "closed"}).status_code == 200


def test_the_program_says_what_came_of_it(bridge: Bridge) -> None:
    def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        program = bridge.folder / "bin/bridge"
        environment = {"PATH": os.environ["PATH"], **environ}
        return subprocess.run(
            [program, *words], env=environment, capture_output=True, text=True, check=False
        )

    escalate = ("escalate-thread", "--thread-id", "t-1", "--reason", "stuck")
    assert run(*escalate).returncode == 2
    assert run("escalate-thread", "--thread-id", "t-1", BRIDGE_OPERATOR="ann").returncode == 2
    override = ("override-close-thread", "--thread-id", "t-1", "--operator", "ann", "--reason")
    for reason in ("", "because", "human_override:", "human_override: "):
        assert run(*override, reason).returncode == 2
    away = run(*escalate, "--url", "http://127.0.0.1:9", BRIDGE_OPERATOR="ann")
    assert (away.returncode, away.stdout) == (5, "")


def test_there_is_a_tool_for_each_operation(bridge: Bridge) -> None:
    paths = bridge.ask("GET", "/openapi.json").json()["paths"]
    said = {
        one["operationId"]
        for path, item in paths.items()
        if path.startswith("/v1")
        for one in item.values()
    }
    assert set(tools(Toolbox())) == {f"v1_{name}" for name in said}


def test_the_deprecated_close_is_in_its_window_whenever_the_target_begins(bridge: Bridge) -> None:
    register = yaml.safe_load((bridge.folder / "repository/docs/api/deprecations.yaml").read_text())
    entry = register["deprecations"][0]
    begun = BEGIN.date().isoformat()
    assert entry["announced"] < begun < entry["ends"]
    answer = bridge.do("co", "POST", f"/threads/{bridge.thread()}/close")
    sunset = parsedate_to_datetime(answer.headers["sunset"])
    assert sunset.isoformat() == f"{entry['ends']}T23:59:59+00:00"
