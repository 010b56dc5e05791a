"""Phase 2: posts that are tried again, keys that are used at once, and what counters say of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import TypeVar

import httpx

from pytest_rollout import Stage, scenario
from suites.bridge.views.exchange import Exchange
from suites.bridge.views.exposition import Between, scrape
from suites.bridge.views.service import Bridge

MESSAGES, SENDERS, EVERY = 1000, 10, 20  # each twentieth transaction fails
TRIES, AT_ONCE = 6, 4
PARALLEL, ROUNDS = 32, 3
_WAIT_S = 30
_SLOW_S = 0.1  # how much longer each transaction takes while keys are used at once
_Answer = TypeVar("_Answer")


def together(calls: Sequence[Callable[[], _Answer]]) -> list[_Answer]:
    """Make all calls at the same moment; their answers, in the order of the calls."""
    ready = Barrier(len(calls))

    def one(call: Callable[[], _Answer]) -> _Answer:
        ready.wait(_WAIT_S)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


@dataclass
class Retried:
    """Messages that were posted while some requests failed, and what was kept of them."""

    sent: Sequence[str]  # the text of each
    kept: Counter[str]  # how often each text is in the history
    failures: int  # answers of 5xx that were tried again


def retried(phase: Stage) -> Retried:
    """A thousand messages; each twentieth transaction fails, before it is kept or after it."""
    bridge = Bridge.of(phase)
    exchange = Exchange.begun(bridge, "retried", SENDERS)
    failures = 0
    texts = [f"message {number}" for number in range(MESSAGES)]
    halves = (("before", texts[: MESSAGES // 2]), ("after", texts[MESSAGES // 2 :]))
    for when, half in halves:
        phase.operate("bridge", "fail-writes", every=EVERY, when=when)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            jobs = [(exchange, int(text.split()[1]), text) for text in half]
            failures += sum(pool.map(lambda job: _until_kept(*job), jobs))
        phase.operate("bridge", "fail-writes", every=0)
    kept = Counter(str(message["text"]) for message in exchange.history())
    return Retried(texts, kept, failures)


def _until_kept(exchange: Exchange, number: int, text: str) -> int:
    """Post with one key until it is answered; how many answers failed."""
    for failures in range(TRIES):
        answer = exchange.post(number % SENDERS, text, key=f"retried-{number}")
        if answer.status_code < 500:
            return failures
    return TRIES


@dataclass(frozen=True)
class OneKey:
    """Posts at the same time with one key."""

    rounds: Sequence[Sequence[tuple[int, str]]]  # status and id of each answer
    other: tuple[int, str]  # of another agent, who comes with the key of the first round
    stored: Sequence[str]  # the ids in the history


@scenario(effect="change")
def one_key(phase: Stage) -> OneKey:
    """Thirty-two posts at the same time with one key, three times; and one by somebody else."""
    exchange = Exchange.begun(Bridge.of(phase), "one-key", 2)
    rounds = []
    if phase.embedded:  # so that all have looked for the key before the first has kept it
        phase.operate("bridge", "slow-store", seconds=_SLOW_S)
    for number in range(ROUNDS):

        def post(number: int = number) -> httpx.Response:
            return exchange.post(0, f"one of {PARALLEL}", key=f"{phase.id}-one-key-{number}")

        answers = together([post] * PARALLEL)
        rounds.append([(answer.status_code, _id(answer)) for answer in answers])
    if phase.embedded:
        phase.operate("bridge", "slow-store", seconds=0)
    answer = exchange.post(1, f"one of {PARALLEL}", key=f"{phase.id}-one-key-0")
    stored = [str(message["id"]) for message in exchange.history()]
    return OneKey(rounds, (answer.status_code, _id(answer)), stored)


def _id(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("id"))
    except ValueError:
        return ""


@dataclass
class Indicated:
    """What counters rose by around posts and reads, of which some failed on purpose."""

    posts: Between
    reads: Between
    visible: Between
    posted: int
    posts_failed: int
    read: int
    reads_failed: int
    seen: int  # messages that another than the sender read first
    exact: bool


POSTS, FAILING, READS = 20, 4, 20


def indicated(phase: Stage) -> Indicated:
    """Posts of which four fail, reads of which some fail because the database is away."""
    bridge, client = Bridge.of(phase), phase.target("bridge").client
    exchange = Exchange.begun(bridge, "indicated", 2)
    first = scrape(client)
    phase.operate("bridge", "fail-writes", times=FAILING)
    posted = [exchange.post(0, f"indicated {n}").status_code for n in range(POSTS)]
    exchange.agents[0].ask("POST", exchange.path, {"text": ""})  # refused: no failure of posts
    second = scrape(client)
    reads = [exchange.read(0).status_code for _ in range(READS - FAILING)]
    phase.operate("bridge", "store", off=True)
    reads += [exchange.read(0).status_code for _ in range(FAILING)]
    phase.operate("bridge", "store", off=False)
    third = scrape(client)
    seen = len(exchange.sequence(1))
    exchange.read(1)  # again: not the first read of them
    return Indicated(
        Between(first, second),
        Between(second, third),
        Between(third, scrape(client)),
        len(posted),
        sum(status >= 500 for status in posted),
        len(reads),
        sum(status >= 500 for status in reads),
        seen,
        phase.embedded,
    )


@scenario(effect="change")
def settings_tried(phase: Stage) -> Mapping[str, int]:
    """What everybody but an operator is answered who wants to change settings."""
    bridge = Bridge.of(phase)
    asks: Sequence[tuple[str, str, object]] = (
        ("PUT", "/v1/retention", {"messages_after_days": 1, "action": "delete"}),
        ("POST", "/v1/retention/sweep", {}),
        ("PUT", "/v1/filters", {"rules": [{"id": "all", "pattern": ".", "action": "refuse"}]}),
        ("POST", "/v1/policy", {"wake_mode": "polling-only", "reason": "a trial"}),
        ("GET", "/v1/audit", None),
        *(
            ("GET", f"/v1/{listed}", None)
            for listed in ("triggers", "runtime/sessions", "escalations", "alerts", "archive")
        ),
    )
    statuses = {}
    for role in ("executor", "reviewer", "coordinator", "reader"):
        agent = bridge.agent(f"suite-role-{role}", role)
        for method, path, body in asks:
            statuses[f"{role} {method} {path}"] = agent.ask(method, path, body).status_code
    return statuses
