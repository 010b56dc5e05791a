"""What a user asks in one task: so that no request is lost whose task raises, or forgets it."""

from __future__ import annotations

from dataclasses import field

from pytest_rollout.late_dataclass import dataclass

ASKED = "rollout_asked"  # in the context of a request: the one that is asked
REDIRECTS = frozenset((301, 302, 303, 307, 308))
UNSAID = "its user did not say whether the answer is right"
RAISED = "(task)"  # under which a task stands that raised before it asked


@dataclass(slots=True)
class Asker:
    """One user, in one task."""

    planned: float | None = None  # start of an arrival whose first request is not asked yet
    name: str = RAISED  # of its last request
    failed: bool = False  # whether a request of this task failed: it may raise then
    held: set[int] = field(default_factory=set)  # answers of which it has not said what they are

    def anew(self) -> None:
        """Begin another task."""
        self.planned, self.name, self.failed = None, RAISED, False


@dataclass(slots=True)
class Asked:
    """One request, as the recorder keeps it and locust hands it on in the context."""

    key: int  # its number in the load; 0 where it is not of it
    name: str
    begun: float  # seconds since the begin of the load
    late: float  # by how much that was after its planned start
    asker: Asker
    may_redirect: bool


def redirected(response: object) -> str | None:
    """Return what is wrong with an answer that only says where to ask; None where nothing is."""
    status = getattr(response, "status_code", None)
    if status not in REDIRECTS:
        return None
    return f"{status}: a redirect, which counts as no answer unless allow_redirects is stated"
