"""Loops, rates, turns without progress and findings that come back: both sides of each limit."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime

import pytest

from pytest_rollout import Observe, Reported, Stage
from suites.bridge.views.errors import code, slips
from suites.bridge.views.service import Agent, Bridge

pytestmark = [pytest.mark.bridge_phase1, pytest.mark.effect("change")]

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
    assert pair[0].send(thread, "again", wake=False).status_code == 201, "it stays blocked"


@pytest.mark.criterion("rate-guard")
def test_who_is_too_fast_is_throttled(bridge: Bridge, observe: Observe, moment: datetime) -> None:
    config = bridge.operator.get("/v1/policy").inner("config")
    limit = int(config.number("rate_limit_posts"))
    fast, slow = bridge.agent("suite-fast"), bridge.agent("suite-slow")
    threads = [fast.opened("fast one", ["suite-slow"]), fast.opened("fast two", ["suite-slow"])]
    accepted = 0
    for number in range(limit):
        accepted += fast.send(threads[number % 2], "quick", wake=False).status_code == 201
    assert accepted == limit, f"{accepted} of {limit} posts within the limit were taken"
    for number in range(4):
        answer = fast.send(threads[number % 2], "too quick", wake=False)
        wrong = bool(slips(answer, "RESOURCE_EXHAUSTED"))
        wrong = wrong or not answer.headers.get("Retry-After", "").isdigit()
        observe("rate_limit_broken", int(wrong), n=str(number), who="fast", at=moment)
    for number in range(3):
        answer = slow.send(threads[0], "in peace", wake=False)
        wrong = answer.status_code != 201
        observe("rate_limit_broken", int(wrong), n=str(number), who="slow", at=moment)
    kept = sum(fast.thread(thread).whole("messages") for thread in threads)
    assert kept == limit + 3, f"{kept} messages were kept of {limit} and 3 that were accepted"
    assert fast.ask("GET", f"/v1/threads/{threads[0]}").status_code == 200, "reading is throttled"


@pytest.mark.criterion("rate-guard-recovers")
def test_after_the_window_it_may_post_again(phase: Stage, bridge: Bridge) -> None:
    config = bridge.operator.get("/v1/policy").inner("config")
    eager = bridge.agent("suite-eager")
    thread = eager.opened("eager")
    answers = [
        eager.send(thread, "quick", wake=False)
        for _ in range(int(config.number("rate_limit_posts")) + 1)
    ]
    assert code(answers[-1]) == "RESOURCE_EXHAUSTED", "the sender was never throttled"
    wait = config.number("rate_window_s")
    assert 0 < int(answers[-1].headers["Retry-After"]) <= wait, "Retry-After is beyond the window"
    if phase.embedded:
        phase.target("bridge").clock.advance(wait)
    else:
        time.sleep(wait)
    assert eager.send(thread, "in time", wake=False).status_code == 201, "it stays throttled"


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


@pytest.mark.criterion("no-progress-resets")
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
        observe("finding_limit_off", int(not right), side=side, at=moment)
