"""Both sides of each limit of the default policy, in the runtime's journal."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from pytest_rollout import Observe, Reported, Stage
from suites.bridge.checks.told import Told
from suites.bridge.views.lines import ticks
from suites.bridge.views.waking import (
    ACK,
    LOOK,
    MOST_DEFERRED,
    QUIET,
    RESUMES,
    STALE,
    TRIES,
    Woken,
    refused,
)

pytestmark = [pytest.mark.bridge_wake, pytest.mark.bridge_phase1]

NEAR = timedelta(milliseconds=500)


def where(trigger: Reported) -> dict[str, str]:
    """What tells a trigger from others."""
    return {"trigger": trigger.text("id"), "recipient": trigger.text("recipient")}


@pytest.mark.criterion("poll-cadence-observed", "policy-poll-interval")
def test_ticks_follow_each_other(phase: Stage, observe: Observe) -> None:
    previous, number = None, None
    for line in ticks(phase.file("logs")):
        event, at = line.text("event"), line.moment("at")
        if event in ("supervisor.slept", "supervisor.started"):
            previous = None  # a gap that has another reason
        if not event.startswith("tick."):
            continue
        due, number = (number or line.whole("tick") - 1) + 1, line.whole("tick")
        assert number == due, f"after tick {due - 1} the next is number {number}"
        failed = phase.embedded and event == "tick.failed"  # nobody made one fail
        assert not failed, f"tick {number} failed: {line.get('error')}"
        if previous is not None:
            gap = (at - previous).total_seconds()
            observe("tick_gap_s", gap, at=at)
            assert abs(gap - LOOK.total_seconds()) <= 1, (
                f"after a tick the next came {gap:g} s later"
            )
        previous = at


@pytest.mark.criterion("ack-timeout-boundary")
def test_an_acknowledgement_counts_for_eight_seconds(wakes: Woken, observe: Observe) -> None:
    for trigger in wakes.those("dormant", "stale", "no session", "typing"):
        puts = [put.moment("at") for put in wakes.injections(trigger)]
        acks = [ack.moment("at") for ack in wakes.journal.of(trigger, "ack")]
        if not puts or wakes.overridden(trigger):
            continue
        early = [ack for ack in acks if ack - puts[0] <= ACK]
        at = trigger.moment("posted_at")
        if early and early[0] - puts[0] >= ACK - NEAR:
            right = len(puts) == 1 and trigger.get("result") == "triggered"
            observe("ack_limit_off", int(not right), side="within", **where(trigger), at=at)
        elif not early:
            again = len(puts) > 1 and ACK <= puts[1] - puts[0] <= ACK + NEAR
            observe("ack_limit_off", int(not again), side="beyond", **where(trigger), at=at)


@pytest.mark.criterion("retry-count-before-fallback")
def test_three_attempts_and_then_the_fallback(wakes: Woken, observe: Observe) -> None:
    for trigger in wakes.those("dormant"):
        puts = [put.moment("at") for put in wakes.injections(trigger)]
        if not puts or wakes.journal.of(trigger, "ack") or trigger.text("state") != "done":
            continue
        steady = all(ACK <= later - put <= ACK + NEAR for put, later in pairwise(puts))
        picked = wakes.journal.picked_up(trigger)
        after = bool(picked) and min(picked) >= puts[-1] + ACK
        fits = len(puts) == TRIES and steady and after
        fits = fits and trigger.get("result") == "failed"
        at = trigger.moment("posted_at")
        observe("attempts_off", int(not fits), **where(trigger), at=at)


@pytest.mark.criterion("quiet-window-boundary")
def test_a_trigger_goes_at_twenty_seconds_of_silence(wakes: Woken, observe: Observe) -> None:
    for trigger in wakes.triggers:
        agent, posted = trigger.text("recipient"), trigger.moment("posted_at")
        last, told = wakes.journal.last_input(agent, posted), wakes.journal.before(trigger)
        puts = [put.moment("at") for put in wakes.injections(trigger)]
        if last is None or told is None or told.active or not told.managed:
            continue
        silent = posted - last
        if QUIET - NEAR <= silent < QUIET:
            waited = bool(puts) and puts[0] >= last + QUIET and puts[0] > posted
            observe("quiet_limit_off", int(not waited), side="within", **where(trigger), at=posted)
        elif QUIET <= silent <= QUIET + NEAR:
            went = bool(puts) and puts[0] - posted <= NEAR
            observe("quiet_limit_off", int(not went), side="beyond", **where(trigger), at=posted)


@pytest.mark.criterion("quiet-window-restarts", "quiet-window-boundary")
def test_who_types_again_is_left_alone_again(wakes: Woken, observe: Observe) -> None:
    seen = Told(observe)
    for trigger in wakes.those("typing"):
        agent, posted = trigger.text("recipient"), trigger.moment("posted_at")
        puts = [put.moment("at") for put in wakes.injections(trigger)]
        typed = [at for at in wakes.journal.human_inputs(agent) if posted < at < posted + QUIET]
        if not typed or not puts or wakes.overridden(trigger):
            continue
        early = puts[0] - max(at for at in typed) < QUIET
        seen("injected_too_early", early, **where(trigger), at=posted)
    seen.none_bad("it was injected within 20 s of the last human input")


@pytest.mark.criterion("recheck-cadence", "collision-defer-and-queue", "policy-recheck-interval")
def test_a_trigger_goes_out_soon_after_the_silence(wakes: Woken, observe: Observe) -> None:
    for trigger in wakes.those("typing"):
        puts = [put.moment("at") for put in wakes.injections(trigger)]
        if not puts or wakes.overridden(trigger):
            continue
        last = wakes.journal.last_input(trigger.text("recipient"), puts[0])
        assert last is not None
        lag = (puts[0] - last - QUIET).total_seconds()
        at = trigger.moment("posted_at")
        observe("release_lag_s", lag, **where(trigger), at=at)
        assert lag <= LOOK.total_seconds(), (
            f"{trigger['recipient']} was injected {lag:g} s after the quiet window had ended"
        )
        if wakes.sent and waits_alone(wakes, trigger):
            looked = (puts[0] - trigger.moment("posted_at")) / LOOK
            assert abs(looked - round(looked)) * LOOK <= NEAR, (
                f"{trigger['recipient']} was looked at {looked * LOOK} after its message came"
            )


def waits_alone(wakes: Woken, trigger: Reported) -> bool:
    """Whether nothing waited for its recipient before it, so that looks are counted from it."""
    posted = trigger.moment("posted_at")
    return not any(
        other.text("recipient") == trigger["recipient"]
        and other.moment("posted_at") < posted < other.moment("done_at")
        for other in wakes.triggers
        if other.get("done_at") is not None
    )


@pytest.mark.criterion("max-defer-fallback")
def test_a_trigger_waits_for_a_minute_at_most(wakes: Woken, observe: Observe) -> None:
    for trigger in wakes.those("typing"):
        agent, posted = trigger.text("recipient"), trigger.moment("posted_at")
        if not wakes.never_silent(trigger) or wakes.overridden(trigger):
            continue
        assert not wakes.injections(trigger), f"{agent} was injected while its human typed"
        assert not wakes.journal.of(trigger, "spawn"), "a session was spawned beside a human"
        assert trigger.get("path") == "polling", f"after a minute its path is {trigger['path']}"
        age = (trigger.moment("done_at") - posted).total_seconds()
        assert age >= MOST_DEFERRED.total_seconds(), f"it gave up after {age:g} s"
        picked = wakes.journal.picked_up(trigger)
        assert len(picked) == 1, f"its message was picked up {len(picked)} times"
        assert wakes.found_in_inbox(trigger), f"the inbox of {agent} has not what was posted"
        assert picked[0] >= posted + MOST_DEFERRED, "it was in the inbox before its time"
        observe("defer_age_at_fallback_s", age, **where(trigger), at=posted)


@pytest.mark.criterion("resume-then-spawn")
def test_two_refused_resumes_and_then_a_new_session(
    phase: Stage, wakes: Woken, observe: Observe
) -> None:
    looks = [tick.moment("at") for tick in ticks(phase.file("logs"))]
    for trigger in wakes.those("dormant"):
        resumes = wakes.journal.of(trigger, "resume")
        for later in resumes[1:]:
            at = later.moment("at")
            assert any(abs(at - look) <= NEAR for look in looks), (
                f"a resume of {trigger.text('id')} was tried again between two ticks"
            )
        if len(refused(resumes)) < RESUMES and not wakes.journal.of(trigger, "spawn"):
            continue
        spawns = wakes.journal.of(trigger, "spawn")
        if refused(spawns):
            continue  # what cannot be spawned either is left to polling
        told = wakes.journal.before(trigger)
        fits = (len(refused(resumes)), len(resumes), len(spawns)) == (RESUMES, RESUMES, 1)
        fits = fits and told is not None and spawns[0].text("session") != told.id
        fits = fits and trigger.get("result") == "fallback_spawned"
        fits = fits and wakes.acknowledged(trigger) is not None
        at = trigger.moment("posted_at")
        observe("spawn_off", int(not fits), **where(trigger), at=at)
    once = [t for t in wakes.those("dormant") if len(refused(wakes.journal.of(t, "resume"))) == 1]
    for trigger in once:
        assert trigger.get("result") == "triggered", "one refused resume spawned a session"


@pytest.mark.criterion("stale-session-spawn")
def test_a_session_is_stale_after_twelve_hours(wakes: Woken, observe: Observe) -> None:
    for trigger in wakes.those("dormant", "stale"):
        told, posted = wakes.journal.before(trigger), trigger.moment("posted_at")
        if told is None or told.heartbeat_at is None:
            continue
        gap = posted - told.heartbeat_at
        resumes = wakes.journal.of(trigger, "resume")
        spawns = wakes.journal.of(trigger, "spawn")
        if gap == STALE:
            fits = len(resumes) == 1 and not spawns and trigger.get("result") == "triggered"
            observe("stale_limit_off", int(not fits), side="12h", **where(trigger), at=posted)
        elif STALE < gap <= STALE + timedelta(seconds=1):
            fits = not resumes and len(spawns) == 1 and trigger.get("result") == "fallback_spawned"
            observe("stale_limit_off", int(not fits), side="12h 1s", **where(trigger), at=posted)
