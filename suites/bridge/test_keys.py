"""What is sent again has no second effect; what was acknowledged is there, after failures too."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import uuid4

import pytest

from pytest_rollout import Observe, Reported, Stage, reported, scenario
from suites.bridge.views.errors import code, slips
from suites.bridge.views.said import not_done
from suites.bridge.views.service import Agent, Bridge

pytestmark = [pytest.mark.bridge_messages, pytest.mark.bridge_phase1]


def effects(bridge: Bridge, thread: str) -> list[object]:
    """A thread as an operator sees it, with its audit log: every effect shows in one of them."""
    events = bridge.operator.get(f"/v1/threads/{thread}/audit", limit=200).each("events")
    return [[dict(event) for event in events], dict(bridge.operator.thread(thread))]


@pytest.mark.criterion("unit-idempotency")
@pytest.mark.effect("change")
def test_a_request_that_is_sent_again_does_nothing(
    bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    operator, count = bridge.operator, 0
    for turn in range(10):
        thread = operator.opened(f"again {turn}", ["suite-ann", "suite-bob"])
        operator.posted(thread, "to be marked")
        before = effects(bridge, thread)
        here = f"/v1/threads/{thread}"
        for method, path, body, other in (
            ("POST", f"{here}/messages", {"text": f"once {turn}"}, {"text": "something else"}),
            ("POST", f"{here}/participants", {"agent": "suite-new"}, {"agent": "suite-newer"}),
            (
                "POST",
                f"{here}/read-mark",
                {"agent": "suite-ann", "seq": 1},
                {"agent": "suite-bob", "seq": 1},
            ),
            ("DELETE", f"{here}/participants/suite-bob", None, None),
            (
                "POST",
                f"{here}/status",
                {"state": "blocked", "reason": "x"},
                {"state": "closed", "reason": "x"},
            ),
        ):
            request = (method, path, body, other)
            wrong, before = repeated(bridge, operator, thread, request, before)
            observe("effect_repeated", int(bool(wrong)), n=str(count), at=moment)
            assert not wrong, wrong
            count += 1
        if turn % 5 == 0:
            parallel(operator, thread)
    opened_once(operator, bridge.agent("suite-ann"))
    belongs_to_its_address(operator)
    belongs_to_its_body(bridge.agent("suite-ann"))


def belongs_to_its_body(ann: Agent) -> None:
    """Send a keyed message with one field altered at a time: each is another request, refused."""
    thread, key = ann.opened("keyed bodies", ["suite-bob", "suite-dan"]), str(uuid4())
    path = f"/v1/threads/{thread}/messages"
    body: dict[str, object] = {"text": "as it was", "to": ["suite-bob"], "kind": "task", "more": 1}
    first = ann.post(path, body, key).text("id")
    altered: dict[str, object] = {
        "text": "otherwise",
        "to": ["suite-dan"],
        "kind": "work",
        "more": 2,
        "reply_to": first,
        "schema_version": 2,
        "wake": False,
    }
    for name, value in altered.items():
        other = ann.ask("POST", path, {**body, name: value}, key=key)
        assert code(other) == "FAILED_PRECONDITION", (
            f"the key of a message is answered {other.status_code} for one with another {name}"
        )
    turned = dict(reversed(body.items()))
    assert ann.post(path, turned, key).text("id") == first, "fields in another order are another"
    assert ann.thread(thread).whole("messages") == 1, "a key made more than one message"


def belongs_to_its_address(operator: Agent) -> None:
    """Send what was sent with a key once more elsewhere: it is another request, and refused."""
    here, there = (operator.opened(f"keyed {number}") for number in range(2))
    key = str(uuid4())
    operator.posted(here, "with a key", key)
    elsewhere = operator.send(there, "with a key", key)
    assert code(elsewhere) == "FAILED_PRECONDITION", (
        f"a key of one thread is answered {elsewhere.status_code} in another"
    )
    assert not operator.read(there), "the key of one thread posted to another"


def repeated(
    bridge: Bridge,
    agent: Agent,
    thread: str,
    request: tuple[str, str, object, object],
    before: list[object],
) -> tuple[str, list[object]]:
    """What goes wrong when a request is sent twice with a key and then with another body.

    Besides, what the thread is like now.
    """
    method, path, body, other = request
    key = str(uuid4())
    first = agent.ask(method, path, body, key=key)
    after = effects(bridge, thread)
    again = agent.ask(method, path, body, key=key)
    refused = None if other is None else agent.ask(method, path, other, key=key)
    ended = effects(bridge, thread)
    wrong = ""
    if not first.is_success or after == before:
        wrong = f"answers {first.status_code} and changes nothing"
    elif (first.status_code, first.content) != (again.status_code, again.content):
        wrong = "answers otherwise when it is sent again"
    elif again.headers.get("Idempotent-Replay") != "true":
        wrong = "does not mark its second answer as a replay"
    elif refused is not None and (odd := slips(refused, "FAILED_PRECONDITION")):
        wrong = f"takes the key for another body: {odd[0]}"
    elif ended != after:
        wrong = "has a second effect when it is sent again"
    return (f"{method} {path} {wrong}" if wrong else ""), ended


def parallel(operator: Agent, thread: str) -> None:
    """Send one request from four places at once: it has one effect, if any is allowed."""
    operator.change(thread, "active")
    before = operator.thread(thread).whole("messages")
    with ThreadPoolExecutor(4) as pool:
        key = str(uuid4())
        answers = list(pool.map(lambda _: operator.send(thread, "at once", key), range(4)))
    ids = {reported(answer).text("id") for answer in answers}
    assert len(ids) == 1, f"one key at once gives {len(ids)} answers"
    kept = operator.thread(thread).whole("messages") - before
    assert kept == 1, f"one key at once makes {kept} messages"


def opened_once(operator: Agent, ann: Agent) -> None:
    """Open a thread twice with one key, once with another, and once by somebody else."""
    asked = [(operator, "a"), (operator, "a"), (operator, "b"), (ann, "a")]
    run = str(uuid4())
    answers = [
        agent.ask("POST", "/v1/threads", {"title": "keyed"}, key=f"{run}-{key}")
        for agent, key in asked
    ]
    first, again, other, hers = (reported(answer).text("id") for answer in answers)
    assert first == again, "one key opens two threads"
    assert other != first, "another key opens no thread of its own"
    assert hers not in (first, other), "a key of one agent answers another"


@pytest.mark.criterion("retry-after-transient")
@pytest.mark.effect("change")
def test_a_post_that_failed_once_is_kept_once(
    phase: Stage, bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    if not phase.embedded:
        not_done("no write was made to fail", "drill it where nobody works")
    ann = bridge.agent("suite-retry")
    thread = ann.opened("after a failure")
    for number, when in enumerate(("before", "after", "before", "after")):
        key, text = str(uuid4()), f"number {number}"
        phase.operate("bridge", "fail-writes", times=1, when=when)
        failed = ann.send(thread, text, key)
        assert code(failed) == "UNAVAILABLE", f"the failing post is answered {failed.status_code}"
        assert failed.headers.get("Retry-After"), "nobody says when to try again"
        kept = text in [row.text("text") for row in ann.read(thread)]
        assert kept == (when == "after"), f"a failure {when} it was kept leaves it: {kept}"
        again = ann.send(thread, text, key)
        rows = [row for row in ann.read(thread) if row.text("text") == text]
        once = again.status_code == 201 and len(rows) == 1
        once = once and rows[0].text("id") == reported(again).text("id")
        observe("not_exactly_once", int(not once), n=str(number), at=moment)
    assert ann.thread(thread).whole("last_seq") == 4, "failures left gaps in the numbers"


@scenario(effect="change")
def failing_tenth(phase: Stage) -> tuple[dict[str, str], list[Reported]]:
    """While each tenth write fails: the text of each message that was acknowledged, and all."""
    if not phase.embedded:
        not_done("writes were not made to fail", "drill it where nobody works")
    bridge = Bridge.of(phase)
    senders = [bridge.agent(f"suite-tenth-{number}") for number in range(4)]
    thread = senders[0].opened("one in ten", [sender.name for sender in senders[1:]])
    phase.operate("bridge", "fail-writes", every=10)
    acknowledged: dict[str, str] = {}
    failures = 0
    for number in range(200):
        key, text = str(uuid4()), f"post {number}"
        for _ in range(4):
            answer = senders[number % 4].send(thread, text, key)
            if answer.status_code == 201:
                acknowledged[text] = reported(answer).text("id")
                break
            failures += 1
    phase.operate("bridge", "fail-writes", every=0)
    if failures < 10:
        not_done(f"only {failures} of more than 200 writes failed", "make one in ten fail")
    return acknowledged, bridge.operator.read(thread)


@pytest.mark.criterion("failure-path-no-ack-without-persist")
def test_what_was_acknowledged_is_there(
    failing_tenth: tuple[dict[str, str], list[Reported]], observe: Observe, moment: datetime
) -> None:
    acknowledged, rows = failing_tenth
    kept: dict[str, list[str]] = {}
    for row in rows:
        kept.setdefault(row.text("text"), []).append(row.text("id"))
    for number in range(200):
        text = f"post {number}"
        wanted = [acknowledged[text]] if text in acknowledged else []
        lost = kept.get(text, [])[:1] != wanted or len(kept.get(text, [])) > 1
        observe("acknowledged_but_lost", int(lost), n=str(number), at=moment)
    assert len(acknowledged) >= 190, f"only {len(acknowledged)} of 200 got through with retries"
