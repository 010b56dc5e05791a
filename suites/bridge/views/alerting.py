"""Alerts: which there must be, and the messages of each in the inbox."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_rollout import Message, read_inbox
from suites.bridge.views.exposition import Scrape
from suites.bridge.views.runbooks import CASES

MOST_WITHIN_S = 300
# Of each target and runbook, the alert.
ABOUT: Mapping[str, str] = {
    "post_success": "post-success",
    "read_success": "read-success",
    "post_to_visible": "post-to-visible",
    "message_to_wake": "message-to-wake",
    "service-unavailable": "not-ready",
    "storage-contention": "storage-contention",
    "delivery-delay": "post-to-visible",
    "authz-misconfiguration": "authorization-denials",
    "token-issuer-outage": "token-validation",
    "escalation-flood": "escalation-flood",
    "wake-trigger-failure": "wake-failures",
    "unmanaged-runtime": "unmanaged-runtime",
    "collision-timeout": "collision-timeout",
}
ALERTS = (*dict.fromkeys(ABOUT.values()), "tick-failed")
NUMBERS: Mapping[str, str] = {  # of the plan, or of what was decided where it has none
    "post-success": "0.99",
    "read-success": "0.995",
    "post-to-visible": "2",
    "message-to-wake": "3",
    "not-ready": "3",
    "escalation-flood": "10",
    "wake-failures": "0.1",
    "tick-failed": "3",
}
CRITICAL = ("not-ready", "post-success", "read-success", "tick-failed")  # nobody is served
FUNCTIONS = frozenset(  # words of PromQL, of probes and of labels: all else is a series
    (
        *(
            "increase",
            "rate",
            "irate",
            "delta",
            "sum",
            "avg",
            "max",
            "min",
            "count",
            "by",
            "without",
        ),
        *(
            "histogram_quantile",
            "quantile",
            "and",
            "or",
            "unless",
            "on",
            "ignoring",
            "le",
            "m",
            "h",
        ),
        *("probes", "of", "ready", "in", "a", "row", "that", "were", "not", "d", "s"),
    )
)
_TEXT = re.compile(r'"[^"]*"')
_LABEL = re.compile(r"([A-Za-z_]\w*)\s*(?:=~|!~|!=|=)")
_WORD = re.compile(r"[A-Za-z_]\w*")


def unknown(expression: str, scraped: Scrape) -> str:
    """What in an expression means nothing: a series or a label that nobody exports; or empty."""
    if expression.count("(") != expression.count(")"):
        return "its brackets"
    bare = _TEXT.sub("", expression)
    labels: set[str] = set(_LABEL.findall(bare)) | set(re.findall(r"by \((\w+)\)", bare))
    named: list[str] = [word for word in _WORD.findall(bare) if word not in FUNCTIONS | labels]
    series = [word for word in named if not re.fullmatch(r"\d+[smhd]", word)]
    gone = [word for word in series if not exported(word, scraped)]
    if gone:
        return gone[0]
    if not series and "/ready" not in expression:
        return "no series"
    kept = {label for name in series for label in labels_of(name, scraped)} | {"le"}
    lost = [label for label in labels if label not in kept]
    values = {value for name in series for value in values_of(name, scraped)}
    asked = [word for text in _TEXT.findall(expression) for word in text.strip('"').split("|")]
    lost += [word for word in asked if word not in values]
    return lost[0] if lost else ""


_SUFFIXES = ("", "_total", "_count", "_sum", "_bucket")


def exported(word: str, scraped: Scrape) -> bool:
    """Whether a series of this name is exported, whole or by its parts."""
    return any(f"{word}{suffix}" in scraped.samples for suffix in _SUFFIXES)


def _labelled(word: str, scraped: Scrape) -> list[tuple[str, str]]:
    return [
        pair
        for suffix in _SUFFIXES
        for labels in scraped.samples.get(f"{word}{suffix}", ())
        for pair in labels
    ]


def labels_of(word: str, scraped: Scrape) -> set[str]:
    """The labels of a series."""
    return {name for name, _ in _labelled(word, scraped)}


def values_of(word: str, scraped: Scrape) -> set[str]:
    """The values that labels of a series have."""
    return {value for _, value in _labelled(word, scraped)}


assert set(CASES) <= set(ABOUT)


def of_alert(inbox: Sequence[Message], name: str, status: str) -> list[Message]:
    """The messages of an alert with a status, in the order of their arrival."""
    return [
        message
        for message in inbox
        if message.body.get("alert") == name and message.body.get("status") == status
    ]


def received(path: Path) -> Sequence[Message]:
    """What arrived so far."""
    return tuple(read_inbox(path)) if path.is_file() else ()
