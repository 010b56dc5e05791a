"""Who gets a message, by the suite's own rule; and that no status request leaves the graph."""

from __future__ import annotations

import random
from datetime import datetime

import pytest

from pytest_rollout import Observe, Reported, reported
from suites.bridge.views import oracle
from suites.bridge.views.errors import code
from suites.bridge.views.service import Agent, Bridge

pytestmark = [pytest.mark.bridge_messages, pytest.mark.bridge_phase1, pytest.mark.effect("change")]

EDGES = {("active", "blocked"), ("blocked", "active"), ("active", "closed"), ("blocked", "closed")}


def asked(by: Agent, thread: str, sender: str, to: list[str] | None) -> Reported:
    """Who would get a message of a sender."""
    return by.post(f"/v1/threads/{thread}/recipients", {"from": sender, "to": to})


@pytest.mark.criterion("unit-routing")
def test_recipients_are_members_without_the_sender(
    bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    chosen, number = random.Random(11), 0
    for size in (2, 3, 5, 9):
        members = [f"suite-route-{place}" for place in range(size)]
        first = bridge.agent(members[0])
        thread = first.opened("routes", members[1:])
        for turn in range(10):
            sender = chosen.choice(members)
            pool = [*members, "suite-stranger", "suite-stranger-2"]
            to = None if turn % 3 == 0 else chosen.choices(pool, k=chosen.randint(1, 6))
            due, strangers = oracle.recipients(members, sender, to)
            if to is not None and not due:
                continue  # a message to nobody, which is refused
            said = asked(first, thread, sender, to)
            for member in (*members, "suite-stranger"):
                number += 1
                wrong = list(said["recipients"]).count(member) != due.count(member)
                wrong = wrong or sorted(set(said["undeliverable"]) - {sender}) != sorted(strangers)
                observe("routing_wrong", int(wrong), n=str(number), at=moment)
        number = posted_as_said(bridge, thread, members, observe, moment, number)
        assert code(first.send(thread, "to me", to=[members[0]])) == "INVALID_ARGUMENT"


def posted_as_said(
    bridge: Bridge,
    thread: str,
    members: list[str],
    observe: Observe,
    moment: datetime,
    number: int,
) -> int:
    """Post as well as ask: what is stored goes to whom the rule names."""
    sender = bridge.agent(members[-1])
    for to in (None, [members[0]], [members[0], members[0], "suite-stranger"]):
        due, strangers = oracle.recipients(members, sender.name, to)
        said = sender.posted(thread, "routed", to=to)
        for member in members:
            number += 1
            read = bridge.agent(member).read(thread)
            sees = [row.text("id") for row in read].count(said.text("id"))
            meant = member in due or member == sender.name
            wrong = sees != int(meant) or sorted(said["recipients"]) != sorted(due)
            wrong = wrong or sorted(set(said["undeliverable"])) != sorted(strangers)
            observe("routing_wrong", int(wrong), n=str(number), at=moment)
    return number


def shown(operator: Agent, thread: str) -> str:
    """The state of a thread as it reads."""
    return operator.thread(thread).text("state")


@pytest.mark.criterion("unit-state-rules")
def test_no_walk_leaves_the_graph(bridge: Bridge, observe: Observe, moment: datetime) -> None:
    operator, chosen, steps = bridge.operator, random.Random(5), 0
    reached: set[str] = set()
    while steps < 110:
        thread, state = operator.opened("a walk"), "active"
        for _ in range(9):
            wanted = chosen.choice(("active", "blocked", "blocked", "active", "closed", "weird"))
            answer = operator.change(thread, wanted)
            after = wanted if (state, wanted) in EDGES else state
            legal = (state, wanted) in EDGES
            # what a success says of the thread is held against the next read, at the walk's end too
            said = reported(answer).text("state") if answer.is_success else shown(operator, thread)
            fits = answer.is_success == legal and said == after
            observe("left_the_graph", int(not fits), step=str(steps), at=moment)
            state, steps = after, steps + 1
            reached.add(state)
        assert shown(operator, thread) == state, "the last change does not show"
    assert reached == set(oracle.STATES), f"the walks came through {sorted(reached)} only"
