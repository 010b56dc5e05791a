"""Who posts too fast is throttled, nobody else is, and not for ever."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from pytest_rollout import Observe, Stage
from suites.bridge.views.errors import code, slips
from suites.bridge.views.service import Bridge

pytestmark = [pytest.mark.bridge_security, pytest.mark.bridge_phase1, pytest.mark.effect("change")]


@pytest.mark.criterion("rate-guard")
def test_who_is_too_fast_is_throttled(
    phase: Stage, bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    config = bridge.operator.get("/v1/policy").inner("config")
    limit = int(config.number("rate_limit_posts"))
    fast, slow = bridge.agent("suite-fast"), bridge.agent("suite-slow")
    threads = [fast.opened("fast one", ["suite-slow"]), fast.opened("fast two", ["suite-slow"])]
    assert fast.send(threads[0], "").status_code == 400
    if phase.embedded:  # what was refused or failed is no post
        phase.operate("bridge", "fail-writes", times=2)
        assert [fast.send(threads[0], "lost").status_code for _ in range(2)] == [503, 503]
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


@pytest.mark.criterion("rate-guard-recovers", "rate-guard")
def test_after_the_window_it_may_post_again(phase: Stage, bridge: Bridge) -> None:
    config = bridge.operator.get("/v1/policy").inner("config")
    eager = bridge.agent("suite-eager")
    thread = eager.opened("eager")
    answers = [
        eager.send(thread, "quick", wake=False)
        for _ in range(int(config.number("rate_limit_posts")) + 1)
    ]
    assert code(answers[-1]) == "RESOURCE_EXHAUSTED", "the sender was never throttled"
    window = config.number("rate_window_s")
    wait = int(answers[-1].headers["Retry-After"])
    assert 0 < wait <= window, "Retry-After is beyond the window"
    if phase.embedded:
        clock = phase.target("bridge").clock
        clock.advance(wait - 1)
        early = eager.send(thread, "too early", wake=False)
        assert code(early) == "RESOURCE_EXHAUSTED", f"it may post a second before the {wait} s"
        clock.advance(1)
    else:
        time.sleep(wait)
    assert eager.send(thread, "in time", wake=False).status_code == 201, "it stays throttled"
