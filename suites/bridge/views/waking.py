"""How agents were woken: the bridge's triggers, held against the journal of the runtime."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from pytest_rollout import Reported
from suites.bridge.views.lines import lines, ticks
from suites.bridge.views.said import not_done
from suites.bridge.views.service import Bridge

QUIET = timedelta(seconds=20)
ACK = timedelta(seconds=8)
STALE = timedelta(hours=12)
LOOK = timedelta(seconds=5)
MOST_DEFERRED = timedelta(seconds=60)
TRIES = 3
_NEAR = timedelta(milliseconds=2)  # times are written in milliseconds
RESUMES = 2


@dataclass(frozen=True, slots=True)
class Session:
    """An agent's session, as the journal knows it at a moment."""

    id: str
    managed: bool
    active: bool
    heartbeat_at: datetime | None
    human_at: datetime | None


@dataclass(frozen=True)
class Journal:
    """The journal of the runtime: what sessions were told and what they did."""

    lines: Sequence[Reported]

    @cached_property
    def _by_trigger(self) -> Mapping[str, list[Reported]]:
        groups: dict[str, list[Reported]] = {}
        for line in self.lines:
            groups.setdefault(str(line.get("trigger") or ""), []).append(line)
        return groups

    @cached_property
    def _by_agent(self) -> Mapping[str, list[Reported]]:
        groups: dict[str, list[Reported]] = {}
        for line in self.lines:
            groups.setdefault(str(line.get("agent") or ""), []).append(line)
        return groups

    def of(self, trigger: Reported, *kinds: str) -> list[Reported]:
        """What was done for a trigger, of some kinds."""
        return [
            line
            for line in self._by_trigger.get(trigger.text("id"), [])
            if line.text("do") in kinds
        ]

    def agent(self, name: str, *kinds: str) -> list[Reported]:
        """What concerns an agent, of some kinds."""
        return [line for line in self._by_agent.get(name, []) if line.text("do") in kinds]

    def before(self, trigger: Reported) -> Session | None:
        """The session of its recipient when the message was accepted; None without one."""
        told: Session | None = None
        posted = trigger.moment("posted_at")
        for line in self._by_agent.get(trigger.text("recipient"), []):
            if line.moment("at") > posted or line.get("trigger") == trigger.text("id"):
                break
            told = _after(told, line)
        return told

    def human_inputs(self, name: str) -> list[datetime]:
        """When somebody typed in a session of an agent."""
        typed = [line.moment("at") for line in self.agent(name, "human-input")]
        said = [
            line.moment("human_input_at")
            for line in self.agent(name, "session")
            if line.get("human_input_at") is not None
        ]
        return sorted({*typed, *said})

    def last_input(self, name: str, moment: datetime) -> datetime | None:
        """The last time that somebody typed, up to a moment."""
        earlier = [typed for typed in self.human_inputs(name) if typed <= moment]
        return earlier[-1] if earlier else None

    def picked_up(self, trigger: Reported) -> list[datetime]:
        """When its recipient found the message in its polling inbox."""
        return [
            line.moment("at")
            for line in self.agent(trigger.text("recipient"), "picked-up")
            if line.text("message") == trigger.text("message_id")
        ]


def _after(told: Session | None, line: Reported) -> Session | None:
    """A session after a line of the journal."""
    kind, at = line.text("do"), line.moment("at")
    if kind == "session":
        return Session(
            line.text("session"),
            line.flag("managed"),
            line.text("state") == "active",
            None if line.get("heartbeat_at") is None else line.moment("heartbeat_at"),
            None if line.get("human_input_at") is None else line.moment("human_input_at"),
        )
    if kind in ("resume", "spawn") and line.get("ok") is True:
        human = told.human_at if told else None
        return Session(line.text("session"), True, True, at, human)
    if told is None:
        return None
    if kind == "human-input":
        return Session(told.id, told.managed, told.active, told.heartbeat_at, at)
    if kind in ("ack", "turn"):
        return Session(told.id, told.managed, told.active, at, told.human_at)
    return told


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that the suite posted: for whom, and when by the clock."""

    message: str
    recipients: tuple[str, ...]
    at: datetime
    text: str


@dataclass(frozen=True)
class Woken:
    """Triggers and the journal, from which each check reads what it is about."""

    triggers: Sequence[Reported]
    journal: Journal
    restarts: Sequence[datetime] = ()
    sent: Sequence[Sent] = ()  # what the suite itself posted
    refusals: Mapping[str, str] = field(default_factory=dict)  # codes, by what was tried
    inboxes: Mapping[str, Sequence[Reported]] = field(default_factory=dict)  # by agent

    def kind(self, trigger: Reported) -> str:
        """What its recipient was like when the message came, by the journal alone."""
        told, posted = self.journal.before(trigger), trigger.moment("posted_at")
        if told is None:
            return "no session"
        if not told.managed:
            return "unmanaged"
        if told.active:
            return "active"
        if told.human_at is not None and posted - told.human_at < QUIET:
            return "typing"
        if self._waits_behind(trigger):
            return "queued"
        if told.heartbeat_at is not None and posted - told.heartbeat_at > STALE:
            return "stale"
        return "dormant"

    @cached_property
    def _by_recipient(self) -> Mapping[str, list[Reported]]:
        groups: dict[str, list[Reported]] = {}
        for trigger in self.triggers:
            groups.setdefault(trigger.text("recipient"), []).append(trigger)
        return groups

    def _waits_behind(self, trigger: Reported) -> bool:
        """Whether another message waited for its human when it came, by what the runtime got."""
        posted = trigger.moment("posted_at")
        earlier = [
            other
            for other in self._by_recipient[trigger.text("recipient")]
            if posted - MOST_DEFERRED < other.moment("posted_at") < posted
        ]
        return any(
            self.kind(other) in ("typing", "queued")
            and other.get("path") == "trigger"
            and all(
                line.moment("at") > posted
                for line in self.journal.of(other, "resume", "spawn", "inject")
            )
            for other in earlier
        )

    def those(self, *kinds: str) -> list[Reported]:
        """The triggers for recipients of some kinds; raises NoValueError where there is none."""
        chosen = [trigger for trigger in self.triggers if self.kind(trigger) in kinds]
        if not chosen:
            named = " or ".join(kinds)
            not_done(f"no message went to an agent that was {named}", "send one, or wait for one")
        return chosen

    def slips(self) -> list[str]:
        """Where a message that the suite posted has not one trigger for each recipient."""
        rows: dict[tuple[str, str], list[Reported]] = {}
        for trigger in self.triggers:
            place = trigger.text("message_id"), trigger.text("recipient")
            rows.setdefault(place, []).append(trigger)
        wrong = []
        for sent in self.sent:
            for agent in sent.recipients:
                wakes = rows.get((sent.message, agent), [])
                if len(wakes) != 1:
                    wrong.append(f"the message to {agent} has {len(wakes)} triggers")
                elif abs(wakes[0].moment("posted_at") - sent.at) > timedelta(seconds=1):
                    wrong.append(f"the message to {agent} is said to be of {wakes[0]['posted_at']}")
        return wrong

    def injections(self, trigger: Reported) -> list[Reported]:
        """The injections that were made for it."""
        return self.journal.of(trigger, "inject")

    def acknowledged(self, trigger: Reported) -> datetime | None:
        """When the runtime took an injection up in time; None where it never did."""
        for ack in self.journal.of(trigger, "ack"):
            at = ack.moment("at")
            if any(
                timedelta(0) <= at - put.moment("at") <= ACK for put in self.injections(trigger)
            ):
                return at
        return None

    def delivered(self, trigger: Reported) -> bool:
        """Whether the message reached its recipient, by an injection or by polling."""
        return self.acknowledged(trigger) is not None or bool(self.journal.picked_up(trigger))

    def found_in_inbox(self, trigger: Reported) -> bool:
        """Whether the inbox, where it was looked at, has its message once and as it was posted."""
        inbox = self.inboxes.get(trigger.text("recipient"))
        if inbox is None:
            return True
        message = trigger.text("message_id")
        posted = [sent.text for sent in self.sent if sent.message == message]
        return [row.text("text") for row in inbox if row.text("id") == message] == posted

    def never_silent(self, trigger: Reported) -> bool:
        """Whether its human typed on, without twenty seconds of rest, while it may wait."""
        posted = trigger.moment("posted_at")
        ended = posted + MOST_DEFERRED
        typed = [at for at in self.journal.human_inputs(trigger.text("recipient")) if at <= ended]
        last = [at for at in typed if at <= posted][-1:]
        moments = [*last, *(at for at in typed if at > posted), ended]
        return bool(last) and all(later - at < QUIET for at, later in pairwise(moments))

    def overridden(self, trigger: Reported) -> bool:
        """Whether somebody ended its deferral by hand."""
        return trigger.get("overridden_by") is not None


def woken_so_far(bridge: Bridge, runtime: Path, logs: Path) -> Woken:
    """All triggers, and the whole journal of the runtime."""
    triggers = bridge.operator.get("/v1/triggers").each("triggers")
    journal = Journal(list(lines(runtime, "journal of the runtime")))
    told = [line for line in ticks(logs) if line.text("event") == "supervisor.started"]
    return Woken(triggers, journal, [line.moment("at") for line in told])


def due_reason(woken: Woken, trigger: Reported) -> str | None:
    """Why a trigger that is done was not just ``triggered``, by the journal alone; else None."""
    kind, spawns = woken.kind(trigger), woken.journal.of(trigger, "spawn")
    if kind in ("active", "unmanaged"):
        return kind
    if refused(spawns):
        return "spawn-refused"
    if not woken.journal.of(trigger, "resume", "spawn", "inject"):
        return "human-input" if kind == "typing" else "no-runtime"
    if woken.acknowledged(trigger) is None:
        return "no-ack"
    if not spawns:
        return None
    return "resume-refused" if woken.journal.of(trigger, "resume") else "stale"


def untold(woken: Woken, trigger: Reported) -> str:
    """What a trigger that is done tells of itself and was not so; empty where all is."""
    attempts = woken.journal.of(trigger, "resume", "spawn", "inject")
    told = trigger.each("attempts")
    for said, line in zip(told, attempts, strict=True):
        if said.text("session") != line["session"]:
            return f"a {said['kind']} of {said['session']}, and it was of {line['session']}"
    first = attempts[0].moment("at") if attempts else None
    if (trigger.get("attempted_at") is None) != (first is None):
        return f"attempted_at {trigger['attempted_at']}"
    taken, done = woken.acknowledged(trigger), trigger.moment("done_at")
    last = told[-1].get("acked_at") if told else None
    for name, value, due in (
        ("attempted_at", trigger.get("attempted_at"), first),
        ("acked_at", trigger.get("acked_at"), taken),
        ("acked_at of the last attempt", last, taken),
    ):
        said_at = None if value is None else Reported({"at": value}, name).moment("at")
        if (said_at is None) != (due is None):
            return f"{name} {value}"
        if said_at is not None and due is not None and abs(said_at - due) > _NEAR:
            return f"{name} {value}, and it was at {due}"
    latest = max((line.moment("at") for line in attempts), default=trigger.moment("posted_at"))
    if done < latest or (taken is not None and abs(done - taken) > _NEAR):
        return f"done_at {trigger['done_at']}"
    if trigger.get("reason") != (why := due_reason(woken, trigger)):
        return f"reason {trigger['reason']}, and it was {why}"
    looks = [look.moment("at") for look in trigger.each("deferrals")]
    waits = trigger.get("deferred_since") is not None
    if waits != bool(looks) or (waits and trigger.moment("deferred_since") != looks[0]):
        return f"deferred_since {trigger['deferred_since']}, and it was looked at {looks}"
    for look in trigger.each("deferrals"):
        typed = woken.journal.last_input(trigger.text("recipient"), look.moment("at"))
        if typed is None or abs(look.moment("human_input_at") - typed) > _NEAR:
            return f"human input at {look['human_input_at']}, and it was at {typed}"
    return ""


def refused(attempts: Iterable[Reported]) -> list[Reported]:
    """The attempts that the runtime refused."""
    return [attempt for attempt in attempts if not attempt.flag("ok")]
