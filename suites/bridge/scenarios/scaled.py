"""Phase 3: a subscriber whose line breaks, and addresses by rule."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import httpx

from pytest_rollout import Reported, Stage, scenario
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
                last = event_id
                seen.append(message)
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

CREW: Mapping[str, tuple[str, Sequence[str]]] = {
    "route-exe-1": ("executor", ["python"]),
    "route-exe-2": ("executor", ["python", "sql"]),
    "route-rev-1": ("reviewer", ["sql"]),
    "route-rev-2": ("reviewer", []),
    "route-boss": ("coordinator", ["python"]),
}


@dataclass(frozen=True)
class Routed:
    """An address by a rule: who had to get the message, who got it, and who can read it."""

    wanted: frozenset[str]
    told: frozenset[str]  # by the answer
    readers: frozenset[str]  # who finds it in the thread, but for the sender


@scenario(effect="change")
def routed(phase: Stage) -> Mapping[str, Routed | int]:
    """Messages to a role, a capability and the least loaded; and to nobody, which is refused."""
    bridge, crew = Bridge.of(phase), CREW
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
            if name != sender.name
            and seq in {message.whole("seq") for message in agent.read(thread)}
        }
        return Routed(frozenset(wanted), frozenset(said["recipients"]), frozenset(readers))

    routes: dict[str, Routed | int] = {
        "role reviewer": send({"role": "reviewer"}, ["route-rev-1", "route-rev-2"]),
        "role executor": send({"role": "executor"}, ["route-exe-1", "route-exe-2"]),
        "role of the sender": send({"role": "executor"}, ["route-exe-2"], agents["route-exe-1"]),
        "capability sql": send({"capability": "sql"}, ["route-exe-2", "route-rev-1"]),
        "capability python": send(
            {"capability": "python"}, ["route-exe-1", "route-exe-2", "route-boss"]
        ),
    }
    routes |= _by_load(bridge)
    nobody = boss.send(thread, "to nobody", to={"capability": "cobol"}, wake=False)
    routes["nobody"] = nobody.status_code
    return routes


def _by_load(bridge: Bridge) -> dict[str, Routed]:
    """Three messages to the less busy of two executors, in a thread of their own."""
    boss = bridge.agent("route-sender", "coordinator")
    names = ["load-exe-1", "load-exe-2"]
    thread = boss.opened("load", [{"agent": name, "role": "executor"} for name in names])
    routes = {}

    def send(case: str, wanted: str) -> None:
        said = boss.posted(thread, case, to={"least_loaded": "executor"}, wake=False)
        readers = frozenset(
            name
            for name in names
            if said.whole("seq") in {m.whole("seq") for m in bridge.agent(name).read(thread)}
        )
        routes[case] = Routed(frozenset({wanted}), frozenset(said["recipients"]), readers)

    send("least loaded, both idle", names[0])
    send("least loaded, the first has one", names[1])
    send("least loaded, both have one", names[0])
    bridge.agent(names[0]).posted(thread, "answered", to=[boss.name], wake=False)
    bridge.agent(names[0]).posted(thread, "answered again", to=[boss.name], wake=False)
    send("least loaded, the first has answered", names[0])
    return routes
