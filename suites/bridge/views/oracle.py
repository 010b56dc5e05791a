"""Who may do what and who gets a message, by bridge-api.md of the docs, not by the bridge."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

ROLES = ("executor", "reviewer", "coordinator", "operator", "reader")
STATES = ("active", "blocked", "closed")

# Of each operation, state and role (in the order of ROLES): allow (+), deny (-), conflict (9).
TABLE = {
    "create_thread": {"any": "++++-"},
    "list_threads": {"any": "+++++"},
    "get_policy": {"any": "+++++"},
    "read_workspace_audit": {"any": "---+-"},
    "get_thread": dict.fromkeys(STATES, "+++++"),
    "read_messages": dict.fromkeys(STATES, "+++++"),
    "preview_recipients": dict.fromkeys(STATES, "+++++"),
    "mark_read": dict.fromkeys(STATES, "+++++"),
    "read_audit": dict.fromkeys(STATES, "++++-"),
    "add_participant": {"active": "+-++-", "blocked": "+-++-", "closed": "9-99-"},
    "remove_participant": {"active": "--++-", "blocked": "--++-", "closed": "--99-"},
    "post_message": {"active": "++++-", "blocked": "999+-", "closed": "9999-"},
    "to blocked": {"active": "++++-", "blocked": "9999-", "closed": "9999-"},
    "to active": {"active": "--99-", "blocked": "--++-", "closed": "--99-"},
    "to closed": {"active": "-+++-", "blocked": "-9++-", "closed": "-999-"},
    "override_close": {"active": "---+-", "blocked": "---+-", "closed": "---9-"},
}
WORD = {"+": "allow", "-": "deny", "9": "conflict"}


def allowed(operation: str, state: str, role: str) -> str:
    """What the table says of a cell: allow, deny or conflict."""
    return WORD[TABLE[operation][state][ROLES.index(role)]]


def cells() -> list[tuple[str, str, str]]:
    """Every operation, state and role of the table."""
    return [
        (operation, state, role)
        for operation, states in TABLE.items()
        for state in states
        for role in ROLES
    ]


def recipients(
    members: Sequence[str], sender: str, to: Iterable[str] | None
) -> tuple[list[str], list[str]]:
    """Who gets a message, in the order of joining, and who of the addressees is no member."""
    others = [member for member in members if member != sender]
    if to is None:
        return others, []
    named = list(dict.fromkeys(to))
    strangers = [name for name in named if name not in members and name != sender]
    return [member for member in others if member in named], strangers


def fingerprint(text: str) -> str:
    """What two findings have in common that say the same: words, whatever case and blanks."""
    plain = " ".join(text.lower().split())
    plain = re.sub(r"^[\W_]+|[\W_]+$", "", plain)
    return hashlib.sha256(plain.encode()).hexdigest()


def cycles(findings: Iterable[str]) -> list[int]:
    """Of each finding, how many in a row had its fingerprint: A A B A is 1 2 1 1."""
    counts: list[int] = []
    before = ""
    for finding in findings:
        now = fingerprint(finding)
        counts.append(counts[-1] + 1 if counts and now == before else 1)
        before = now
    return counts
