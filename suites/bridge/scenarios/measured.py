"""Posts, reads, visibility and wake-ups, as callers see them: samples for the four targets."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event

from pytest_rollout import NoValueError, Observe, Sample, Stage
from suites.bridge.views.exchange import Exchange
from suites.bridge.views.lines import lines
from suites.bridge.views.service import Agent, Bridge

POSTS, READS, PROBES = 300, 600, 60
SENDERS = 10  # the rate guard counts each by itself
_PAGE = 5
_POLL_S = 0.05
_PATIENCE_S = 6.0  # after the last post
_LONGEST_S = 60.0
_WAKE_LOOKS = 15  # a second each
_APART_S = 1.7  # so that of three messages one comes three seconds or more before a tick


@dataclass
class Measured:
    """What was seen of each of the four figures."""

    posts: list[Sample] = field(default_factory=list)  # 1 for each that succeeded, 0 for a failure
    reads: list[Sample] = field(default_factory=list)
    visible: list[Sample] = field(default_factory=list)  # seconds
    wakes: list[Sample] = field(default_factory=list)

    def observe_posts(self, observe: Observe) -> None:
        """Observe each post that was not refused."""
        _observe(observe, "post_ok", "post", self.posts)

    def observe_reads(self, observe: Observe) -> None:
        """Observe each read that was not refused."""
        _observe(observe, "read_ok", "read", self.reads)

    def observe_visible(self, observe: Observe) -> None:
        """Observe how long each probe took to be readable."""
        _observe(observe, "post_to_visible_s", "visible", self.visible)

    def observe_wakes(self, observe: Observe) -> None:
        """Observe how long each message waited for a trigger."""
        _observe(observe, "message_to_wake_s", "wake", self.wakes)


def _observe(observe: Observe, metric: str, sli: str, samples: Sequence[Sample]) -> None:
    if not samples:
        raise NoValueError(f"there is not one sample of {metric}")
    for number, sample in enumerate(samples):
        observe(metric, sample.value, at=sample.at, sli=sli, n=number)


def measured(phase: Stage) -> Measured:
    """The figures of what agents did; in a rehearsal of what agents of the suite do now."""
    bridge = Bridge.of(phase)
    figures = Measured()
    if phase.embedded:
        exchange = Exchange.begun(bridge, "slo", SENDERS)
        _post(phase, exchange, figures)
        _read(phase, exchange, figures)
    else:
        _happened(phase, figures)
    _probe(phase, bridge, figures)
    if phase.embedded:
        _wake(phase, bridge)
    _woken(phase, bridge, figures)
    return figures


def ok(status: int) -> int | None:
    """1 for an answer that succeeded, 0 for a failure; None for what was refused rightly."""
    if 200 <= status < 300:
        return 1
    return 0 if status >= 500 or status == 0 else None


def _post(phase: Stage, exchange: Exchange, figures: Measured) -> None:
    now = phase.target("bridge").clock.now()
    for number in range(POSTS):
        answer = exchange.post(number % SENDERS, f"post {number}")
        value = ok(answer.status_code)
        if value is not None:
            figures.posts.append(Sample(now + timedelta(microseconds=number), value))


def _read(phase: Stage, exchange: Exchange, figures: Measured) -> None:
    now = phase.target("bridge").clock.now()
    cursors = [""] * SENDERS
    for number in range(READS):
        reader = number % SENDERS
        answer = exchange.read(reader, cursors[reader], _PAGE)
        value = ok(answer.status_code)
        if value is None:
            continue
        figures.reads.append(Sample(now + timedelta(microseconds=number), value))
        if value:
            said = answer.json()
            cursors[reader] = said["next_cursor"] if said["has_more"] else ""


def _happened(phase: Stage, figures: Measured) -> None:
    """Posts and reads of everybody, by the log of requests."""
    until = phase.target("bridge").clock.now()
    for line in lines(phase.file("logs") / "bridge.jsonl", "log of the bridge"):
        if line.text("event") != "request" or line.moment("at") > until:
            continue
        route, method = line.text("route"), line.text("method")
        value = ok(line.whole("status"))
        if route.endswith("/messages") and value is not None and method in ("GET", "POST"):
            samples = figures.posts if method == "POST" else figures.reads
            samples.append(Sample(line.moment("at"), value))


def _probe(phase: Stage, bridge: Bridge, figures: Measured) -> None:
    """Post probes, while another agent looks every 50 ms for what it can read."""
    clock = phase.target("bridge").clock
    exchange = Exchange.begun(bridge, "probes", 2)
    sent: dict[int, tuple[float, datetime]] = {}
    seen: dict[int, tuple[float, datetime]] = {}
    posted = Event()

    def look() -> None:
        until = time.monotonic() + _LONGEST_S
        while time.monotonic() < until:
            enough = posted.is_set() and len(seen) >= len(sent)
            for seq in exchange.sequence(1):
                seen.setdefault(seq, (time.monotonic(), clock.now()))
            if enough:
                return
            time.sleep(_POLL_S)

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        for number in range(PROBES):
            begun = (time.monotonic(), clock.now())
            answer = exchange.post(0, f"probe {number}")
            if answer.is_success:
                sent[answer.json()["seq"]] = begun
        posted.set()
        until = time.monotonic() + _PATIENCE_S
        while len(seen) < len(sent) and time.monotonic() < until:
            time.sleep(4 * _POLL_S)
            if phase.embedded and len(seen) < len(sent):
                clock.advance(0.25)
        sent_by_then = dict(sent)
        sent.clear()  # what was not seen by now never was: the one who looks may end
        looking.result()
    figures.visible += [
        Sample(at + timedelta(microseconds=seq), _between((wall, at), seen.get(seq)))
        for seq, (wall, at) in sent_by_then.items()
    ]


def _between(sent: tuple[float, datetime], seen: tuple[float, datetime] | None) -> float:
    """The seconds from one moment to another, by the clock that says more; never: a day."""
    if seen is None:
        return 86_400.0
    return max(seen[0] - sent[0], (seen[1] - sent[1]).total_seconds())


def _wake(phase: Stage, bridge: Bridge) -> None:
    """Messages to agents that sleep, for one of them and for all of a thread."""
    names = [f"sleeper-{number:02}" for number in range(PROBES)]
    for name in names:
        asleep = {"managed": True, "state": "dormant", "heartbeat_age_s": 60, "ack_after_s": 1}
        phase.operate("bridge", "session", agent=name, **asleep)
    sender = bridge.agent("slo-waker", "executor")
    thread = sender.opened("wake-ups", names)
    for name in names[: PROBES // 2]:
        sender.posted(thread, f"wake up, {name}", to=[name])
    clock = phase.target("bridge").clock
    for place in range(PROBES // 2, PROBES, 10):  # and some at once, by a message to all of them
        part = names[place : place + 10]
        sender.posted(sender.opened("wake-ups of all", part), "wake up, all of you")
        clock.advance(_APART_S)
    for _ in range(_WAKE_LOOKS):
        if not _waiting(bridge.operator):
            return
        clock.advance(1)


def _waiting(operator: Agent) -> bool:
    triggers = operator.get("/v1/triggers").each("triggers")
    mine = [trigger for trigger in triggers if trigger.text("recipient").startswith("sleeper-")]
    return any(trigger.get("attempted_at") is None for trigger in mine)


def _woken(phase: Stage, bridge: Bridge, figures: Measured) -> None:
    """From the acceptance of a message to what its runtime was first asked, by its journal."""
    asked: dict[str, datetime] = {}
    for line in lines(phase.file("runtime"), "journal of the runtime"):
        if line.text("do") in ("resume", "spawn", "inject") and line.get("trigger"):
            asked.setdefault(line.text("trigger"), line.moment("at"))
    for number, trigger in enumerate(bridge.operator.get("/v1/triggers").each("triggers")):
        if trigger.get("deferred_since") is not None or _needs_none(trigger):
            continue
        posted = trigger.moment("posted_at")
        first = asked.get(trigger.text("id"))
        waited = 86_400.0 if first is None else (first - posted).total_seconds()
        figures.wakes.append(Sample(posted + timedelta(microseconds=number), waited))


def _needs_none(trigger: Mapping[str, object]) -> bool:
    """Whether nothing had to be asked of the runtime: the agent is awake, or is none of ours."""
    return trigger.get("reason") in ("active", "unmanaged", "polling-only")
