"""Who is woken, and how: by the runtime's journal, not by what the bridge says of itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pytest_rollout import Observe, Reported
from suites.bridge.checks.told import Told
from suites.bridge.views.said import not_done
from suites.bridge.views.service import Bridge
from suites.bridge.views.waking import ACK, QUIET, Woken, refused

pytestmark = [pytest.mark.bridge_wake, pytest.mark.bridge_phase1]

HEALTHY = ("dormant", "active")


def labels(trigger: Reported) -> dict[str, str]:
    """What tells a trigger from others."""
    return {"trigger": trigger.text("id"), "recipient": trigger.text("recipient")}


def answers(woken: Woken, trigger: Reported) -> bool:
    """Whether its recipient can be resumed and takes up at once what is injected."""
    resumes, puts = woken.journal.of(trigger, "resume"), woken.injections(trigger)
    taken = woken.acknowledged(trigger)
    in_time = taken is not None and taken - puts[0].moment("at") <= ACK
    return not refused(resumes) and (not puts or in_time)


@pytest.mark.criterion("wake-dormant-codex")
def test_a_dormant_agent_is_resumed_by_one_trigger(wakes: Woken, observe: Observe) -> None:
    slips = wakes.slips()
    assert not slips, slips[:3]
    for trigger in wakes.those("dormant"):
        if not answers(wakes, trigger):
            continue  # of which other criteria tell
        resumes = wakes.journal.of(trigger, "resume")
        told = wakes.journal.before(trigger)
        right = len(resumes) == 1 and told is not None and resumes[0].text("session") == told.id
        right = right and len(wakes.injections(trigger)) == 1
        right = right and trigger.get("result") == "triggered" and trigger.get("path") == "trigger"
        at = trigger.moment("posted_at")
        observe("dormant_not_woken", int(not right), **labels(trigger), at=at)


@pytest.mark.criterion("wake-already-active")
def test_an_agent_that_runs_gets_no_second_session(wakes: Woken, observe: Observe) -> None:
    for trigger in wakes.those("active"):
        started = len(wakes.journal.of(trigger, "resume", "spawn"))
        unsaid = int(trigger.get("result") != "already_active")
        at = trigger.moment("posted_at")
        observe("session_started_twice", started + unsaid, **labels(trigger), at=at)


@pytest.mark.criterion("wake-once-per-message")
def test_a_restart_wakes_nobody_twice(wakes: Woken, observe: Observe) -> None:
    spans = 0
    for trigger in wakes.triggers:
        posted = trigger.moment("posted_at")
        later = [at for at in wakes.restarts if posted <= at <= posted + timedelta(minutes=2)]
        taken_up = wakes.journal.of(trigger, "ack")
        if not later or not taken_up:
            continue
        spans += 1
        observe("woken_again", len(wakes.injections(trigger)) - 1, **labels(trigger), at=posted)
        assert len(taken_up) == 1, (
            f"{trigger['recipient']} took one message up {len(taken_up)} times"
        )
    if not spans:
        not_done("the supervisor was not restarted beside a trigger", "restart it")


@pytest.mark.criterion("dormant-wake-resume")
def test_a_resumed_agent_goes_on_in_its_session(
    wakes: Woken, bridge: Bridge, observe: Observe
) -> None:
    for trigger in wakes.those("dormant"):
        told = wakes.journal.before(trigger)
        resumed = [row for row in wakes.journal.of(trigger, "resume") if row.flag("ok")]
        injected = [row.text("session") for row in wakes.injections(trigger)]
        turns = [
            turn
            for turn in wakes.journal.agent(trigger.text("recipient"), "turn")
            if turn.text("thread") == trigger["thread_id"]
        ]
        if not (told and resumed and turns):
            continue
        posted = [message for turn in turns for message in turn.get("posted") or ()]
        if not posted:
            continue  # it acknowledges, and has nothing to say
        rows = bridge.operator.read(trigger.text("thread_id"))
        said = [row for row in rows if row.text("id") in posted]
        sessions = {row.text("session") for row in (*resumed, *turns)}
        right = sessions == {told.id} == set(injected)
        right = right and bool(said)
        right = right and all(row.text("from") == trigger.text("recipient") for row in said)
        at = trigger.moment("posted_at")
        observe("resumed_elsewhere", int(not right), **labels(trigger), at=at)


# Triggers first, polling where they fail


@pytest.mark.criterion("hybrid-trigger-first")
def test_a_healthy_agent_is_never_left_to_polling(wakes: Woken, observe: Observe) -> None:
    for trigger in wakes.those(*HEALTHY):
        if not answers(wakes, trigger):
            continue
        polled = trigger.get("path") != "trigger" or bool(wakes.journal.picked_up(trigger))
        at = trigger.moment("posted_at")
        observe("healthy_target_polled", int(polled), **labels(trigger), at=at)


@pytest.mark.criterion("hybrid-polling-fallback")
def test_where_triggers_fail_polling_delivers(wakes: Woken, observe: Observe) -> None:
    for trigger in wakes.those("dormant", "stale", "no session"):
        asked = wakes.journal.of(trigger, "resume", "spawn", "inject")
        if not asked or wakes.acknowledged(trigger) is not None:
            continue
        if trigger.text("state") != "done":
            continue
        picked = wakes.journal.picked_up(trigger)
        lost = len(picked) != 1 or (trigger.get("path"), trigger.get("result")) != (
            "polling",
            "failed",
        )
        lost = lost or not wakes.found_in_inbox(trigger)
        at = trigger.moment("posted_at")
        observe("message_undelivered", int(lost), **labels(trigger), at=at)


@pytest.mark.criterion("managed-runtime-required")
def test_an_unmanaged_runtime_is_never_touched(wakes: Woken, observe: Observe) -> None:
    for trigger in wakes.those("unmanaged"):
        touched = wakes.journal.of(trigger, "inject", "resume", "spawn")
        at = trigger.moment("posted_at")
        observe("unmanaged_injected", len(touched), **labels(trigger), at=at)


@pytest.mark.criterion("unmanaged-fallback")
def test_an_unmanaged_agent_finds_its_message(wakes: Woken, observe: Observe) -> None:
    for trigger in wakes.those("unmanaged"):
        picked = wakes.journal.picked_up(trigger)
        served = len(picked) == 1 and trigger.get("path") == "polling"
        served = served and wakes.found_in_inbox(trigger)
        at = trigger.moment("posted_at")
        observe("unmanaged_not_served", int(not served), **labels(trigger), at=at)


# While a human types


@pytest.mark.criterion("collision-defer-and-queue")
def test_nothing_is_injected_while_a_human_types(wakes: Woken, observe: Observe) -> None:
    for trigger in wakes.those("typing"):
        if wakes.overridden(trigger):
            continue
        wrong = trigger.text("state") != "done" or not wakes.delivered(trigger)
        for put in wakes.injections(trigger):
            at = put.moment("at")
            last = wakes.journal.last_input(trigger.text("recipient"), at)
            wrong = wrong or (last is not None and at - last < QUIET)
        at = trigger.moment("posted_at")
        observe("injected_while_typing", int(wrong), **labels(trigger), at=at)


@pytest.mark.criterion("collision-queue-order", "collision-defer-and-queue")
def test_a_queue_goes_out_in_order(wakes: Woken, observe: Observe) -> None:
    seen = Told(observe)
    queues: dict[str, list[Reported]] = {}
    for trigger in wakes.those("typing", "queued"):
        if not (wakes.overridden(trigger) or wakes.never_silent(trigger)):
            queues.setdefault(trigger.text("recipient"), []).append(trigger)
    for agent, waited in queues.items():
        if len(waited) < 2:
            continue
        ids = [trigger.text("id") for trigger in waited]
        lines = wakes.journal.agent(agent, "inject")
        went = [row.text("trigger") for row in lines if row.text("trigger") in ids]
        for place, trigger in enumerate(waited):
            wrong = place >= len(went) or went[place] != trigger.text("id")
            wrong = wrong or went.count(trigger.text("id")) != 1
            at = trigger.moment("posted_at")
            seen("queue_out_of_order", wrong, **labels(trigger), at=at)
    seen.none_bad("what waited went out of order, or not once")


@pytest.mark.criterion("collision-defer")
def test_a_trigger_waits_for_five_seconds_of_silence_to_become_twenty(
    wakes: Woken, bridge: Bridge
) -> None:
    seen = 0
    for trigger in wakes.those("typing"):
        posted, agent = trigger.moment("posted_at"), trigger.text("recipient")
        last = wakes.journal.last_input(agent, posted)
        inputs = [at for at in wakes.journal.human_inputs(agent) if at > posted]
        if (
            last is None
            or inputs
            or not timedelta(seconds=4) <= posted - last <= timedelta(seconds=6)
        ):
            continue
        seen += 1
        puts = wakes.injections(trigger)
        assert puts, f"the trigger for {agent} waited and never went out"
        waited = puts[0].moment("at") - last
        assert waited >= QUIET, f"it went out {waited.total_seconds():g} s after human input"
        assert trigger.get("deferred_since") is not None, "the trigger does not say that it waited"
        assert trigger.get("result") == "triggered"
    overridden_by_operators_alone(wakes, bridge)
    if not seen:
        not_done("no message came five seconds after human input", "send one then")


def pressed(wakes: Woken) -> list[Reported]:
    """The triggers that somebody had go out by hand, or meant to."""
    said = [trigger for trigger in wakes.triggers if wakes.overridden(trigger)]
    return said or [trigger for trigger in wakes.triggers if trigger.text("recipient") == "pressed"]


@pytest.mark.criterion("collision-override")
def test_a_human_can_have_it_go_out_at_once(wakes: Woken, bridge: Bridge) -> None:
    if not pressed(wakes):
        not_done("nobody ended a deferral by hand", "override one")
    overridden_by_operators_alone(wakes, bridge)


def overridden_by_operators_alone(wakes: Woken, bridge: Bridge) -> None:
    """Demand that each override had its effect, and that nobody else could order one."""
    for trigger in pressed(wakes):
        went_at_once(trigger, wakes, bridge)
    for what, said in wakes.refusals.items():
        assert said == "PERMISSION_DENIED", f"{what} is answered {said}"


def went_at_once(trigger: Reported, wakes: Woken, bridge: Bridge) -> None:
    """Demand that an override is on record with who did it, and that it had its effect."""
    posted = trigger.moment("posted_at")
    events = bridge.operator.audit(trigger.text("thread_id"))
    events += bridge.operator.all("/v1/audit", "events")
    told = [
        event
        for event in events
        if event.text("action") == "trigger.override" and event.text("target") == trigger["id"]
    ]
    assert len(told) == 1, f"the override of {trigger['recipient']} is audited {len(told)} times"
    assert told[0].text("actor") == trigger.get("overridden_by"), "not by who did it"
    assert told[0].text("reason").strip(), "the audit log does not say why it was ended"
    puts = wakes.injections(trigger)
    assert puts, "the override had no effect"
    late = puts[0].moment("at") - told[0].moment("at")
    assert timedelta(0) <= late <= timedelta(seconds=1), f"it went out {late} later"
    last = wakes.journal.last_input(trigger.text("recipient"), puts[0].moment("at"))
    assert last is not None, "no human typed, so the override shows nothing"
    assert puts[0].moment("at") - last < QUIET, "the quiet window was over anyway"
    assert puts[0].moment("at") - posted < timedelta(seconds=20)
