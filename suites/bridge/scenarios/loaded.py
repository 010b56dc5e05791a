"""Load of the suite's own: steps of writers, a burst, posts at once, a run without pause."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from threading import Barrier

import httpx

from pytest_rollout import Stage, scenario
from suites.bridge.views.exchange import Exchange
from suites.bridge.views.service import Bridge

FAILED_S = 86_400.0  # how long a request counts that failed
_WAIT_S = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: when it was sent and answered, in seconds of one clock, and what came of it."""

    sent: float
    told: float
    status: int  # 0: no answer
    seq: int = 0  # of a message that was accepted
    id: str = ""
    retry_after: bool = False

    @property
    def seconds(self) -> float:
        """How long it took; a day where it failed."""
        return self.told - self.sent if 200 <= self.status < 300 else FAILED_S


def ask(call: Callable[[], httpx.Response], since: float | None = None) -> Asked:
    """Send a request; counted from an earlier moment where it was due then."""
    sent = time.monotonic() if since is None else since
    try:
        answer = call()
    except httpx.HTTPError:
        return Asked(sent, time.monotonic(), 0)
    told = time.monotonic()
    said = answer.json() if answer.status_code == 201 else {}
    later = "Retry-After" in answer.headers
    return Asked(sent, told, answer.status_code, said.get("seq", 0), said.get("id", ""), later)


def at_once(calls: Sequence[Callable[[], Asked]], workers: int) -> list[Asked]:
    """Make calls, so many at a time; the first of them all begin together."""
    ready = Barrier(workers)

    def work(number: int) -> list[Asked]:
        ready.wait(_WAIT_S)
        return [call() for call in calls[number::workers]]

    with ThreadPoolExecutor(workers) as pool:
        return [asked for part in pool.map(work, range(workers)) for asked in part]


# Storage contention, and posts at the same time

STEPS, WRITES = (1, 2, 4, 8, 16, 32), 64
PARALLEL, LANES = 200, 50


@dataclass(frozen=True)
class Written:
    """Posts by so many writers at a time, and posts of all at once to one thread."""

    steps: Mapping[int, Sequence[Asked]]
    burst: Sequence[Asked]
    history: Sequence[tuple[int, str, datetime]]  # of the burst's thread: seq, id, accepted

    def within(self, limit_s: float) -> int:
        """The most writers up to which 95 of 100 posts took no longer, and none failed."""
        most = 0
        for writers, asked in sorted(self.steps.items()):
            ordered = sorted(post.seconds for post in asked)
            if ordered[-(-95 * len(ordered) // 100) - 1] > limit_s or ordered[-1] == FAILED_S:
                break
            most = writers
        return most


def written(phase: Stage) -> Written:
    """Ever more writers on one thread until one step is too slow, and two hundred posts at once."""
    bridge = Bridge.of(phase)
    exchange = Exchange.begun(bridge, "writers", sum(STEPS))  # each step has writers of its own
    steps: dict[int, Sequence[Asked]] = {}
    for writers in STEPS:
        calls = [
            partial(
                ask, partial(exchange.post, writers - 1 + number % writers, f"{writers}: {number}")
            )
            for number in range(WRITES)
        ]
        steps[writers] = at_once(calls, writers)
        if any(post.seconds > 2 for post in steps[writers]) and writers >= 16:
            break
    together = Exchange.begun(bridge, "together", LANES)
    calls = [
        partial(ask, partial(together.post, number % LANES, f"at once: {number}"))
        for number in range(PARALLEL)
    ]
    burst = at_once(calls, LANES)
    history = [
        (
            int(str(message["seq"])),
            str(message["id"]),
            datetime.fromisoformat(str(message["accepted_at"])),
        )
        for message in together.history()
    ]
    return Written(steps, burst, history)


# A burst

BURST, BURST_WORKERS, RECOVERED_S = 1000, 64, 2.0
_LONGEST_S = 32.0


@dataclass(frozen=True)
class Burst:
    """A thousand requests at once, and how long it took until all was as quick as ever."""

    asked: Sequence[Asked]
    recovery_s: float


def burst(phase: Stage) -> Burst:
    """Posts and reads of many, among them one sender who posts too much."""
    exchange = Exchange.begun(Bridge.of(phase), "burst", 20)
    calls: list[Callable[[], Asked]] = []
    for number in range(BURST):
        if number % 2:
            calls.append(partial(ask, partial(exchange.read, number % 20, "", 5)))
        else:
            sender = 0 if number % 5 else 2 * (number // 10 % 10)
            calls.append(partial(ask, partial(exchange.post, sender, f"burst {number}")))
    return Burst(at_once(calls, BURST_WORKERS), _recovery(phase, exchange))


def _recovery(phase: Stage, exchange: Exchange) -> float:
    """Seconds until three posts and reads in a row are quick; by the clock that says more."""
    clock = phase.target("bridge").clock
    begun, clock_begun, good, number = time.monotonic(), clock.now(), 0, 0
    since = 0.0
    while good < 3:
        passed = max(time.monotonic() - begun, (clock.now() - clock_begun).total_seconds())
        since = passed if good == 0 else since
        if passed > _LONGEST_S:
            return passed
        number += 1
        probes = [
            ask(partial(exchange.post, 19, f"recovered? {number}")),
            ask(partial(exchange.read, 18, "", 5)),
        ]
        good = good + 1 if all(probe.seconds <= RECOVERED_S for probe in probes) else 0
        if phase.embedded and not good:
            clock.advance(5)
    return since


# A run without pause

THREADS, RATE, INTERVALS, INTERVAL_S = 20, 110, 10, 0.3
_GIVEN_UP_S = 3.0
_WORKERS = 12


@dataclass(frozen=True)
class Interval:
    """A tenth of the run."""

    seconds: Sequence[float]  # of each request, from when it was due
    failed: int

    def quantile(self, percent: int) -> float:
        """The nearest rank."""
        ordered = sorted(self.seconds)
        return ordered[max(-(-percent * len(ordered) // 100) - 1, 0)]


@dataclass
class Sustained:
    """A run on many threads, cut into intervals by when requests were due."""

    intervals: list[Interval] = field(default_factory=list)


@scenario(effect="disrupt", own_target=True)
def sustained(phase: Stage) -> Sustained:
    """Twenty threads are written and read; requests are due at even times, answered or not."""
    bridge = Bridge.of(phase)
    exchanges = [Exchange.begun(bridge, f"run-{number:02}", 2) for number in range(THREADS)]
    count = int(RATE * INTERVALS * INTERVAL_S)
    begun = time.monotonic() + 0.1

    def one(number: int) -> tuple[int, Asked]:
        due = begun + number / RATE
        interval = int((due - begun) / INTERVAL_S)
        time.sleep(max(due - time.monotonic(), 0))
        if time.monotonic() - due > _GIVEN_UP_S:
            return interval, Asked(due, time.monotonic(), 0)
        exchange, agent = exchanges[number % THREADS], number // THREADS % 2
        if number % 3 == 2:
            return interval, ask(partial(exchange.read, agent, "", 20), due)
        return interval, ask(partial(exchange.post, agent, f"run {number}"), due)

    with ThreadPoolExecutor(_WORKERS) as pool:
        told = list(pool.map(one, range(count)))
    run = Sustained()
    for number in range(INTERVALS):
        part = [asked for interval, asked in told if interval == number]
        failed = sum(asked.seconds == FAILED_S for asked in part)
        run.intervals.append(Interval([asked.seconds for asked in part], failed))
    return run
