"""Phase 2: rules of retention and of content, and what became of messages under them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from pytest_rollout import Stage
from suites.bridge.views.exchange import Exchange
from suites.bridge.views.lines import lines
from suites.bridge.views.service import Agent, Bridge


@dataclass
class Kept:
    """Messages of different ages or texts, and which were there after a rule was in force."""

    wanted: dict[str, bool] = field(default_factory=dict)  # whether each must still be there
    found: frozenset[str] = frozenset()
    control: frozenset[str] = frozenset()  # what was there before
    removed: int = -1  # what the sweep says


RETENTION_DAYS = 30


def retained(phase: Stage) -> Kept:
    """Messages from a day over the age to a day under it, and one of exactly that age."""
    bridge, clock = Bridge.of(phase), phase.target("bridge").clock
    exchange = Exchange.begun(bridge, "retained", 2)
    day = 86_400
    steps = {  # how long before the sweep each was posted, in seconds
        "two days over": (RETENTION_DAYS + 2) * day,
        "a day over": (RETENTION_DAYS + 1) * day,
        "an hour over": RETENTION_DAYS * day + 3600,
        "a second over": RETENTION_DAYS * day + 1,
        "exactly": RETENTION_DAYS * day,
        "a second under": RETENTION_DAYS * day - 1,
        "an hour under": RETENTION_DAYS * day - 3600,
        "a day under": (RETENTION_DAYS - 1) * day,
        "a week": 7 * day,
        "now": 0,
    }
    names = {max(steps.values()) - age: name for name, age in steps.items()}
    clock.advance(1)
    begun = clock.now()
    rule = {"messages_after_days": RETENTION_DAYS, "action": "delete"}
    for after in sorted({*names, RETENTION_DAYS * day}):
        clock.advance(max((begun + timedelta(seconds=after) - clock.now()).total_seconds(), 0))
        if after == RETENTION_DAYS * day:
            _sweep(_keeper(bridge), rule)  # takes what others wrote before, and none of these yet
        if after in names:
            # A token does not last for a month: each message has a new one.
            sender = bridge.with_token(bridge.token("suite-retained-00"), "suite-retained-00")
            sender.send(exchange.thread, names[after], wake=False).raise_for_status()
    operator = _keeper(bridge)
    control = frozenset(message.text("text") for message in operator.read(exchange.thread))
    removed = _sweep(operator, rule)
    left = frozenset(message.text("text") for message in operator.read(exchange.thread))
    wanted = {name: age <= RETENTION_DAYS * day for name, age in steps.items()}
    return Kept(wanted, left, control, removed)


def _keeper(bridge: Bridge) -> Agent:
    """An operator with a token of now."""
    return bridge.with_token(bridge.token("suite-keeper", "operator"), "suite-keeper")


def _sweep(operator: Agent, rule: Mapping[str, object]) -> int:
    """How many messages a sweep removes, it says; the rule is in force for it alone."""
    operator.ask("PUT", "/v1/retention", rule).raise_for_status()
    removed = operator.post("/v1/retention/sweep", {}).whole("removed")
    operator.ask("PUT", "/v1/retention", {**rule, "messages_after_days": None}).raise_for_status()
    return removed


RULES = [
    {"id": "keys", "pattern": r"\bsk-[A-Za-z0-9]{8,}", "action": "mask"},
    {"id": "words", "pattern": r"(?i)forbidden", "action": "refuse"},
]
CORPUS = {  # text: what must be read of it; None: it must be refused
    "a plain text": "a plain text",
    "the key is sk-abcdefgh12": "the key is ***",
    "sk-abcdefgh12 and sk-ijklmnop34": "*** and ***",
    "sk-short is none": "sk-short is none",
    "this is forbidden": None,
    "FORBIDDEN it is": None,
    "forbid it": "forbid it",
    "risk-assessment is fine": "risk-assessment is fine",
    "emoji 🚀 and blanks  stay": "emoji 🚀 and blanks  stay",
    "the last one": "the last one",
}


@dataclass(frozen=True)
class Filtered:
    """Each text of the corpus: the status of its post, its request, and what was read of it."""

    before: dict[str, int]  # without a rule
    statuses: dict[str, int]
    requests: dict[str, str]
    read: Sequence[str]
    decisions: dict[str, Sequence[str]]  # rules that the log names, by request
    raw: str  # the log's text


def filtered(phase: Stage) -> Filtered:
    """A corpus is posted without rules, and again with two."""
    bridge = Bridge.of(phase)
    free, ruled = (Exchange.begun(bridge, name, 1) for name in ("free", "ruled"))
    before = {text: free.post(0, text).status_code for text in CORPUS}
    bridge.operator.ask("PUT", "/v1/filters", {"rules": RULES}).raise_for_status()
    answers = {text: ruled.post(0, text) for text in CORPUS}
    bridge.operator.ask("PUT", "/v1/filters", {"rules": []}).raise_for_status()
    read = [str(message["text"]) for message in ruled.history()]
    decisions: dict[str, list[str]] = {}
    log = phase.file("logs") / "bridge.jsonl"
    for line in lines(log, "log of the bridge"):
        if line.text("event") == "filter.decision":
            decisions.setdefault(line.text("request_id"), []).append(line.text("rule"))
    return Filtered(
        before,
        {text: answer.status_code for text, answer in answers.items()},
        {text: answer.headers.get("X-Request-Id", "") for text, answer in answers.items()},
        read,
        {request: tuple(rules) for request, rules in decisions.items()},
        log.read_text(encoding="utf-8"),
    )
