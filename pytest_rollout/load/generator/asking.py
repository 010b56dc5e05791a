"""What a user asks in one task: so that no request is lost whose task raises, or forgets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ASKED = "rollout_asked"  # in the context of a request: the one that is asked
REDIRECTS = frozenset((301, 302, 303, 307, 308))
UNSAID = "its user did not say whether the answer is right"
RAISED = "(task)"  # under which a task stands that raised before it asked


@dataclass(slots=True)
class Asker:
    """One user, in one task."""

    name: str = RAISED  # of its last request
    failed: bool = False  # whether a request of this task failed: it may raise then
    held: set[int] = field(default_factory=set)  # answers of which it has not said what they are

    def anew(self) -> None:
        """Begin another task."""
        self.name, self.failed = RAISED, False


@dataclass(slots=True)
class Asked:
    """One request, in the context that locust hands on."""

    key: int
    asker: Asker
    may_redirect: bool


def redirected(context: Mapping[str, Any], response: object) -> str:
    """Return what is wrong with an answer that only says where to ask; empty where nothing is."""
    asked = context.get(ASKED)
    status = getattr(response, "status_code", None)
    if asked is None or asked.may_redirect or status not in REDIRECTS:
        return ""
    return f"{status}: a redirect, which counts as no answer unless allow_redirects is stated"
