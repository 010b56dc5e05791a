"""A workload that the suite knows to the last message, and what `/metrics` says around it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_rollout import Stage
from suites.bridge.scenarios.commanded import REASON, Program
from suites.bridge.views.exchange import Exchange
from suites.bridge.views.exposition import Between, Scrape, scrape
from suites.bridge.views.service import Agent, Bridge

POSTS, READS, STEP = 23, 18, 30
SLOW_S = 0.06  # of each read, so that the wire matters little
SLOWER = 4  # of the reads take twice as long, so that the 95th percentile is not the median
RESULTS = ("triggered", "already_active", "failed", "fallback_spawned")
LOOPS, AUTOMATIC = 2, 2  # of loops: escalations that the bridge made by itself
BY_HAND = 3
_LOOP_TURNS = 14
_DAY_S = 25 * 3600
_TIMES = 3  # each outcome of a wake attempt
_SLEEPS = {"managed": True, "state": "dormant", "heartbeat_age_s": 60, "ack_after_s": 1}
SESSIONS: Mapping[str, Mapping[str, object]] = {
    "triggered": {},
    "already_active": {"state": "active", "heartbeat_age_s": 1},
    "failed": {"ack_after_s": None},
    "fallback_spawned": {"resume_fails": "always"},
}


@dataclass
class Metered:
    """Scrapes around each part of the workload, and what the suite did in it."""

    exact: bool  # nobody else was at work
    idle: Scrape
    parts: dict[str, Between] = field(default_factory=dict)
    done: dict[str, float] = field(default_factory=dict)  # how much, by the suite's own count
    read_s: list[float] = field(default_factory=list)  # what the reader waited for each read
    waited_s: list[float] = field(default_factory=list)  # what any caller waited for each request
    rates: list[tuple[str, float]] = field(default_factory=list)  # of posts in a minute, by moment
    states: Mapping[str, int] = field(default_factory=dict)  # threads of each, as they were listed
    outcomes: Mapping[str, int] = field(default_factory=dict)  # wake attempts, by the triggers
    failed: int = 0  # deliveries, by the triggers that are done
    delivered: int = 0

    @property
    def scrapes(self) -> list[Scrape]:
        """All looks, oldest first."""
        return [self.idle, *(part.after for part in self.parts.values())]


@dataclass
class _Trial:
    phase: Stage
    bridge: Bridge
    found: Metered
    before: Scrape

    def scrape(self, part: str) -> Between:
        """Look, and keep what rose since the last look."""
        after = scrape(self.phase.target("bridge").client)
        between = self.found.parts[part] = Between(self.before, after)
        self.before = after
        return between


def metered(phase: Stage) -> Metered:
    """Posts, reads, states, escalations, loops and wake attempts, with a scrape after each part."""
    bridge = Bridge.of(phase)
    first = scrape(phase.target("bridge").client)
    trial = _Trial(phase, bridge, Metered(phase.embedded, first), first)
    exchange = Exchange.begun(bridge, "metered", 2)
    _post_and_read(trial, exchange)
    _rate(trial, exchange)
    _states(trial)
    _escalate(trial)
    if phase.embedded:
        _loop(trial)
        _wake(trial)
        phase.target("bridge").clock.advance(_DAY_S)  # the agents' tokens end meanwhile
        trial.scrape("next day")
    return trial.found


def _post_and_read(trial: _Trial, exchange: Exchange) -> None:
    stranger = trial.bridge.agent("metered-stranger", "executor")  # its token is a request, too
    trial.scrape("begin")
    record = trial.found
    for number in range(POSTS):
        begun = time.monotonic()
        exchange.post(0, f"number {number}", key=f"metered-{number}").raise_for_status()
        record.waited_s.append(time.monotonic() - begun)
    exchange.post(0, "number 0", key="metered-0").raise_for_status()  # a replay is no message
    member, path = exchange.agents[0], exchange.path  # and what is refused is none either
    for agent, body in (
        (stranger, {"text": "not mine"}),
        (member, {"text": ""}),
        (member, {"text": "as another", "from": "metered-other"}),
    ):
        agent.ask("POST", path, body)
    trial.scrape("posts")
    trial.phase.operate("bridge", "slow-store", seconds=SLOW_S)
    for number in range(READS):
        if number == READS - SLOWER:
            trial.phase.operate("bridge", "slow-store", seconds=2 * SLOW_S)
        begun = time.monotonic()
        exchange.read(1).raise_for_status()
        record.read_s.append(time.monotonic() - begun)
    trial.phase.operate("bridge", "slow-store", seconds=0)
    record.waited_s += record.read_s
    exchange.agents[0].ask("GET", "/v1/threads/no-such-thread/messages")
    made = POSTS + 1 + 3 + READS + 1
    record.done |= {"posts": POSTS, "reads": READS, "refused": 2, "requests": made}
    trial.scrape("reads")


def _rate(trial: _Trial, exchange: Exchange) -> None:
    """The rate of a minute: quiet, a step of load, and quiet again."""
    if not trial.phase.embedded:
        return
    clock = trial.phase.target("bridge").clock

    def look(moment: str) -> None:
        answer = scrape(trial.phase.target("bridge").client)
        trial.found.rates.append((moment, answer.sum("messages_posted_per_minute")))

    clock.advance(180)
    look("quiet")
    for number in range(STEP):
        exchange.post(0, f"step {number}").raise_for_status()
    clock.advance(30)
    look("step")
    clock.advance(180)
    look("after")
    trial.scrape("rate")


def _states(trial: _Trial) -> None:
    agent = trial.bridge.agent("metered-states", "coordinator")
    threads = [agent.opened("of a state", ["metered-other"]) for _ in range(6)]
    for thread in threads[:3]:
        agent.change(thread, "blocked", REASON).raise_for_status()
    for thread in (threads[0], threads[5]):
        agent.change(thread, "closed", "done").raise_for_status()
    trial.scrape("states")
    listed = trial.bridge.operator.all("/v1/threads", "threads")
    trial.found.states = Counter(row.text("state") for row in listed)


def _escalate(trial: _Trial) -> None:
    """Escalations by operators, with their program."""
    trial.scrape("before escalations")
    phase = trial.phase
    program = Program(phase.file("cli"), phase.target("bridge").url)
    agent = trial.bridge.agent("metered-states", "coordinator")
    threads = [agent.opened("to escalate", ["metered-other"]) for _ in range(BY_HAND)]
    program.many(
        *(("escalate-thread", "--thread-id", thread, "--reason", REASON) for thread in threads)
    )
    undone = [("unblock-thread", "--thread-id", thread, "--reason", REASON) for thread in threads]
    program.many(*undone)  # which is no escalation
    trial.found.done["escalated"] = BY_HAND
    trial.scrape("escalations")


def _loop(trial: _Trial) -> None:
    """Two agents send each other the same text until they are stopped."""
    for number in range(LOOPS):
        echoes = [trial.bridge.agent(f"echo-{number}{side}", "executor") for side in "ab"]
        thread = echoes[0].opened("an echo", [echoes[1].name], lane="autonomous")
        for turn in range(_LOOP_TURNS):
            said = echoes[turn % 2].send(thread, "after you", wake=False)
            if said.status_code == 409:
                break
    trial.found.done |= {"loops": LOOPS, "automatic": LOOPS}
    trial.scrape("loops")


def _wake(trial: _Trial) -> None:
    """Each outcome of a wake attempt, some times; and what the triggers say of them."""
    phase, clock = trial.phase, trial.phase.target("bridge").clock
    sender = trial.bridge.agent("metered-waker", "executor")
    names = {
        f"{result.replace('_', '-')}-{number}": result
        for number in range(_TIMES)
        for result in RESULTS
    }
    for name, result in names.items():
        phase.operate("bridge", "session", agent=name, **{**_SLEEPS, **SESSIONS[result]})
    thread = sender.opened("wake-ups", list(names))
    trial.scrape("before wakes")
    for name in names:
        sender.posted(thread, f"wake up, {name}", to=[name])
    for _ in range(40):
        if _done(sender, thread):
            break
        clock.advance(2)
    trial.scrape("wakes")
    triggers = trial.bridge.operator.triggers(thread)
    trial.found.outcomes = Counter(names.values())
    trial.found.delivered = len(triggers)
    trial.found.failed = sum(result == "failed" for result in names.values())


def _done(sender: Agent, thread: str) -> bool:
    return all(trigger.text("state") == "done" for trigger in sender.triggers(thread))
