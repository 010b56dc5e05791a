"""Phase 2: rules of retention and of content, and what became of messages under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pytest_rollout import Stage
from suites.bridge.views.exchange import Exchange
from suites.bridge.views.lines import lines
from suites.bridge.views.service import Bridge


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
    ages = sorted(steps.values(), reverse=True)
    names = {age: name for name, age in steps.items()}
    begun = clock.now()
    for age in ages:
        due = ages[0] - age - (clock.now() - begun).total_seconds()
        if due > 0:
            clock.advance(due)
        # A token lasts an hour: each message has a new one.
        sender = bridge.with_token(bridge.token("suite-retained-00"), "suite-retained-00")
        sender.send(exchange.thread, names[age], wake=False).raise_for_status()
    operator = bridge.with_token(bridge.token("suite-keeper", "operator"), "suite-keeper")
    control = frozenset(one.text("text") for one in operator.read(exchange.thread))
    rule = {"messages_after_days": RETENTION_DAYS, "action": "delete"}
    operator.ask("PUT", "/v1/retention", rule).raise_for_status()
    said = operator.post("/v1/retention/sweep", {})
    left = frozenset(one.text("text") for one in operator.read(exchange.thread))
    wanted = {name: age <= RETENTION_DAYS * day for name, age in steps.items()}
    return Kept(wanted, left, control, said.whole("removed"))


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
