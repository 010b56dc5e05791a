"""Loops, turns without progress, findings that come back: both sides of each limit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import pytest

from pytest_rollout import Observe, Reported
from suites.bridge.views.errors import code
from suites.bridge.views.service import Agent, Bridge

pytestmark = [pytest.mark.bridge_wake, pytest.mark.bridge_phase1, pytest.mark.effect("change")]

PAIR = ("suite-ping", "suite-pong")


def opened(bridge: Bridge, title: str, *more: str) -> tuple[str, Agent, Agent]:
    """An autonomous thread of two agents."""
    first, second = (bridge.agent(name) for name in PAIR)
    thread = first.opened(title, [PAIR[1], *more], lane="autonomous")
    return thread, first, second


def turns(
    thread: str, pair: tuple[Agent, Agent], texts: Iterable[str], kind: str = "message"
) -> int:
    """How many messages were accepted that two agents post in turns, until one is refused."""
    accepted = 0
    for number, text in enumerate(texts):
        answer = pair[number % 2].send(thread, text, kind=kind, wake=False)
        if answer.status_code != 201:
            assert code(answer) == "FAILED_PRECONDITION", f"a turn is answered {answer.status_code}"
            break
        accepted += 1
    return accepted


def escalations(bridge: Bridge, thread: str) -> tuple[Reported, ...]:
    """The escalations of a thread."""
    return bridge.operator.get(f"/v1/threads/{thread}/escalations").each("escalations")


def blocked_by(bridge: Bridge, thread: str) -> list[str]:
    """The reasons of all escalations of a thread that is blocked; none where it is not."""
    if bridge.operator.thread(thread).text("state") != "blocked":
        return []
    return [row.text("reason") for row in escalations(bridge, thread)]


@pytest.mark.criterion("loop-guard")
def test_a_ping_pong_is_stopped(bridge: Bridge, observe: Observe, moment: datetime) -> None:
    limit = int(bridge.operator.get("/v1/policy").inner("config").number("loop_limit_turns"))
    for title, text in (("echo", "over to you"), ("echo with blanks", "Over  to you.")):
        thread, *pair = opened(bridge, title)
        accepted = turns(thread, (pair[0], pair[1]), [text] * (limit + 5))
        observe("turns_beyond_loop_limit", max(0, accepted - limit), thread=title, at=moment)
        assert accepted == limit, f"{accepted} turns of an echo were taken, the limit is {limit}"
    thread, *pair = opened(bridge, "a talk")
    different = [f"argument {number}" for number in range(limit + 5)]
    assert turns(thread, (pair[0], pair[1]), different) == limit + 5, "a talk is taken for a loop"
    third = bridge.agent("suite-third")
    thread, first, second = opened(bridge, "a round", third.name)
    taken = [
        speaker.send(thread, "nothing new", kind="progress", wake=False).status_code == 201
        for _ in range(limit)
        for speaker in (first, second, third)
    ]
    assert all(taken), (
        f"a round of three is taken for a loop of two after {taken.index(False)} turns"
    )


@pytest.mark.criterion("loop-escalation")
def test_a_loop_blocks_and_escalates(bridge: Bridge) -> None:
    limit = int(bridge.operator.get("/v1/policy").inner("config").number("loop_limit_turns"))
    before = bridge.metric("loop_detections_total")
    thread, *pair = opened(bridge, "a loop")
    turns(thread, (pair[0], pair[1]), ["again"] * (limit - 1))
    operator = bridge.operator
    assert operator.thread(thread).text("state") == "active", "it is stopped before the limit"
    assert not escalations(bridge, thread)
    last = pair[(limit - 1) % 2].send(thread, "again", wake=False)
    assert last.status_code == 201, "the turn that reaches the limit is not kept"
    assert operator.thread(thread).text("state") == "blocked", "the loop goes on"
    told = escalations(bridge, thread)
    assert [row.text("reason") for row in told] == ["loop"], f"{len(told)} escalations of the loop"
    assert told[0].text("source") == "automatic"
    assert bridge.metric("loop_detections_total") == before + 1, "the counter of loops is off"
    event = operator.audit(thread)[-1]
    said = (event.text("actor"), event.text("action"), event.text("reason"))
    assert said == ("supervisor", "thread.block", "loop"), f"the audit log says {said}"
    operator.change(thread, "active", "seen to")
    more = turns(thread, (pair[0], pair[1]), ["again"] * (limit - 1))
    assert more == limit - 1, f"after it was unblocked {more} turns were taken"
    state = operator.thread(thread).text("state")
    assert state == "active", "after it was unblocked the turns of before still count"
    pair[(limit - 1) % 2].send(thread, "again", wake=False)
    assert blocked_by(bridge, thread) == ["loop"] * 2, "a second loop is not stopped"


# Progress, and findings


@pytest.mark.criterion("no-progress-block-at-20")
def test_twenty_turns_without_progress_block(
    bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    thread, *pair = opened(bridge, "no progress")
    both, operator = (pair[0], pair[1]), bridge.operator
    taken = turns(thread, both, [f"turn {number}" for number in range(19)])
    early = taken != 19 or operator.thread(thread).text("state") != "active"
    observe("no_progress_limit_off", int(early), side="19", at=moment)
    pair[1].send(thread, "turn 20", wake=False)
    state = operator.thread(thread).text("state")
    told = escalations(bridge, thread)
    right = state == "blocked" and [row.text("reason") for row in told] == ["no-progress"]
    right = right and code(pair[0].send(thread, "turn 21", wake=False)) == "FAILED_PRECONDITION"
    right = right and operator.audit(thread)[-1].text("reason") == "no-progress"
    observe("no_progress_limit_off", int(not right), side="20", at=moment)
    operator.change(thread, "active", "seen to")
    taken = turns(thread, both, [f"once more {number}" for number in range(19)])
    state = operator.thread(thread).text("state")
    assert (taken, state) == (19, "active"), f"unblocked, it is {state} after {taken} turns"
    pair[1].send(thread, "once more 20", wake=False)
    assert blocked_by(bridge, thread) == ["no-progress"] * 2, "it is blocked but once"
    attended = pair[0].opened("attended", [PAIR[1]])
    taken = turns(attended, both, [f"turn {number}" for number in range(21)])
    assert taken == 21, f"people who look on are blocked after {taken} turns"


@pytest.mark.criterion("no-progress-resets", "no-progress-block-at-20")
def test_progress_starts_the_count_anew(bridge: Bridge) -> None:
    thread, *pair = opened(bridge, "some progress")
    both = (pair[0], pair[1])
    assert turns(thread, both, [f"turn {number}" for number in range(19)]) == 19
    moved = pair[1].send(thread, "this part works now", kind="progress", wake=False)
    assert moved.status_code == 201
    assert turns(thread, both, [f"later {number}" for number in range(19)]) == 19
    assert bridge.operator.thread(thread).text("state") == "active", "progress did not count"
    pair[1].send(thread, "the twentieth", wake=False)
    state = bridge.operator.thread(thread).text("state")
    assert state == "blocked", "after progress nothing is counted any more"


FINDINGS = {
    "A A": (["sum is off by one"] * 2, "active"),
    "A A A": (["sum is off by one", "Sum is  off by one.", "sum is off by one"], "blocked"),
    "A A B A": (["sum is off", "sum is off", "name is unclear", "sum is off"], "active"),
}


@pytest.mark.criterion("identical-finding-block-at-3")
def test_the_same_finding_three_times_blocks(
    bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    for side, (findings, wanted) in FINDINGS.items():
        thread, executor, reviewer = opened(bridge, side)
        for number, text in enumerate(findings):
            if number:
                executor.send(thread, f"try {number}", kind="progress", wake=False)
            reviewer.send(thread, text, kind="finding", wake=False)
        state = bridge.operator.thread(thread).text("state")
        told = [row.text("reason") for row in escalations(bridge, thread)]
        right = state == wanted and told == (["identical-finding"] if wanted == "blocked" else [])
        event = bridge.operator.audit(thread)[-1]
        by_guard = (event.text("actor"), event.get("reason")) == ("supervisor", "identical-finding")
        right = right and by_guard == (wanted == "blocked")
        observe("finding_limit_off", int(not right), side=side, at=moment)


@pytest.mark.criterion("identical-finding-block-at-3")
def test_a_finding_blocks_a_second_time(bridge: Bridge) -> None:
    thread, executor, reviewer = opened(bridge, "found again")
    for often in (1, 2):
        for number in range(3):
            assert not blocked_by(bridge, thread), f"after {number} findings it is blocked again"
            executor.send(thread, f"try {often}.{number}", kind="progress", wake=False)
            reviewer.send(thread, "sum is off by one", kind="finding", wake=False)
        assert blocked_by(bridge, thread) == ["identical-finding"] * often
        bridge.operator.change(thread, "active", "seen to")


SIDES = {  # of each criterion: how many turns are one short of its limit, and of which kind
    "loop-guard": ("after you", 9, "message"),
    "no-progress-block-at-20": ("turn {}", 19, "message"),
    "identical-finding-block-at-3": ("sum is off by one", 2, "finding"),
}


@pytest.mark.parametrize(
    "criterion", [pytest.param(name, marks=pytest.mark.criterion(name)) for name in SIDES]
)
def test_each_thread_is_counted_by_itself(criterion: str, bridge: Bridge) -> None:
    """Two threads of one pair, a turn here and a turn there, each one short of the limit."""
    text, most, kind = SIDES[criterion]
    pair = [bridge.agent(f"suite-{criterion}-{name}") for name in "ab"]  # whom no rate limits yet
    sides = [
        pair[0].opened(f"{criterion} {side}", [pair[1].name], lane="autonomous")
        for side in ("here", "there")
    ]
    for number in range(most):
        for thread in sides:
            answer = pair[number % 2].send(thread, text.format(number), kind=kind, wake=False)
            assert answer.status_code == 201, (
                f"turns of another thread count: number {number + 1} is answered {code(answer)}"
            )
    for thread in sides:
        state = bridge.operator.thread(thread).text("state")
        assert state == "active", "turns of another thread count, and blocked this one"
