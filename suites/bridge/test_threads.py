"""Threads, who is in them, their states, and the audit log of it all."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import httpx
import pytest

from pytest_rollout import Observe, Reported, Stage, reported
from suites.bridge.checks.opened import keeps_what_was_asked_for
from suites.bridge.checks.told import Told
from suites.bridge.views.errors import code, slips
from suites.bridge.views.service import Agent, Bridge

pytestmark = [pytest.mark.bridge_messages, pytest.mark.bridge_phase1, pytest.mark.effect("change")]

EDGES = (("active", "blocked"), ("blocked", "active"), ("active", "closed"), ("blocked", "closed"))
STATES = ("active", "blocked", "closed")
ROLES = {"suite-operator": "operator", "suite-cora": "coordinator", "suite-bob": "executor"}


def texts(messages: list[Reported]) -> list[str]:
    """What messages say."""
    return [message.text("text") for message in messages]


@pytest.mark.criterion("thread-create")
def test_a_thread_is_opened(bridge: Bridge) -> None:
    ann, other = bridge.agent("suite-ann"), bridge.agent("suite-other")
    answer = ann.ask("POST", "/v1/threads", {"title": "the first one"})
    assert answer.status_code == 201, f"POST /v1/threads answers {answer.status_code}"
    thread = reported(answer).text("id")
    for said in (ann.thread(thread), reported(answer)):
        assert said.text("id") == thread
        assert said.text("state") == "active", f"a new thread is {said['state']}"
        assert said.text("created_by") == "suite-ann"
        assert said.text("title") == "the first one"
        members = [member.text("agent") for member in said.each("participants")]
        assert members == ["suite-ann"], f"a new thread has the members {members}"
    assert other.opened() != thread, "two threads have the same id"
    mine = [row.text("id") for row in ann.all("/v1/threads", "threads")]
    assert mine.count(thread) == 1, "the new thread is not in the list of its creator"
    paged = [row.text("id") for row in ann.all("/v1/threads", "threads", limit=2)]
    assert paged == mine, "the list reads otherwise page by page"
    keeps_what_was_asked_for(ann)


@pytest.mark.criterion("participant-add")
def test_who_is_added_can_post_and_read(bridge: Bridge) -> None:
    ann, bob = bridge.agent("suite-ann"), bridge.agent("suite-bob")
    thread = ann.opened()
    ann.posted(thread, "before bob")
    assert bob.send(thread, "let me in").status_code == 404, "a stranger can post"
    added = ann.add(thread, "suite-bob")
    assert added.status_code == 201, f"adding somebody answers {added.status_code}"
    assert ann.members(thread) == ["suite-ann", "suite-bob"]
    posted = bob.send(thread, "from bob")
    assert posted.status_code == 201, f"who was added is answered {posted.status_code}"
    for reader in (ann, bob):
        assert texts(reader.read(thread)) == ["before bob", "from bob"]
    marks = [
        reported(bob.ask("POST", f"/v1/threads/{thread}/read-mark", {"seq": seq})).whole("read_seq")
        for seq in (2, 1)
    ]
    assert marks == [2, 2], f"how far bob has read is {marks}"
    beyond = bob.ask("POST", f"/v1/threads/{thread}/read-mark", {"seq": 99})
    assert reported(beyond).whole("read_seq") == 2, "bob has read what was never posted"
    kept = {
        row.text("agent"): row.whole("read_seq") for row in ann.thread(thread).each("participants")
    }
    assert kept == {"suite-ann": 0, "suite-bob": 2}, f"the thread shows the marks {kept}"


@pytest.mark.criterion("participant-remove")
def test_who_is_removed_can_neither_post_nor_read(bridge: Bridge) -> None:
    cora, bob = bridge.agent("suite-cora", "coordinator"), bridge.agent("suite-bob")
    thread = cora.opened(members=["suite-bob", "suite-dan"])
    assert bob.send(thread, "while a member").status_code == 201
    removed = cora.remove(thread, "suite-bob")
    assert removed.status_code == 204, f"removing somebody answers {removed.status_code}"
    denied = [
        bob.send(thread, "still here"),
        bob.ask("GET", f"/v1/threads/{thread}/messages"),
        bob.ask("GET", f"/v1/threads/{thread}"),
    ]
    for answer in denied:
        assert not slips(answer, "PERMISSION_DENIED"), slips(answer, "PERMISSION_DENIED")
    listed = [row.text("id") for row in bob.all("/v1/threads", "threads")]
    assert thread not in listed, "the list of who was removed still shows the thread"
    assert cora.members(thread) == ["suite-cora", "suite-dan"]
    assert bridge.agent("suite-dan").send(thread, "of those who stay").status_code == 201
    assert texts(cora.read(thread)) == ["while a member", "of those who stay"]


@pytest.mark.criterion("participant-list-dedup", "participant-add")
def test_who_is_added_twice_is_a_member_once(
    bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    seen = Told(observe)
    ann = bridge.agent("suite-ann")
    thread = ann.opened()
    for _ in range(2):
        ann.add(thread, "suite-bob")
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: ann.add(thread, "suite-dan"), range(5)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    members, reached = ann.members(thread), ann.posted(thread, "to all")["recipients"]
    for agent in ("suite-bob", "suite-dan"):
        assert agent in members, f"{agent} was added and is no member"
        repeated = members.count(agent) != 1 or reached.count(agent) != 1
        seen("membership_repeated", repeated, agent=agent, at=moment)
    seen.none_bad("added twice, they are members twice, or reached twice")


# States


def in_state(operator: Agent, state: str) -> str:
    """A thread that was brought into a state."""
    thread = operator.opened("a thread with a state", ["suite-ann"])
    if state != "active":
        operator.change(thread, state)
    return thread


@pytest.mark.criterion("status-transitions-legal")
def test_each_change_of_the_graph_works(bridge: Bridge, observe: Observe, moment: datetime) -> None:
    operator = bridge.operator
    for before, after in EDGES:
        thread = in_state(operator, before)
        answer = operator.change(thread, after, "because of the graph")
        said = bridge.agent("suite-ann").thread(thread)
        done = answer.status_code == 200 and said.text("state") == after
        told = operator.audit(thread)[-1] if done else None
        details = {} if told is None else told.inner("details")
        audited = (details.get("before"), details.get("after")) == (before, after)
        observe("legal_change_refused", int(not (done and audited)), edge=after, at=moment)


@pytest.mark.criterion("status-transitions-illegal")
def test_each_other_change_is_refused(bridge: Bridge, observe: Observe, moment: datetime) -> None:
    operator = bridge.operator
    wrong = [(a, b) for a in STATES for b in STATES if (a, b) not in EDGES]
    for before, after in wrong:
        thread = in_state(operator, before)
        assert operator.thread(thread).text("state") == before, f"no thread could be {before}"
        known = len(operator.audit(thread))
        answer = operator.change(thread, after)
        said = operator.thread(thread).text("state")
        kept = said == before and len(operator.audit(thread)) == known
        refused = code(answer) == "FAILED_PRECONDITION"
        observe(
            "illegal_change_made", int(not (kept and refused)), edge=f"{before}-{after}", at=moment
        )
    thread = in_state(operator, "active")
    for word in ("open", "ACTIVE", "", "archived"):
        answer = operator.change(thread, word)
        assert not slips(answer, "INVALID_ARGUMENT"), slips(answer, "INVALID_ARGUMENT")


@pytest.mark.criterion("status-transitions-illegal")
def test_an_open_finding_keeps_a_thread_open(bridge: Bridge) -> None:
    operator, ann = bridge.operator, bridge.agent("suite-ann")
    for answered in ("progress", "approval"):
        thread = ann.opened(f"until {answered}")
        ann.posted(thread, "this is not right yet", kind="finding")
        ann.posted(thread, "I see", kind="message")
        refused = operator.change(thread, "closed")
        assert code(refused) == "FAILED_PRECONDITION", f"it is closed over a finding: {refused}"
        assert ann.thread(thread).flag("open_finding"), "a message settles a finding"
        ann.posted(thread, "now it is", kind=answered)
        assert not ann.thread(thread).flag("open_finding"), f"{answered} settles no finding"
        assert operator.change(thread, "closed").status_code == 200, f"{answered}: it stays open"


@pytest.mark.criterion("closed-thread-immutable", "unit-state-rules")
def test_a_closed_thread_takes_no_message(bridge: Bridge) -> None:
    operator, ann = bridge.operator, bridge.agent("suite-ann")
    thread = ann.opened("soon closed")
    ann.posted(thread, "the last word")
    assert operator.change(thread, "closed").status_code == 200
    for agent in (ann, operator):
        answer = agent.send(thread, "one more word")
        assert not slips(answer, "FAILED_PRECONDITION"), slips(answer, "FAILED_PRECONDITION")
    assert ann.ask("POST", f"/v1/threads/{thread}/participants", {"agent": "suite-bob"}).is_error
    assert texts(ann.read(thread)) == ["the last word"], "a closed thread reads otherwise"
    assert ann.thread(thread).whole("messages") == 1


# Audit


def one_of_each(bridge: Bridge) -> tuple[str, list[tuple[str, str, str]]]:
    """A thread, and of each operation on it: the id of its request, action and target."""
    operator, cora = bridge.operator, bridge.agent("suite-cora", "coordinator")
    done: list[tuple[str, str, str]] = []

    def make(by: Agent, action: str, target: str, method: str, path: str, body: object) -> str:
        request = f"audit.{len(done)}.{by.name}"
        answer = by.ask(method, path, body, headers={"X-Request-Id": request})
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
    status = {"state": "active", "reason": "no block"}
    make(operator, "thread.unblock", thread, "POST", f"{here}/status", status)
    status = {"state": "blocked", "reason": "a block again"}
    make(operator, "thread.block", thread, "POST", f"{here}/status", status)
    over = {"reason": "human_override: enough"}
    make(operator, "thread.override_close", thread, "POST", f"{here}/override-close", over)
    return thread, done


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
            right = right and begun <= event.moment("at") <= ended
            off = int(not right)
        observe("audit_entries_off", off, action=action, request=request, at=moment)
    strange = [
        event.text("action")
        for event in told
        if event.text("request_id") not in dict.fromkeys(row[0] for row in done)
    ]
    assert not strange, f"the audit log has entries that nobody caused: {strange}"
    assert [event.whole("seq") for event in told] == list(range(1, len(told) + 1))
    blocked = [event for event in told if event.text("action") == "thread.block"]
    assert [event.text("reason") for event in blocked] == ["a block", "a block again"]


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
