"""Messages to agents of every kind, and what the bridge and the runtime did about each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle

from pytest_rollout import Reported, Stage, scenario
from suites.bridge.views.errors import code
from suites.bridge.views.service import Bridge
from suites.bridge.views.waking import Sent, Woken, woken_so_far

UNMANAGED = ("unmanaged-1", "unmanaged-2", "unmanaged-3")
UNREACHED = ("never-2", "refuses-all", "writer")  # whom triggers never reach
CREW = tuple(f"crew-{number:02}" for number in range(1, 21))


class _Trial:
    """One thread of a suite's agent with others, and the operator who sets their sessions up."""

    def __init__(self, phase: Stage, bridge: Bridge) -> None:
        self.phase = phase
        self.bridge = bridge
        self.sender = bridge.agent("wake-sender", "executor")
        self.clock = phase.target("bridge").clock
        self.sent: list[Sent] = []
        self.refusals: dict[str, str] = {}
        self.lanes = cycle(("attended", "autonomous"))

    def session(self, agent: str, **told: object) -> None:
        """Register a session: managed and asleep since a minute, unless told otherwise."""
        asleep = {"managed": True, "state": "dormant", "heartbeat_age_s": 60, "ack_after_s": 1}
        self.phase.operate("bridge", "session", agent=agent, **{**asleep, **told})

    def thread(self, *members: str) -> str:
        """A new thread with these members, in the other lane than the one before."""
        return self.sender.opened("waking", members, lane=next(self.lanes))

    def say(self, agent: str, text: str = "please look at this", thread: str = "") -> str:
        """Send an agent a message; its id."""
        thread = thread or self.thread(agent)
        return self.posts(thread, text, (agent,), to=[agent])

    def posts(self, thread: str, text: str, agents: tuple[str, ...], to: object = None) -> str:
        """Post a message for some agents, and note it; its id."""
        at = self.clock.now()
        message = self.sender.posted(thread, text, to=to).text("id")
        self.sent.append(Sent(message, agents, at, text))
        self.settle()
        return message

    def types(self, agent: str, every_s: float = 0, for_s: float = 0) -> None:
        """A person types in a session, now and perhaps for a while."""
        self.phase.operate("bridge", "type", agent=agent, every_s=every_s, for_s=for_s)

    def settle(self) -> None:
        """Wait until agents have done their turns."""
        self.phase.operate("bridge", "settle")

    def wait(self, seconds: float) -> None:
        """Let time pass, and agents do their turns."""
        self.clock.advance(seconds)
        self.settle()


@scenario(effect="change")
def wakes(phase: Stage) -> Woken:
    """Messages to agents that sleep, run, type, do not answer, cannot be resumed, are gone."""
    bridge = Bridge.of(phase)
    if not phase.embedded:  # agents are busy with their own work: read what happened
        return told(phase, bridge)
    trial = _Trial(phase, bridge)
    for part in (_asleep, _running, _crew, _silent, _unmanaged):
        part(trial)
    for part in (_typing, _typing_again, _queue, _never_stops, _overridden):
        part(trial)
    for part in (_gone, _once_more, _restarted):
        part(trial)
    trial.wait(10)
    inboxes = {agent: fetched(bridge, agent) for agent in (*UNMANAGED, *UNREACHED)}
    woken = told(phase, bridge)
    return replace(woken, sent=trial.sent, refusals=trial.refusals, inboxes=inboxes)


def fetched(bridge: Bridge, agent: str) -> Sequence[Reported]:
    """The messages that an agent finds in its polling inbox."""
    return bridge.agent(agent).all("/v1/inbox", "messages", limit=2)


def told(phase: Stage, bridge: Bridge) -> Woken:
    """All triggers, and the whole journal of the runtime."""
    return woken_so_far(bridge, phase.file("runtime"), phase.file("logs"))


def _asleep(trial: _Trial) -> None:
    for agent in ("sleeper-1", "sleeper-2", "sleeper-3"):
        trial.session(agent, behaviour="answering")
        trial.say(agent)
        trial.wait(2)


def _running(trial: _Trial) -> None:
    for agent in ("runner-1", "runner-2", "runner-3"):
        trial.session(agent, state="active", heartbeat_age_s=1)
        trial.say(agent)
        trial.wait(1)


def _crew(trial: _Trial) -> None:
    for agent in CREW:
        trial.session(agent)
    thread = trial.thread(*CREW)
    trial.posts(thread, "all of you, please", CREW)
    trial.wait(10)


def _silent(trial: _Trial) -> None:
    late = {"never-1": None, "never-2": None, "never-3": None, "within": 7.9, "beyond": 8.1}
    for agent, seconds in late.items():
        trial.session(agent, ack_after_s=seconds)
        trial.say(agent)
        trial.wait(1)
    trial.wait(7 * 8)


def _unmanaged(trial: _Trial) -> None:
    for agent in UNMANAGED:
        trial.session(agent, managed=False)
    for number in range(3):  # more than a page of the inbox that is asked for
        for agent in UNMANAGED:
            trial.say(agent, f"number {number} of three")
        trial.wait(10)


def _typing(trial: _Trial) -> None:
    """Quiet for 5 s, 19.9 s and 20 s when the message comes, and some ages in between."""
    for number, seconds in enumerate((5, 19.9, 20, 2, 11, 17.5)):
        agent = f"typist-{number}"
        trial.session(agent)
        trial.types(agent)
        trial.wait(seconds)
        trial.say(agent)
        trial.wait(30)


def _typing_again(trial: _Trial) -> None:
    for agent in ("again-1", "again-2"):
        trial.session(agent)
        trial.types(agent)
        trial.wait(1)
        trial.say(agent)
        trial.wait(14)
        trial.types(agent)
        trial.wait(35)


def _queue(trial: _Trial) -> None:
    trial.session("queue")
    trial.types("queue")
    thread = trial.thread("queue")
    for number in range(5):
        trial.say("queue", f"number {number} of five", thread)
        trial.wait(1)
    trial.wait(40)
    trial.session("queue-late")  # the second comes in silence, before the queue is looked at again
    trial.types("queue-late")
    trial.wait(2)
    thread = trial.thread("queue-late")
    for number, then in enumerate((19, 20)):
        trial.say("queue-late", f"number {number} of two", thread)
        trial.wait(then)


def _never_stops(trial: _Trial) -> None:
    trial.session("writer")
    trial.types("writer", every_s=10, for_s=100)
    trial.wait(1)
    trial.say("writer", "the first of two")
    trial.wait(20)
    trial.say("writer", "the second of two")
    trial.wait(90)


def _overridden(trial: _Trial) -> None:
    trial.session("pressed")
    trial.types("pressed", every_s=4, for_s=30)
    message = trial.say("pressed")
    trial.wait(3)
    triggers = trial.bridge.operator.get("/v1/triggers").each("triggers")
    (trigger,) = [waits for waits in triggers if waits.text("message_id") == message]
    path = f"/v1/triggers/{trigger.text('id')}/override"
    for role in ("executor", "reviewer", "coordinator", "reader"):
        other = trial.bridge.agent(f"hurried-{role}", role)
        answer = other.ask("POST", path, {"reason": "I am in a hurry"})
        trial.refusals[f"override by a {role}"] = code(answer)
    trial.refusals["override by the sender"] = code(
        trial.sender.ask("POST", path, {"reason": "I am in a hurry"})
    )
    trial.bridge.operator.post(path, {"reason": "the human said go on"})
    trial.wait(40)


def _gone(trial: _Trial) -> None:
    told: dict[str, dict[str, object]] = {
        "refuses": {"resume_fails": "always"},
        "refuses-once": {"resume_fails": 1},
        "refuses-all": {"resume_fails": "always", "spawn_fails": "always"},
        "twelve-hours": {"heartbeat_age_s": 12 * 3600},
        "a-blink-more": {"heartbeat_age_s": 12 * 3600 + 0.2},
        "a-second-more": {"heartbeat_age_s": 12 * 3600 + 1},
    }
    for agent, more in told.items():
        trial.session(agent, **more)
        trial.say(agent)
        trial.wait(1)
        trial.say(UNMANAGED[0])  # for the supervisor to look at all triggers between two ticks
        trial.wait(19)


def _restarted(trial: _Trial) -> None:
    """The supervisor restarts before an acknowledgement, after one, and during a deferral."""
    for agent, seconds in (("restart-1", 3), ("restart-2", 0.5), ("restart-3", 1)):
        trial.session(agent, ack_after_s=seconds)
        if agent == "restart-3":
            trial.types(agent)
        trial.say(agent)
        trial.wait(1)
        trial.phase.operate("bridge", "restart-supervisor")
        trial.wait(40)


def _once_more(trial: _Trial) -> None:
    """A second message to those of before: nothing of the first one counts for it."""
    told: dict[str, dict[str, object]] = {
        "never-1": {"ack_after_s": None},
        "refuses": {"resume_fails": "always"},
        "twelve-hours": {"heartbeat_age_s": 12 * 3600},
        "a-second-more": {"heartbeat_age_s": 12 * 3600 + 1},
    }
    for agent, more in told.items():
        trial.session(agent, **more)
        trial.say(agent)
        trial.wait(40)
    _never_stops(trial)
