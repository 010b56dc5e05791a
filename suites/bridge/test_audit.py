"""The audit log: an entry for each change, never altered, and nothing of what was refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import httpx
import pytest

from pytest_rollout import Observe, Stage, reported
from suites.bridge.checks.told import Told
from suites.bridge.views.errors import code
from suites.bridge.views.service import Agent, Bridge

pytestmark = [pytest.mark.bridge_messages, pytest.mark.bridge_phase1, pytest.mark.effect("change")]

ROLES = {"suite-operator": "operator", "suite-cora": "coordinator", "suite-bob": "executor"}


def one_of_each(bridge: Bridge) -> tuple[str, list[tuple[str, str, str]]]:
    """A thread, and of each operation on it: the id of its request, action and target."""
    operator, cora = bridge.operator, bridge.agent("suite-cora", "coordinator")
    done: list[tuple[str, str, str]] = []

    def make(by: Agent, action: str, target: str, method: str, path: str, body: object) -> str:
        request = f"audit.{len(done)}.{by.name}"
        ids = {"X-Request-Id": request, "X-Correlation-Id": f"chain.{request}"}
        answer = by.ask(method, path, body, headers=ids)
        assert answer.is_success, f"{method} {path} answers {answer.status_code}"
        said = reported(answer) if answer.content else {}
        done.append((request, action, target or str(said.get("id"))))
        return str(said.get("id"))

    thread = make(cora, "thread.create", "", "POST", "/v1/threads", {"title": "all of it"})
    here = f"/v1/threads/{thread}"
    make(
        cora, "participant.add", "suite-bob", "POST", f"{here}/participants", {"agent": "suite-bob"}
    )
    make(cora, "message.post", "", "POST", f"{here}/messages", {"text": "a message"})
    bob = bridge.agent("suite-bob")
    make(bob, "participant.read", "suite-bob", "POST", f"{here}/read-mark", {"seq": 1})
    make(cora, "participant.remove", "suite-bob", "DELETE", f"{here}/participants/suite-bob", None)
    status = {"state": "blocked", "reason": "a block"}
    make(cora, "thread.block", thread, "POST", f"{here}/status", status)
    (raised,) = operator.get(f"{here}/escalations").each("escalations")
    handle, id_ = f"/v1/escalations/{raised.text('id')}/handle", raised.text("id")
    make(operator, "escalation.handle", id_, "POST", handle, {"note": "seen to"})
    status = {"state": "active", "reason": "no block"}
    make(operator, "thread.unblock", thread, "POST", f"{here}/status", status)
    status = {"state": "blocked", "reason": "a block again"}
    make(operator, "thread.block", thread, "POST", f"{here}/status", status)
    over = {"reason": "human_override: enough"}
    make(operator, "thread.override_close", thread, "POST", f"{here}/override-close", over)
    return thread, done


# What entries of an action tell besides.
DETAILS: Mapping[str, Mapping[str, object]] = {
    "thread.create": {"participants": ["suite-cora"]},
    "participant.read": {"read_seq": 1},
    "thread.block": {"before": "active", "after": "blocked"},
    "thread.unblock": {"before": "blocked", "after": "active"},
    "thread.override_close": {"before": "blocked", "after": "closed"},
}
REASONS: Mapping[str, str] = {
    "escalation.handle": "seen to",
    "thread.unblock": "no block",
    "thread.override_close": "human_override: enough",
}


def beside(thread: str, request: str) -> list[tuple[str, object]]:
    """What each entry of a thread says besides: where it belongs, and of which chain it is."""
    return [("thread_id", thread), ("outcome", "ok"), ("correlation_id", f"chain.{request}")]


@pytest.mark.criterion("audit-event-per-mutation")
def test_each_operation_leaves_one_entry(
    phase: Stage, bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    clock = phase.target("bridge").clock
    begun = clock.now() - timedelta(seconds=1)  # times of entries may be cut to less
    thread, done = one_of_each(bridge)
    ended, told = clock.now(), bridge.operator.audit(thread)
    for request, action, target in done:
        mine = [event for event in told if event.text("request_id") == request]
        off = abs(len(mine) - 1)
        if len(mine) == 1:
            (event,) = mine
            actor = request.split(".", 2)[2]
            right = (event.text("actor"), event.text("action")) == (actor, action)
            right = right and event.text("role") == ROLES[actor]
            right = right and event.text("target") == target
            right = right and (action not in REASONS or event.get("reason") == REASONS[action])
            right = right and begun <= event.moment("at") <= ended
            right = right and all(event.get(name) == due for name, due in beside(thread, request))
            right = right and all(
                event.inner("details").get(name) == due
                for name, due in DETAILS.get(action, {}).items()
            )
            off = int(not right)
        observe("audit_entries_off", off, action=action, request=request, at=moment)
    strange = [
        event.text("action")
        for event in told
        if event.text("request_id") not in dict.fromkeys(row[0] for row in done)
    ]
    assert not strange, f"the audit log has entries that nobody caused: {strange}"
    assert [event.whole("seq") for event in told] == list(range(1, len(told) + 1))
    ids = {event.text("id") for event in told}
    assert len(ids) == len(told), "two entries have one id"
    assert {event.text("workspace") for event in told} == {bridge.workspace}
    blocked = [event for event in told if event.text("action") == "thread.block"]
    assert [event.text("reason") for event in blocked] == ["a block", "a block again"]


@pytest.mark.criterion("audit-event-per-mutation")
def test_a_change_of_the_policy_leaves_one_entry(phase: Stage, bridge: Bridge) -> None:
    """The policy stays as it is; that somebody has set it is on record, of no thread."""
    operator = bridge.operator
    mode = operator.get("/v1/policy").inner("config").text("wake_mode")
    settings_leave_one_entry(operator)
    if phase.embedded:  # elsewhere a sweep may take messages away
        known = len(operator.all("/v1/audit", "events"))
        assert operator.post("/v1/retention/sweep", {}).whole("removed") == 0, "without a rule"
        (swept,) = operator.all("/v1/audit", "events")[known:]
        told = (swept.text("actor"), swept.text("action"), swept.get("thread_id"))
        assert told == (operator.name, "retention.sweep", None), f"a sweep is audited as {told}"
    known = len(operator.all("/v1/audit", "events"))
    operator.post("/v1/policy", {"wake_mode": mode, "reason": "a trial"}).text("wake_mode")
    fresh = operator.all("/v1/audit", "events")[known:]
    names = ("actor", "role", "action", "reason", "thread_id", "outcome")
    said = [tuple(event.get(name) for name in names) for event in fresh]
    due = (operator.name, "operator", "policy.change", "a trial", None, "ok")
    assert said == [due], f"of a change of the policy the audit log says {said}"
    assert dict(fresh[0].inner("details")) == {"before": mode, "after": mode}
    for way, limit in {"in twos": 2, "at once": 200}.items():
        pages = [row.text("id") for row in operator.all("/v1/audit", "events", limit)]
        assert pages[-1:] == [fresh[0].text("id")], f"{way} the log ends otherwise"
        assert len(pages) == known + 1, f"{way} the log has {len(pages)} entries, not {known + 1}"
    seqs = [row.whole("seq") for row in operator.all("/v1/audit", "events")]
    assert seqs == list(range(1, len(seqs) + 1)), f"entries of no thread are numbered {seqs}"


def settings_leave_one_entry(operator: Agent) -> None:
    """Set retention and content as they are: each is on record, with who did it and what it is."""
    config = operator.get("/v1/policy").inner("config")
    kept = config["retention"] or {"messages_after_days": None, "action": "archive"}
    rules = {"rules": config["content_filter"] or []}
    for target, path, body in (
        ("retention", "/v1/retention", dict(kept)),
        ("content_filter", "/v1/filters", rules),
    ):
        known = len(operator.all("/v1/audit", "events"))
        operator.ask(
            "PUT", path, body, headers={"X-Request-Id": f"set.{target}"}
        ).raise_for_status()
        fresh = operator.all("/v1/audit", "events")[known:]
        names = ("actor", "role", "action", "target", "request_id", "thread_id", "outcome")
        told = [tuple(event.get(name) for name in names) for event in fresh]
        due = (operator.name, "operator", "policy.change", target, f"set.{target}", None, "ok")
        assert told == [due], f"of a change of {target} the audit log says {told}"


@pytest.mark.criterion("audit-event-per-mutation")
def test_a_close_leaves_one_entry(bridge: Bridge) -> None:
    """In both forms, and of an assignment: with who asked for it, and what it is about."""
    cora = bridge.agent("suite-cora", "coordinator")
    for form, body in (
        ("status", {"state": "closed", "reason": "done"}),
        ("close", {"reason": "done"}),
    ):
        thread = cora.opened(f"closed by {form}", ["suite-bob"])
        path = f"/v1/threads/{thread}"
        task = cora.post(f"{path}/assign", {"agent": "suite-bob", "task": "x"})
        cora.post(f"{path}/{form}", body)
        names = ("actor", "role", "action", "target", "reason")
        told = [tuple(event.get(name) for name in names) for event in cora.audit(thread)[1:]]
        who = (cora.name, "coordinator")
        due = [(*who, "message.post", task["id"], None), (*who, "thread.close", thread, "done")]
        assert told == due, f"closed by {form}, the audit log says {told}"


@pytest.mark.criterion("audit-append-only")
def test_earlier_entries_stay(bridge: Bridge, observe: Observe, moment: datetime) -> None:
    operator = bridge.operator
    thread = operator.opened("twice listed", ["suite-ann"])
    ann = bridge.agent("suite-ann")
    for number in range(4):
        ann.posted(thread, f"message {number}")
        ann.add(thread, f"suite-more-{number}")
        operator.change(thread, "blocked" if number % 2 == 0 else "active")
    earlier = operator.audit(thread)
    operator.change(thread, "blocked")
    operator.change(thread, "active")
    ann.posted(thread, "after the first listing")
    operator.change(thread, "closed")
    later = operator.audit(thread)
    pages = operator.all(f"/v1/threads/{thread}/audit", "events", limit=3)
    assert pages == later, "the audit log reads otherwise page by page"
    assert len(later) == len(earlier) + 4, (
        f"{len(later)} entries after {len(earlier)} and four more"
    )
    for place, event in enumerate(earlier):
        same = place < len(later) and dict(later[place]) == dict(event)
        observe("audit_entry_rewritten", int(not same), entry=str(place), at=moment)


@pytest.mark.criterion("audit-no-event-on-denial-side-effect", "audit-event-per-mutation")
def test_a_refusal_changes_nothing(bridge: Bridge, observe: Observe, moment: datetime) -> None:
    seen = Told(observe)
    operator = bridge.operator
    readers = ["suite-ann", {"agent": "suite-rita", "role": "reader"}]
    thread = operator.opened("hands off", readers)
    ann, rita = bridge.agent("suite-ann"), bridge.agent("suite-rita", "reader")
    ann.posted(thread, "as it was")
    refusals: dict[str, Callable[[], httpx.Response]] = {
        "reader adds": lambda: rita.add(thread, "suite-eve"),
        "executor removes": lambda: ann.remove(thread, "suite-rita"),
        "reader posts": lambda: rita.send(thread, "may I"),
        "executor closes": lambda: ann.change(thread, "closed"),
        "stranger adds": lambda: bridge.agent("suite-eve").add(thread, "suite-eve"),
        "reader posts as another": lambda: rita.send(
            thread, "in her name", **{"from": "suite-ann"}
        ),
        "reader marks as another": lambda: rita.ask(
            "POST", f"/v1/threads/{thread}/read-mark", {"agent": "suite-ann", "seq": 1}
        ),
    }
    for what, refused in refusals.items():
        before = everything(operator, thread)
        answer = refused()
        known = code(answer) in ("PERMISSION_DENIED", "NOT_FOUND")
        same = everything(operator, thread) == before
        seen("refusal_took_effect", not (known and same), what=what, at=moment)
    seen.none_bad("refused, and it changed something all the same")


def everything(operator: Agent, thread: str) -> list[object]:
    """A thread, its messages, and its audit log but for entries that are marked as denied."""
    told = [dict(event) for event in operator.audit(thread) if event.get("outcome") != "denied"]
    return [dict(operator.thread(thread)), [dict(row) for row in operator.read(thread)], told]
