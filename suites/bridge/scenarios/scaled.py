"""Phase 3: a subscriber whose line breaks, addresses by rule, escalations that rise, helpers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

import httpx

from pytest_rollout import Reported, Stage, scenario
from suites.bridge.views import papers
from suites.bridge.views.exchange import Exchange
from suites.bridge.views.service import Agent, Bridge

# Push

MESSAGES, BREAKS = 60, (20, 40)  # after so many messages the line breaks
_WAIT_S = 4.0


@dataclass(frozen=True)
class Pushed:
    """What was posted and what was pushed, with the breaks in between."""

    posted: Sequence[int]
    pushed: Sequence[int]  # in the order of arrival
    texts: Mapping[int, str]  # of what was pushed
    hidden: int  # a message that is for another agent alone
    strangers: int  # status for somebody who is no member


@scenario(effect="change")
def pushed(phase: Stage) -> Pushed:
    """A subscriber reads as messages come, loses the line twice, and goes on where it was."""
    bridge = Bridge.of(phase)
    exchange = Exchange.begun(bridge, "pushed", 3)
    subscriber, seen = exchange.agents[1], list[Reported]()
    posted: list[int] = []
    last = ""
    edges = (0, *BREAKS, MESSAGES)
    hidden = 0
    for begin, end in pairwise(edges):
        # The first half of a stretch is posted while nobody listens.
        middle = (begin + end) // 2
        posted += [_post(exchange, number) for number in range(begin, middle)]
        with _Stream(subscriber, exchange.thread, last) as events:
            if not hidden:
                hidden = exchange.post(0, "for one alone", to=[exchange.agents[2].name]).json()[
                    "seq"
                ]
            posted += [_post(exchange, number) for number in range(middle, end)]
            for event_id, message in events:
                last, _ = event_id, seen.append(message)
                if message.whole("seq") >= posted[-1]:
                    break
    stranger = bridge.agent("pushed-stranger", "executor")
    refused = stranger.ask("GET", "/v1/stream", params={"thread": exchange.thread}).status_code
    texts = {message.whole("seq"): message.text("text") for message in seen}
    return Pushed(posted, [message.whole("seq") for message in seen], texts, hidden, refused)


def _post(exchange: Exchange, number: int) -> int:
    seq: int = exchange.post(0, f"pushed {number}").raise_for_status().json()["seq"]
    return seq


class _Stream:
    """Events of a thread after the last one, while the line lasts."""

    def __init__(self, agent: Agent, thread: str, last: str) -> None:
        headers = {"Authorization": f"Bearer {agent.token}", "Accept": "text/event-stream"}
        headers |= {"Last-Event-ID": last} if last else {}
        self._asked = agent.client.stream(
            "GET", "/v1/stream", params={"thread": thread}, headers=headers, timeout=_WAIT_S
        )

    def __enter__(self) -> Iterator[tuple[str, Reported]]:
        return self._events(self._asked.__enter__())

    def __exit__(self, *_: object) -> None:
        self._asked.__exit__(None, None, None)

    @staticmethod
    def _events(answer: httpx.Response) -> Iterator[tuple[str, Reported]]:
        answer.raise_for_status()
        event_id, data = "", list[str]()
        try:
            for line in answer.iter_lines():
                field_, _, value = line.partition(":")
                if field_ == "id":
                    event_id = value.strip()
                elif field_ == "data":
                    data.append(value.removeprefix(" "))
                elif not line and data:
                    yield event_id, Reported(json.loads("\n".join(data)), "an event of the stream")
                    data = []
        except httpx.TimeoutException:
            return


# Routing


@dataclass(frozen=True)
class Routed:
    """An address by a rule: who had to get the message, who got it, and who can read it."""

    wanted: frozenset[str]
    told: frozenset[str]  # by the answer
    readers: frozenset[str]  # who finds it in the thread, but for the sender


@scenario(effect="change")
def routed(phase: Stage) -> Mapping[str, Routed | int]:
    """Messages to a role, a capability and the least loaded; and to nobody, which is refused."""
    bridge = Bridge.of(phase)
    crew = {
        "route-exe-1": ("executor", ["python"]),
        "route-exe-2": ("executor", ["python", "sql"]),
        "route-rev-1": ("reviewer", ["sql"]),
        "route-rev-2": ("reviewer", []),
        "route-boss": ("coordinator", ["python"]),
    }
    members = [
        {"agent": name, "role": role, "capabilities": can} for name, (role, can) in crew.items()
    ]
    boss = bridge.agent("route-sender", "coordinator")
    thread = boss.opened("routing", members)
    agents = {name: bridge.agent(name, role) for name, (role, _) in crew.items()}

    def send(to: Mapping[str, str], wanted: Sequence[str], sender: Agent = boss) -> Routed:
        said = sender.posted(thread, f"by rule {to}", to=to, wake=False)
        seq = said.whole("seq")
        readers = {
            name
            for name, agent in agents.items()
            if name != sender.name and seq in {one.whole("seq") for one in agent.read(thread)}
        }
        return Routed(frozenset(wanted), frozenset(said["recipients"]), frozenset(readers))

    found: dict[str, Routed | int] = {
        "role reviewer": send({"role": "reviewer"}, ["route-rev-1", "route-rev-2"]),
        "role executor": send({"role": "executor"}, ["route-exe-1", "route-exe-2"]),
        "role of the sender": send({"role": "executor"}, ["route-exe-2"], agents["route-exe-1"]),
        "capability sql": send({"capability": "sql"}, ["route-exe-2", "route-rev-1"]),
        "capability python": send(
            {"capability": "python"}, ["route-exe-1", "route-exe-2", "route-boss"]
        ),
    }
    found |= _by_load(bridge, crew)
    nobody = boss.send(thread, "to nobody", to={"capability": "cobol"}, wake=False)
    found["nobody"] = nobody.status_code
    return found


def _by_load(bridge: Bridge, crew: Mapping[str, tuple[str, Sequence[str]]]) -> dict[str, Routed]:
    """Three messages to whoever of two executors has least to do, in a thread of their own."""
    boss = bridge.agent("route-sender", "coordinator")
    names = ["load-exe-1", "load-exe-2"]
    thread = boss.opened("load", [{"agent": name, "role": "executor"} for name in names])
    found = {}

    def send(case: str, wanted: str) -> None:
        said = boss.posted(thread, case, to={"least_loaded": "executor"}, wake=False)
        readers = frozenset(
            name
            for name in names
            if said.whole("seq") in {m.whole("seq") for m in bridge.agent(name).read(thread)}
        )
        found[case] = Routed(frozenset({wanted}), frozenset(said["recipients"]), readers)

    send("least loaded, both idle", names[0])
    send("least loaded, the first has one", names[1])
    send("least loaded, both have one", names[0])
    bridge.agent(names[0]).posted(thread, "answered", to=[boss.name], wake=False)
    bridge.agent(names[0]).posted(thread, "answered again", to=[boss.name], wake=False)
    send("least loaded, the first has answered", names[0])
    return found


# Escalation


@dataclass(frozen=True)
class Raised:
    """An escalation, its levels by time, and the limits that the policy states."""

    opened: datetime
    levels: Sequence[tuple[int, str, datetime]]
    looks: Mapping[str, int]  # the highest level at each moment that was looked at


@dataclass
class Rising:
    """Escalations that nobody handled, and ones that somebody did."""

    policy: Sequence[tuple[int, str, float]]  # level, whom it reaches, after how many seconds
    unhandled: Raised | None = None
    handled: dict[str, Raised] = field(default_factory=dict)


@scenario(effect="change", own_target=True)
def rising(phase: Stage) -> Rising:
    """Three blocked threads: nobody handles one, one is handled, one is unblocked."""
    bridge, clock = Bridge.of(phase), phase.target("bridge").clock
    config = bridge.operator.get("/v1/policy").inner("config")
    policy = [
        (level.whole("level"), level.text("to"), level.number("after_s"))
        for level in config.each("escalation_levels")
    ]
    found = Rising(policy)
    boss = bridge.agent("rising-boss", "coordinator")
    threads = {name: boss.opened(name, ["rising-other"]) for name in ("left", "noted", "unblocked")}
    begun = clock.now()
    for thread in threads.values():
        boss.change(thread, "blocked", "nobody knows what to do").raise_for_status()
    looks: dict[str, dict[str, int]] = {name: {} for name in threads}

    def look(moment: str, seconds: float) -> None:
        clock.advance(max((begun + timedelta(seconds=seconds) - clock.now()).total_seconds(), 0))
        for name, thread in threads.items():
            looks[name][moment] = max((one[0] for one in _raised(bridge, thread)), default=0)

    look("at once", 1)
    for level, _, after_s in policy[1:2]:
        look(f"before level {level}", after_s - 6)
        look(f"after level {level}", after_s + 6)
    (noted,) = bridge.operator.get(f"/v1/threads/{threads['noted']}/escalations").each(
        "escalations"
    )
    path = f"/v1/escalations/{noted.text('id')}/handle"
    bridge.operator.ask("POST", path, {"note": "I see to it"}).raise_for_status()
    boss.change(threads["unblocked"], "active").raise_for_status()
    for level, _, after_s in policy[2:]:
        look(f"before level {level}", after_s - 6)
        look(f"after level {level}", after_s + 6)
    told = {
        name: Raised(begun, _raised(bridge, thread), looks[name])
        for name, thread in threads.items()
    }
    found.unhandled = told.pop("left")
    found.handled = told
    return found


def _raised(bridge: Bridge, thread: str) -> list[tuple[int, str, datetime]]:
    told = bridge.operator.get(f"/v1/threads/{thread}/escalations").each("escalations")
    return [
        (level.whole("level"), level.text("to"), level.moment("at"))
        for escalation in told
        for level in escalation.each("levels")
    ]


# Helpers of coordinators


@dataclass
class Helped:
    """What became of a coordinator's helpers, and of the same by those who may not."""

    problems: dict[str, str] = field(default_factory=dict)


@scenario(effect="change")
def helped(phase: Stage) -> Helped:
    """A coordinator assigns, summarises, hands over; others, and one who is no member, try it."""
    bridge = Bridge.of(phase)
    boss = bridge.agent("helper-boss", "coordinator")
    anna, ben = (bridge.agent(f"helper-{name}", "executor") for name in ("anna", "ben"))
    thread = boss.opened("helpers", [anna.name])
    anna.posted(thread, "this is wrong", kind="finding", wake=False)
    path = f"/v1/threads/{thread}"
    problems = Helped().problems
    task = {"agent": anna.name, "task": "correct it"}
    assigned = boss.ask("POST", f"{path}/assign", task)
    mine = [one for one in anna.read(thread) if one.text("kind") == "assignment"]
    problems["assign"] = (
        f"it is answered {assigned.status_code}"
        if not assigned.is_success
        else ""
        if [one["recipients"] for one in mine] == [[anna.name]]
        and "correct it" in mine[0].text("text")
        else f"{len(mine)} assignments reached her"
    )
    summary = boss.get(f"{path}/summary")
    senders = summary.inner("messages")
    problems["summary"] = (
        ""
        if summary.text("state") == "active" and senders.get(anna.name) == 1 and summary["findings"]
        else f"it says {dict(summary)}"
    )
    handed = boss.ask("POST", f"{path}/handover", {"agent": ben.name})
    kinds = [one.text("kind") for one in ben.read(thread)] if handed.is_success else []
    problems["handover"] = (
        "" if ben.name in boss.members(thread) and "handover" in kinds else f"he reads {kinds}"
    )
    problems |= _beyond(bridge, boss, anna, thread)
    return Helped(problems)


def _beyond(bridge: Bridge, boss: Agent, anna: Agent, thread: str) -> dict[str, str]:
    """What must be refused: to others, in a thread of others, in a closed one."""
    path = f"/v1/threads/{thread}"
    far = bridge.agent("helper-far", "coordinator")
    asks: dict[str, tuple[Agent, str, str, object, tuple[int, ...]]] = {
        "assign by an executor": (
            anna,
            "POST",
            "assign",
            {"agent": "helper-ben", "task": "x"},
            (403,),
        ),
        "handover by an executor": (anna, "POST", "handover", {"agent": "helper-c"}, (403,)),
        "assign from outside": (far, "POST", "assign", {"agent": anna.name, "task": "x"}, (404,)),
        "summary from outside": (far, "GET", "summary", None, (404,)),
        "handover from outside": (far, "POST", "handover", {"agent": far.name}, (404,)),
    }
    found = {}
    for name, (agent, method, what, body, wanted) in asks.items():
        status = agent.ask(method, f"{path}/{what}", body).status_code
        found[name] = "" if status in wanted else f"it is answered {status}"
    bridge.operator.ask(
        "POST", f"{path}/override-close", {"reason": "human_override: a trial is over"}
    ).raise_for_status()
    count = len(boss.read(thread))
    status = boss.ask("POST", f"{path}/assign", {"agent": anna.name, "task": "x"}).status_code
    late = len(boss.read(thread)) - count
    found["assign in a closed thread"] = (
        "" if status == 409 and not late else f"it is answered {status}, and posts {late}"
    )
    return found


# What is deprecated


@scenario(effect="change")
def deprecated_asked(phase: Stage) -> Mapping[str, tuple[int, str, str]]:
    """Each operation that the register names, asked once: status, Deprecation, Sunset."""
    bridge = Bridge.of(phase)
    register = papers.structured(phase.file("repository"), papers.DEPRECATIONS)
    boss = bridge.agent("deprecated-boss", "coordinator")
    found = {}
    for entry in register.each("deprecations"):
        method, _, path = entry.text("operation").partition(" ")
        thread = boss.opened("an old form", ["deprecated-other"])
        body = {"reason": "done"} if method in ("POST", "PUT") else None
        answer = boss.ask(method, re.sub(r"\{[^}]*\}", thread, path), body)
        headers = answer.headers
        told = (answer.status_code, headers.get("Deprecation", ""), headers.get("Sunset", ""))
        found[entry.text("operation")] = told
    return found
