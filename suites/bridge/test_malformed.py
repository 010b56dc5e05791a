"""Malformed requests are refused alike each time, and leave nothing behind."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from pytest_rollout import Observe, RolloutError, Stage, reported, scenario
from suites.bridge.views import corpus, described
from suites.bridge.views.errors import slips
from suites.bridge.views.operations import Operation, operations
from suites.bridge.views.service import Agent, Bridge

pytestmark = [pytest.mark.bridge_security, pytest.mark.bridge_phase1]

SLOWEST_S = 1.0  # of one refusal
EXAMPLES = 10  # of each operation that the fuzzer asks
BOSS = "suite-boss"  # a coordinator
FUZZED = r"^/v1/threads(/\{thread_id\}/(messages|status))?$"


def raw(agent: Agent, path: str, content: bytes) -> httpx.Response:
    """The response to bytes that claim to be JSON."""
    headers = {"Authorization": f"Bearer {agent.token}", "Content-Type": "application/json"}
    return agent.client.post(path, content=content, headers=headers)


def malformed(agent: Agent, thread: str) -> Iterator[tuple[str, Callable[[], httpx.Response]]]:
    """Every malformed request of the corpus: what is wrong, and how to send it."""
    here = f"/v1/threads/{thread}"
    for what, content in corpus.RAW.items():
        yield what, partial(raw, agent, f"{here}/messages", content)
    for what, body in corpus.BODIES.items():
        yield what, partial(agent.ask, "POST", f"{here}/messages", body)
    for what, body in corpus.THREADS.items():
        yield what, partial(agent.ask, "POST", "/v1/threads", body)
    for what, params in corpus.QUERIES.items():
        yield what, partial(agent.ask, "GET", f"{here}/messages", params=params)
    for what, key in {"key too long": "k" * 129, "key with a tab": "a\tb", "empty key": ""}.items():
        yield what, partial(agent.send, thread, "x", key)


@pytest.mark.criterion("malformed-payload")
@pytest.mark.effect("change")
def test_each_malformed_request_is_refused(
    bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    ann = bridge.agent("suite-ann")
    thread = ann.opened("only good ones", ["suite-bob"])
    known = len(ann.all("/v1/threads", "threads"))
    for what, send in malformed(ann, thread):
        first, again = send(), send()
        wrong = slips(first, "INVALID_ARGUMENT", hidden=(ann.token,))
        wrong += (
            [] if first.content == again.content else ["it is answered otherwise the next time"]
        )
        observe("malformed_not_refused", int(bool(wrong)), what=what, at=moment)
    assert ann.read(thread) == [], "a malformed message was kept"
    assert len(ann.all("/v1/threads", "threads")) == known, "a malformed thread was opened"
    assert ann.send(thread, "a good one").status_code == 201


@pytest.mark.criterion("malformed-payload")
@pytest.mark.effect("change")
def test_each_operation_refuses_what_it_does_not_take(
    bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    """Every field of every body with a value that the description excludes, one at a time."""
    ann = bridge.agent("suite-ann")
    thread = ann.opened("only good ones", ["suite-bob"])
    schema = reported(bridge.client.get("/openapi.json"))
    bridge.operator.add(thread, BOSS)
    known = len(bridge.operator.audit(thread))
    asked = 0
    for operation in operations(bridge):
        for what, body in excluded(operation, schema):
            answer = ann.ask(operation.method, operation.at(thread), body)
            wrong = slips(answer, "INVALID_ARGUMENT", hidden=(ann.token,))
            asked += 1
            told = f"{operation.name}, {what}"
            observe("malformed_not_refused", int(bool(wrong)), what=told, at=moment)
            assert not wrong, f"{told}: {wrong}"
    assert asked >= 20, f"only {asked} fields are described"
    for what, answer in senseless(bridge, thread).items():
        wrong = slips(answer, "INVALID_ARGUMENT")
        observe("malformed_not_refused", int(bool(wrong)), what=what, at=moment)
        assert not wrong, f"{what}: {wrong}"
    assert len(bridge.operator.audit(thread)) == known, "a malformed request changed something"


STRANGE: tuple[object, ...] = (7, "", "x" * 600, "not one of them", True, [[]], {"a": {"b": 1}})


def excluded(operation: Operation, schema: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Bodies of an operation with one field of a value that its description excludes."""
    told = schema["paths"][operation.path][operation.method.lower()].get("requestBody")
    if told is None:
        return
    yield "no object", []
    shape = told["content"]["application/json"]["schema"]
    shape = described.resolved(str(shape.get("$ref")), schema) or shape
    good = operation.body if isinstance(operation.body, Mapping) else {}
    for name, field in shape.get("properties", {}).items():
        valid = Draft202012Validator({**field, "components": schema["components"]}).is_valid
        bad = [value for value in STRANGE if not valid(value)]
        if bad:
            yield name, {**good, name: bad[0]}


def senseless(bridge: Bridge, thread: str) -> dict[str, httpx.Response]:
    """Requests whose fields are of the right form, and together say nothing that can be done."""
    operator, boss = bridge.operator, bridge.agent(BOSS, "coordinator")
    here, to_nobody = f"/v1/threads/{thread}", {"role": "coordinator"}
    task = {"agent": "suite-nobody", "task": "x"}
    since = {"since": "yesterday"}
    return {
        "a block without a reason": boss.ask("POST", f"{here}/status", {"state": "blocked"}),
        "an override without its word": operator.ask(
            "POST", f"{here}/override-close", {"reason": "it is over"}
        ),
        "a participant without a name": boss.ask(
            "POST", f"{here}/participants", {"role": "reader"}
        ),
        "a mark of who is no member": operator.ask(
            "POST", f"{here}/read-mark", {"agent": "suite-nobody", "seq": 1}
        ),
        "an address by no known rule": boss.ask(
            "POST", f"{here}/recipients", {"to": {"luck": "x"}}
        ),
        "a message to nobody": boss.send(thread, "x", to=to_nobody),
        "a task for who is no member": boss.ask("POST", f"{here}/assign", task),
        "a rule that is no pattern": operator.ask(
            "PUT", "/v1/filters", {"rules": [{"id": "a", "pattern": "(", "action": "mask"}]}
        ),
        "triggers since no time": operator.ask("GET", "/v1/triggers", params=since),
        "escalations since no time": operator.ask("GET", "/v1/escalations", params=since),
        "escalations since no day": operator.ask(
            "GET", "/v1/escalations", params={"since": "2025-13-40T00:00:00Z"}
        ),
    }


@pytest.mark.criterion("malformed-payload")
@pytest.mark.effect("change")
def test_no_request_of_a_fuzzer_breaks_it(phase: Stage, bridge: Bridge, tmp_path: Path) -> None:
    report = tmp_path / "fuzzed.ndjson"
    done = fuzzed(phase.address("bridge"), bridge.agent("suite-fuzz").token, report)
    told = fuzz_results(report)
    assert len(told) >= 30, f"the fuzzer sent {len(told)} requests:\n{done[-800:]}"
    broken = [f"{status} {asked}" for status, asked in told if status >= 500]
    assert not broken, f"answered with 5xx: {broken[:5]}"
    assert bridge.client.get("/health").status_code == 200


def fuzzed(url: str, token: str, report: Path) -> str:
    """What schemathesis prints about the bridge's own description of itself."""
    program = Path(sys.executable).with_name("schemathesis")
    if not program.exists():
        raise RolloutError(
            "there is no program `schemathesis` beside the Python that runs this: `. tests/setup` "
            "in bash installs it (on Debian, as root)"
        )
    command = [
        *(str(program), "run", f"{url.rstrip('/')}/openapi.json", "--url", url),
        *("--checks", "not_a_server_error", "--phases", "fuzzing", "--mode", "all"),
        *("--max-examples", str(EXAMPLES), "--seed", "1", "--workers", "1"),
        *("--include-path-regex", FUZZED, "--header", f"Authorization: Bearer {token}"),
        *("--report", "ndjson", "--report-ndjson-path", str(report)),
        *("--generation-database", "none", "--warnings", "off", "--suppress-health-check", "all"),
    ]
    done = subprocess.run(
        command, cwd=report.parent, capture_output=True, text=True, timeout=180, check=False
    )
    return done.stdout + done.stderr


def fuzz_results(report: Path) -> list[tuple[int, str]]:
    """The status of each request that was sent, and what was asked."""
    if not report.is_file():
        return []
    lines = report.read_text(encoding="utf-8").splitlines()
    return [answer for line in lines for answer in statuses(json.loads(line))]


def statuses(told: object) -> Iterator[tuple[int, str]]:
    """Every response in a line of the report, with what was asked."""
    if isinstance(told, dict):
        status = told.get("status_code")
        if isinstance(status, int):
            yield status, str(told.get("url") or told.get("message") or "")[:80]
        for inner in told.values():
            yield from statuses(inner)
    elif isinstance(told, list):
        for inner in told:
            yield from statuses(inner)


# A burst


@dataclass(frozen=True, slots=True)
class Burst:
    """What became of a burst, and of the good requests right after it."""

    answers: tuple[tuple[str, bytes, float, bool], ...]  # input, answer, seconds, refused rightly
    good: tuple[int, ...]  # status of each good request
    healthy: bool
    kept: int  # messages of the thread that the burst was aimed at


def became_slower(answers: Sequence[tuple[str, bytes, float, bool]]) -> str:
    """How much longer the last hundred refusals took than the first hundred; empty if not."""
    took = [seconds for _, _, seconds, _ in answers]
    early, late = median(took[:100]), median(took[-100:])
    return f"{early:.4f} s, then {late:.4f} s" if late > 3 * early + 0.02 else ""


@scenario(effect="change")
def malformed_burst(phase: Stage) -> Burst:
    """Five hundred malformed requests, more where they seem slow, then a hundred good ones."""
    bridge = Bridge.of(phase)
    sender = bridge.agent("suite-burst")
    thread, other = sender.opened("aimed at"), sender.opened("good ones")
    inputs = [row for row in malformed(sender, thread) if row[0] not in ("too large", "very deep")]
    chosen = inputs[:: max(1, len(inputs) // 10)][:10]
    answers: list[tuple[str, bytes, float, bool]] = []
    # A machine that is busy for a moment is no slow bridge; one that became slow stays so.
    while len(answers) < 500 or (len(answers) < 800 and became_slower(answers)):
        what, send = chosen[len(answers) % len(chosen)]
        begun = time.perf_counter()
        answer = send()
        seconds = time.perf_counter() - begun
        answers.append((what, answer.content, seconds, not slips(answer, "INVALID_ARGUMENT")))
    good = []
    for number in range(50):
        good.append(sender.send(other, f"good {number}").status_code)
        good.append(sender.ask("GET", f"/v1/threads/{other}/messages").status_code)
    healthy = bridge.client.get("/health").status_code == 200
    kept = sender.thread(thread).whole("messages")
    return Burst(tuple(answers), tuple(good), healthy, kept)


@pytest.mark.criterion("malformed-burst-deterministic")
def test_a_burst_is_answered_alike(
    malformed_burst: Burst, observe: Observe, moment: datetime
) -> None:
    first: dict[str, bytes] = {}
    for number, (what, content, seconds, refused) in enumerate(malformed_burst.answers):
        alike = first.setdefault(what, content) == content
        wrong = not (refused and alike and seconds < SLOWEST_S)
        observe("burst_answered_otherwise", int(wrong), n=str(number), at=moment)
    slower = became_slower(malformed_burst.answers)
    assert not slower, f"refusals became slower: {slower}"
    assert malformed_burst.kept == 0, f"the burst left {malformed_burst.kept} messages"


@pytest.mark.criterion("malformed-burst-healthy-after")
def test_good_requests_are_served_right_after(
    malformed_burst: Burst, observe: Observe, moment: datetime
) -> None:
    for number, status in enumerate(malformed_burst.good):
        observe("served_after_burst", int(status in (200, 201)), n=str(number), at=moment)
    assert malformed_burst.healthy, "/health is not fine after the burst"
