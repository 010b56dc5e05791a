"""Every series that a guardrail of the plan judges thread by thread, or trigger by trigger.

Tests observe them at the gate, and a watch asks for them: what happened has the same samples then
as ever, so that none is counted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from pytest_rollout import Sample
from suites.bridge.views import oracle
from suites.bridge.views.lines import ticks
from suites.bridge.views.pair import Pilot
from suites.bridge.views.service import Bridge
from suites.bridge.views.waking import ACK, woken_so_far

_LOOKS_BACK = timedelta(hours=2)  # of a rule over an hour


def turns(pilot: Pilot) -> Iterator[Sample]:
    """Of each turn of an agent, whether it made progress."""
    for thread, messages in pilot.messages.items():
        for row in messages:
            if row.text("from") in pilot.agents:
                moved = row.text("kind") == "progress"
                yield Sample(row.moment("created_at"), int(moved), {"thread": thread})


def findings(pilot: Pilot) -> Iterator[Sample]:
    """Of each finding, in how many cycles in a row it has stood; 0 for a thread without one."""
    for thread in pilot.threads:
        labels = {"thread": thread.text("id")}
        yield Sample(thread.moment("created_at"), 0, labels)
        rows = [row for row in pilot.messages[labels["thread"]] if row.text("kind") == "finding"]
        counts = oracle.cycles(row.text("text") for row in rows)
        for row, count in zip(rows, counts, strict=True):
            yield Sample(row.moment("created_at"), count, labels)


def acknowledgements(pilot: Pilot) -> Iterator[Sample]:
    """Of each injection, once its time is over, whether it was acknowledged in it."""
    for trigger in pilot.triggers:
        acks = [ack.moment("at") for ack in pilot.woken.journal.of(trigger, "ack")]
        for put in pilot.woken.injections(trigger):
            at = put.moment("at")
            if at + ACK < pilot.now:
                taken = any(timedelta(0) <= ack - at <= ACK for ack in acks)
                yield Sample(at + ACK, int(taken), {"trigger": trigger.text("id")})


def deferrals(pilot: Pilot) -> Iterator[Sample]:
    """Of each trigger 0 when its message came, and its age at each look while it waits."""
    for trigger in pilot.triggers:
        labels, posted = {"trigger": trigger.text("id")}, trigger.moment("posted_at")
        yield Sample(posted, 0, labels)
        if trigger.get("deferred_since") is None:
            continue
        since = trigger.moment("deferred_since")
        looks = {look.moment("at") for look in trigger.each("deferrals")} - {posted}
        looks |= {trigger.moment("done_at")} if trigger.get("path") == "polling" else set()
        for at in sorted(looks):
            yield Sample(at, (at - since).total_seconds(), labels)


def heartbeats(pilot: Pilot) -> Iterator[Sample]:
    """Of each session that a message was for, how long it had been silent."""
    for trigger in pilot.triggers:
        told, posted = pilot.woken.journal.before(trigger), trigger.moment("posted_at")
        if trigger.text("recipient") in pilot.agents and told and told.heartbeat_at is not None:
            gap = max(0.0, (posted - told.heartbeat_at).total_seconds())
            yield Sample(posted, gap, {"session": told.id, "trigger": trigger.text("id")})


def resumes(pilot: Pilot) -> Iterator[Sample]:
    """Of each attempt to resume a session, whether it worked."""
    for trigger in pilot.triggers:
        if trigger.text("recipient") in pilot.agents:
            for attempt in pilot.woken.journal.of(trigger, "resume"):
                labels = {"session": attempt.text("session")}
                yield Sample(attempt.moment("at"), int(attempt.flag("ok")), labels)


OF_THE_PILOT: Mapping[str, Callable[[Pilot], Iterator[Sample]]] = {
    "turn_made_progress": turns,
    "identical_finding_cycles": findings,
    "attempt_acked_in_8s": acknowledgements,
    "defer_age_s": deferrals,
    "resume_ok": resumes,
    "heartbeat_gap_s": heartbeats,
}


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a watch finds what it asks for."""

    bridge: Bridge
    repository: Path
    runtime: Path
    logs: Path
    now: datetime

    def pilot(self) -> Pilot:
        """The pilot as it stands."""
        woken = woken_so_far(self.bridge, self.runtime, self.logs)
        return Pilot.of(self.bridge, self.repository, woken, self.now)


def escalations(sources: Sources) -> Iterator[Sample]:
    """How many escalations there were in each turn of the supervisor, zero included."""
    since = sources.now - _LOOKS_BACK
    told = sources.bridge.operator.get("/v1/escalations", since=since).each("escalations")
    raised = [escalation.moment("at") for escalation in told]
    lines = [line for line in ticks(sources.logs) if line.text("event").startswith("tick.")]
    moments = [at for line in lines if (at := line.moment("at")) > since]
    for before, at in pairwise(moments):
        yield Sample(at, sum(before < moment <= at for moment in raised), {})


def _of_the_pilot(name: str) -> Callable[[Sources], Iterator[Sample]]:
    return lambda sources: OF_THE_PILOT[name](sources.pilot())


SERIES: Mapping[str, Callable[[Sources], Iterator[Sample]]] = {
    **{name: _of_the_pilot(name) for name in OF_THE_PILOT},
    "escalations": escalations,
}
