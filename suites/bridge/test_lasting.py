"""What is kept lasts: over a restart, over ten years, and over versions of the payload."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

import pytest

from pytest_rollout import Observe, Reported, Stage, reported, scenario
from suites.bridge.checks.told import Told
from suites.bridge.views.said import not_done
from suites.bridge.views.service import Agent, Bridge

pytestmark = [pytest.mark.bridge_messages, pytest.mark.bridge_phase1]


def rows_of(bridge: Bridge, thread: str) -> dict[str, object]:
    """Each row of a thread by a name: thread, members, messages, audit, triggers."""
    operator = bridge.operator
    if operator.ask("GET", f"/v1/threads/{thread}").status_code != 200:
        return {}
    told = dict(operator.thread(thread))
    rows: dict[str, object] = {"thread": {k: v for k, v in told.items() if k != "participants"}}
    for member in told["participants"]:
        rows[f"member {member['agent']}"] = dict(member)
    rows |= {f"message {row.text('id')}": dict(row) for row in operator.read(thread)}
    rows |= {f"audit {event.text('id')}": dict(event) for event in operator.audit(thread)}
    raised = operator.get(f"/v1/threads/{thread}/escalations").each("escalations")
    rows |= {f"escalation {row.text('id')}": dict(row) for row in raised}
    for row in operator.triggers(thread):
        rows[f"trigger {row.text('id')}"] = dict(row)
    return rows


@pytest.mark.criterion("persistence-survives-restart")
@pytest.mark.effect("change")
def test_a_restart_loses_nothing(
    phase: Stage, bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    if not phase.embedded:
        not_done("the service was not restarted", "restart it where nobody works")
    operator, ann = bridge.operator, bridge.agent("suite-ann")
    thread = operator.opened("over a restart", ["suite-ann", "suite-late"], project="kept")
    phase.operate(
        "bridge",
        "session",
        agent="suite-late",
        managed=True,
        state="dormant",
        heartbeat_age_s=60,
        ack_after_s=None,
    )
    operator.add(thread, "suite-deferred")
    beside = {"managed": True, "state": "dormant", "heartbeat_age_s": 60, "human_age_s": 0}
    phase.operate("bridge", "session", agent="suite-deferred", **beside)
    key = str(uuid4())
    first = ann.posted(thread, "with a key", key)
    for number in range(6):
        ann.posted(thread, f"message {number}")
    operator.change(thread, "blocked", "over the restart")
    before = rows_of(bridge, thread)
    counted = found_twice(bridge)
    pending = [row for row in operator.triggers(thread) if row.text("state") != "done"]
    states = {row.text("state") for row in pending}
    assert states == {"pending", "deferred"}, f"what waits is {states}, which shows too little"
    restarts_as_it_was_set(phase, operator)
    after = rows_of(bridge, thread)
    for name, row in before.items():
        observe("row_lost_by_restart", int(after.get(name) != row), row=name, at=moment)
    assert set(after) >= set(before), f"{len(set(before) - set(after))} rows are gone"
    waits_on(phase, bridge, thread)
    again = ann.send(thread, "with a key", key)
    assert again.status_code == 201, f"a key of before the restart is answered {again.status_code}"
    assert reported(again).text("id") == first.text("id"), "keys are forgotten by a restart"
    bridge.agent("suite-pong").posted(counted, "sum is off by one", kind="finding", wake=False)
    state = operator.thread(counted).text("state")
    assert state == "blocked", f"two findings of before the restart are forgotten: it is {state}"


def restarts_as_it_was_set(phase: Stage, operator: Agent) -> None:
    """Restart with settings that touch nothing; demand that they are told before and after."""
    rules = {"rules": [{"id": "never", "pattern": "zq{9}", "action": "mask"}]}
    operator.ask("PUT", "/v1/filters", rules).raise_for_status()
    operator.ask("PUT", "/v1/retention", {"messages_after_days": 9_999, "action": "delete"})
    policy = dict(operator.get("/v1/policy").inner("config"))
    assert policy["content_filter"] == rules["rules"], "the policy does not tell what is in force"
    phase.operate("bridge", "restart")
    told = dict(operator.get("/v1/policy").inner("config"))
    assert told == policy, f"after a restart the policy is {told}"
    operator.ask("PUT", "/v1/filters", {"rules": []}).raise_for_status()
    operator.ask("PUT", "/v1/retention", {"messages_after_days": None, "action": "archive"})


def waits_on(phase: Stage, bridge: Bridge, thread: str) -> None:
    """Demand that what waited over a restart, for a human or an answer, ends all the same."""
    phase.target("bridge").clock.advance(90)
    open_ = [row for row in bridge.operator.triggers(thread) if row.text("state") != "done"]
    assert not open_, f"the trigger for {open_[0]['recipient']} waits for ever after a restart"


def found_twice(bridge: Bridge) -> str:
    """A thread of two agents with the same finding twice; a third one blocks it."""
    first, second = bridge.agent("suite-ping"), bridge.agent("suite-pong")
    thread = first.opened("counted over a restart", [second.name], lane="autonomous")
    for number in range(2):
        second.posted(thread, "sum is off by one", kind="finding", wake=False)
        first.posted(thread, f"try {number}", kind="progress", wake=False)
    return thread


@scenario(effect="change", own_target=True)
def ten_years(phase: Stage) -> tuple[dict[str, object], dict[str, object]]:
    """What a thread held, and what it holds ten years later."""
    if not phase.embedded:
        not_done("ten years have not passed", "see in the rehearsal that nothing is purged")
    bridge = Bridge.of(phase)
    thread = bridge.operator.opened("for ever", ["suite-ann", "suite-bob"])
    for number in range(10):
        bridge.agent("suite-ann").posted(thread, f"message {number}")
    before = rows_of(bridge, thread)
    phase.target("bridge").clock.advance(10 * 365.25 * 86_400)
    return before, rows_of(Bridge.of(phase), thread)


@pytest.mark.criterion("retention-indefinite", "persistence-survives-restart")
def test_nothing_disappears_with_age(
    ten_years: tuple[dict[str, object], dict[str, object]], observe: Observe, moment: datetime
) -> None:
    seen = Told(observe)
    before, after = ten_years
    for name, row in before.items():
        if name.startswith(("message", "audit")):
            seen("row_gone_with_age", after.get(name) != row, row=name, at=moment)
    seen.none_bad("after ten years it is gone, or altered")


def stored_before(phase: Stage, thread: str) -> tuple[Reported, ...]:
    """Messages that earlier releases wrote, as each of them did; none outside of a rehearsal."""
    said = phase.operate("bridge", "old-payloads", thread=thread) if phase.embedded else {}
    return Reported({"messages": [], **said}, "old-payloads").each("messages")


@pytest.mark.criterion("schema-version-backward-compat")
@pytest.mark.effect("change")
def test_old_payloads_are_read(
    phase: Stage, bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    ann = bridge.agent("suite-ann")
    thread = ann.opened("old and new")
    ann.posted(thread, "of today")
    old = stored_before(phase, thread)
    rows = {row.text("id"): row for row in ann.read(thread)}
    for message in old:
        row = rows.get(message.text("id"))
        read = row is not None and payload(row) == payload(message)
        labels = {"version": str(message["schema_version"]), "kind": "stored"}
        observe("old_payload_unread", int(not read), **labels, at=moment)
    for version in (1, 2):
        kept = keeps_the_unknown(ann, thread, version)
        labels = {"version": str(version), "kind": "posted"}
        observe("old_payload_unread", int(not kept), **labels, at=moment)


def payload(message: Reported) -> tuple[object, ...]:
    """What a message holds that its version is about."""
    return message["text"], message["extra"], message["schema_version"]


def keeps_the_unknown(ann: Agent, thread: str, version: int) -> bool:
    """Whether fields that no version knows survive in a message of a version."""
    more = {"invented": {"a": [1, None]}, "x_more": "kept", "sender": "suite-bob"}
    body = {"text": f"version {version}", "schema_version": version, **more}
    posted = ann.ask("POST", f"/v1/threads/{thread}/messages", body)
    if posted.status_code != 201:
        return False
    return payload(ann.read(thread)[-1]) == (f"version {version}", more, version)
