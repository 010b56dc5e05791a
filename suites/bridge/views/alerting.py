"""Alerts: which there must be, and the messages of each in the inbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_rollout import Message, read_inbox
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
    "escalation-flood": "10",
}
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
