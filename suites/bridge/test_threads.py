"""Threads, who is in them, and their states."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from pytest_rollout import Observe, Reported, Stage, reported
from suites.bridge.checks.opened import keeps_what_was_asked_for
from suites.bridge.checks.told import Told
from suites.bridge.views.errors import code, slips
from suites.bridge.views.service import Agent, Bridge

pytestmark = [pytest.mark.bridge_messages, pytest.mark.bridge_phase1, pytest.mark.effect("change")]

EDGES = (("active", "blocked"), ("blocked", "active"), ("active", "closed"), ("blocked", "closed"))
STATES = ("active", "blocked", "closed")


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
    for row, role in zip(ann.thread(thread).each("participants"), ("executor", None), strict=True):
        assert (row.text("added_by"), row.get("role")) == ("suite-ann", role), f"it says {row}"
        assert row.moment("joined_at") >= ann.thread(thread).moment("created_at")
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
    stays = bridge.agent("suite-dan").posted(thread, "of those who stay")
    assert texts(cora.read(thread)) == ["while a member", "of those who stay"]
    woken = [
        row.text("recipient")
        for row in cora.triggers(thread)
        if row.text("message_id") == stays.text("id")
    ]
    assert (list(stays["recipients"]), woken) == (["suite-cora"], ["suite-cora"]), (
        f"after the removal a message went to {stays['recipients']} and was to wake {woken}"
    )
    directed = cora.send(thread, "for who has gone", to=["suite-bob"])
    assert not slips(directed, "INVALID_ARGUMENT"), "who was removed can still be written to"
    assert cora.add(thread, "suite-bob").status_code == 201, "nobody can come back"
    back = cora.posted(thread, "welcome back")
    assert list(back["recipients"]) == ["suite-dan", "suite-bob"], "who came back is left out"


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
        done = done and said.get("reason") == "because of the graph"
        done = done and said.moment("updated_at") >= said.moment("created_at")
        told = operator.audit(thread)[-1] if done else None
        details = {} if told is None else told.inner("details")
        audited = (details.get("before"), details.get("after")) == (before, after)
        observe(
            "legal_change_refused",
            int(not (done and audited)),
            edge=f"{before} to {after}",
            at=moment,
        )


@pytest.mark.criterion("status-transitions-legal", "thread-create")
def test_lists_show_what_they_are_asked_for(bridge: Bridge) -> None:
    operator, mine = bridge.operator, {}
    for state in STATES:
        about = {"project": f"suite project {state}", "team": f"suite team {state}"}
        thread = operator.opened("to be listed", **about)
        if state != "active":
            operator.change(thread, state)
        mine[thread] = {"state": state, **about}
    for field in ("state", "project", "team"):
        for value in (about[field] for about in mine.values()):
            query: dict[str, object] = {field: value}
            rows = operator.all("/v1/threads", "threads", 200, **query)
            odd = [row.text("id") for row in rows if row.get(field) != value]
            assert not odd, f"the list of {field} {value!r} shows {odd[0]}, which is another"
            listed = {row.text("id") for row in rows} & set(mine)
            due = {thread for thread, about in mine.items() if about[field] == value}
            assert listed == due, f"the list of {field} {value!r} leaves {due - listed} out"


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


@pytest.mark.criterion("status-transitions-illegal", "participant-add")
def test_of_changes_at_once_one_works(phase: Stage, bridge: Bridge) -> None:
    """Eight block a thread at once, and eight add one member, while the store is slow."""
    operator = bridge.operator
    thread = operator.opened("at once", ["suite-ann"])
    known = len(operator.audit(thread))
    if phase.embedded:  # so that all have looked before the first has written
        phase.operate("bridge", "slow-store", seconds=0.05)
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda _: operator.add(thread, "suite-late"), range(8)))
        blocked = list(pool.map(lambda _: operator.change(thread, "blocked"), range(8)))
    if phase.embedded:
        phase.operate("bridge", "slow-store", seconds=0)
    statuses = [sorted(answer.status_code for answer in answers) for answers in (added, blocked)]
    assert statuses[0] == [*[200] * 7, 201], f"eight who add one member are answered {statuses[0]}"
    assert statuses[1] == [200, *[409] * 7], f"eight who block are answered {statuses[1]}"
    told = [event.text("action") for event in operator.audit(thread)][known:]
    assert told == ["participant.add", "thread.block"], f"the audit log says {told}"
    raised = operator.get(f"/v1/threads/{thread}/escalations").each("escalations")
    assert len(raised) == 1, f"one block is {len(raised)} escalations"


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
