"""Requests, denials and messages of the suite, and the lines that they left in the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import httpx

from pytest_rollout import Reported, Stage, reported, scenario
from suites.bridge.views.exchange import Exchange
from suites.bridge.views.exposition import Between, scrape
from suites.bridge.views.lines import lines
from suites.bridge.views.service import Bridge

REQUESTS, OWN_IDS, CHAINS = 110, 10, 12
_AGES = {"managed": True, "state": "dormant", "heartbeat_age_s": 60, "ack_after_s": 1}


@dataclass(frozen=True, slots=True)
class Denied:
    """An operation that had to be denied, and its answer."""

    rule: str
    operation: str
    subject: str | None  # None: nobody can say who it was
    status: int
    answer: httpx.Response
    thread: str | None = None  # which it was about
    reason: str = ""  # of a token that was refused

    @property
    def request_id(self) -> str:
        """The id that its answer carries."""
        return str(self.answer.headers.get("X-Request-Id", ""))


@dataclass(frozen=True, slots=True)
class Chain:
    """A message, and the id under which its caller posted it."""

    correlation_id: str
    message_id: str
    thread: str


@dataclass
class Logged:
    """What the suite asked, and the log."""

    folder: Path
    bridge: Bridge
    thread: str  # in which the answers were given
    answers: list[httpx.Response] = field(default_factory=list)
    own: dict[str, httpx.Response] = field(default_factory=dict)  # by the id that was sent
    denied: list[Denied] = field(default_factory=list)
    chains: list[Chain] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    counted: Between | None = None  # what /metrics says of the denials
    exact: bool = False  # nobody else was at work

    @cached_property
    def lines(self) -> Sequence[Reported]:
        """The log of the bridge."""
        return list(lines(self.folder / "bridge.jsonl", "log of the bridge"))

    def events(self, event: str) -> list[Reported]:
        """The lines of one kind of event."""
        return [line for line in self.lines if line.text("event") == event]

    def by_request(self, event: str) -> Mapping[str, list[Reported]]:
        """The lines of one kind, by their request; those without an id are under an empty one."""
        groups: dict[str, list[Reported]] = {}
        for line in self.events(event):
            groups.setdefault(str(line.get("request_id") or ""), []).append(line)
        return groups

    @property
    def raw(self) -> list[str]:
        """The text of every line of every log."""
        files = sorted(self.folder.glob("*.jsonl"))
        return [line for file in files for line in file.read_text("utf-8").splitlines()]


@scenario(effect="change")
def logged(phase: Stage) -> Logged:
    """Agents of the suite post and read, and try what they may not."""
    bridge = Bridge.of(phase)
    exchange = Exchange.begun(bridge, "logged", 3)
    log = Logged(phase.file("logs"), bridge, exchange.thread, exact=phase.embedded)
    for number in range(REQUESTS):
        text = f"a text that no log may hold, {number}"
        log.texts.add(text)
        answer = exchange.post(0, text) if number % 3 == 0 else exchange.read(number % 3, limit=5)
        log.answers.append(answer)
    for number in range(OWN_IDS):
        own = f"suite-{phase.id}-{number}"
        log.own[own] = exchange.agents[1].ask("GET", exchange.path, headers={"X-Request-Id": own})
    _deny(phase, bridge, exchange, log)
    if phase.embedded:
        _chain(phase, bridge, log)
    else:
        _happened(bridge, log)
    log.tokens |= {agent.token for agent in exchange.agents} | {bridge.secret}
    return log


def _deny(phase: Stage, bridge: Bridge, exchange: Exchange, log: Logged) -> None:
    """One denial for each rule, and then some."""
    stranger = bridge.agent("logged-stranger", "executor")
    reader = bridge.agent("logged-reader", "reader")
    member = exchange.agents[0]
    member.add(exchange.thread, reader.name)
    expired = bridge.with_token(bridge.token("logged-late", ttl_s=-1), "logged-late")
    foreign = bridge.with_token(bridge.token("logged-far", workspace="elsewhere"), "logged-far")
    closed = member.opened("to be closed", [reader.name])
    bridge.agent("logged-boss", "coordinator")
    bridge.operator.change(closed, "closed", "done")
    post = {"text": "a text that no log may hold, denied"}
    log.texts.add(post["text"])
    log.tokens |= {expired.token, foreign.token}
    path = exchange.path
    before = scrape(phase.target("bridge").client)
    for reason, token in _refused_tokens(bridge, member.token, expired.token).items():
        answer = bridge.with_token(token).ask("GET", path)
        log.denied.append(
            Denied("authentication", "read_messages", None, 401, answer, exchange.thread, reason)
        )
    asked = [
        ("workspace", "read_messages", foreign.name, 403, foreign.ask("GET", path)),
        ("membership", "read_messages", stranger.name, 404, stranger.ask("GET", path)),
        ("role", "post_message", reader.name, 403, reader.ask("POST", path, post)),
        (
            "claim",
            "post_message",
            member.name,
            403,
            member.ask("POST", path, {**post, "from": reader.name}),
        ),
        (
            "state",
            "post_message",
            member.name,
            409,
            member.ask("POST", f"/v1/threads/{closed}/messages", post),
        ),
    ]
    log.denied += [
        Denied(*attempt, closed if attempt[0] == "state" else exchange.thread) for attempt in asked
    ]
    log.counted = Between(before, scrape(phase.target("bridge").client))


def _refused_tokens(bridge: Bridge, good: str, expired: str) -> dict[str, str]:
    """A token for each reason to refuse one."""
    head, body, sign = good.split(".")
    return {
        "missing": "",
        "expired": expired,
        "signature": f"{head}.{body}.{('A' if sign[0] != 'A' else 'B') + sign[1:]}",
        "claims": bridge.token("logged-claims", drop=["role"]),
        "malformed": "not-a-token",
    }


def _chain(phase: Stage, bridge: Bridge, log: Logged) -> None:
    """Messages with a correlation id of the caller's, each to an agent that sleeps."""
    names = [f"logged-sleeper-{number:02}" for number in range(CHAINS)]
    for name in names:
        phase.operate("bridge", "session", agent=name, **_AGES)
    sender = bridge.agent("logged-sender", "executor")
    thread = sender.opened("chains", names)
    for number, name in enumerate(names):
        own = f"chain-{phase.id}-{number}"
        last = number == CHAINS - 1  # which is for all of them
        body = {"text": f"please look, {name}", "to": None if last else [name]}
        log.texts.add(str(body["text"]))
        answer = sender.ask(
            "POST",
            f"/v1/threads/{thread}/messages",
            body,
            headers={"X-Correlation-Id": own, "X-Request-Id": f"request-{own}"},
        )
        log.chains.append(Chain(own, reported(answer).text("id"), thread))
    phase.target("bridge").clock.advance(6)


def _happened(bridge: Bridge, log: Logged) -> None:
    """Messages that woke somebody, by the id that the log of requests has for their post."""
    posts = {line.get("request_id"): line for line in log.events("request")}
    stored = {line.text("message_id"): line for line in log.events("message.stored")}
    for trigger in bridge.operator.get("/v1/triggers").each("triggers"):
        line = stored.get(trigger.text("message_id"))
        post = posts.get(line.get("request_id")) if line is not None else None
        if post is not None and trigger.get("attempted_at") is not None:
            message, thread = trigger.text("message_id"), trigger.text("thread_id")
            log.chains.append(Chain(post.text("correlation_id"), message, thread))
