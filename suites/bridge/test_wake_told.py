"""What triggers and the journal of the runtime tell of themselves, held against each other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pytest_rollout import Reported
from suites.bridge.views.service import Bridge
from suites.bridge.views.waking import ACK, Woken, untold

pytestmark = [pytest.mark.bridge_wake, pytest.mark.bridge_phase1]

ATTEMPTS = ("resume", "spawn", "inject")


@pytest.mark.criterion("wake-dormant-codex")
def test_the_journal_says_what_came_of_each_request(wakes: Woken) -> None:
    """For whom, of which message and trigger; that it worked, or why it did not."""
    ids = {trigger.text("id"): trigger for trigger in wakes.triggers}
    for line in wakes.journal.lines:
        if line.text("do") not in (*ATTEMPTS, "ack"):
            continue
        trigger = ids.get(line.text("trigger"))
        if trigger is None:
            continue  # of another start of the bridge
        due = [trigger[name] for name in ("recipient", "thread_id", "message_id")]
        said = [line.get(name) for name in ("agent", "thread", "message")]
        assert said == due, f"a {line['do']} is said to be about {said}, not {due}"
        assert line.flag("ok") == (line.get("error") is None), f"a {line['do']} says {dict(line)}"


@pytest.mark.criterion("hybrid-trigger-first")
def test_triggers_tell_what_the_runtime_was_asked(wakes: Woken) -> None:
    """Each attempt with its kind, time and outcome, as the journal of the runtime has it."""
    for trigger in wakes.triggers:
        told, asked = trigger.each("attempts"), wakes.journal.of(trigger, *ATTEMPTS)
        kinds = [row.text("kind") for row in told], [row.text("do") for row in asked]
        assert kinds[0] == kinds[1], (
            f"for {trigger['recipient']} it tells {kinds[0]}, not {kinds[1]}"
        )
        for said, done in zip(told, asked, strict=True):
            off = abs(said.moment("at") - done.moment("at"))
            assert off <= timedelta(seconds=1), f"{trigger['recipient']}: it tells {said['at']}"
            if said["kind"] != "inject":  # which is answered later
                outcome = (said.get("ok"), bool(said.get("error")))
                assert outcome == (done.get("ok"), bool(done.get("error"))), (
                    f"{trigger['recipient']}: a {said['kind']} is told as {outcome}"
                )
            else:
                taken = any(
                    done.moment("at") <= ack.moment("at") <= done.moment("at") + ACK
                    for ack in wakes.journal.of(trigger, "ack")
                )
                outcome = (said.get("ok"), bool(said.get("error")))
                assert outcome == (taken, not taken) or trigger.text("state") != "done", (
                    f"{trigger['recipient']}: an injection is told as {outcome}, taken up: {taken}"
                )


@pytest.mark.criterion("hybrid-trigger-first")
def test_what_a_trigger_tells_of_itself_was_so(wakes: Woken, bridge: Bridge) -> None:
    """Its times, sessions and reason are those of the journal; message and inbox are real."""
    stored: dict[str, Reported] = {}
    for thread in dict.fromkeys(row.text("thread_id") for row in wakes.triggers):
        stored |= {row.text("id"): row for row in bridge.operator.read(thread)}
    for trigger in wakes.triggers:
        message = stored.get(trigger.text("message_id"))
        assert message is not None, f"{trigger['id']} is for a message that is not there"
        for name, field in (("posted_at", "accepted_at"), ("correlation_id", "correlation_id")):
            assert trigger.get(name) == message.get(field), (
                f"{trigger['recipient']}: {name} is {trigger[name]}, not {message[field]}"
            )
        assert trigger.text("recipient") in message["recipients"], "it is for who got no message"
        if trigger.text("state") == "done":
            wrong = untold(wakes, trigger)
            assert not wrong, f"the trigger for {trigger['recipient']} tells {wrong}"
    ids = [trigger.text("id") for trigger in wakes.triggers]
    assert len(set(ids)) == len(ids), "two triggers have one id"
