"""Where phases are judged: environments, their targets, and where facts about them are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.check import Effect
from pytest_rollout.model.requests import ReadingRequest

EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class Target:
    """A system under test: served by us, at an address, or a file (of a served one)."""

    name: str
    serve: str | None = None
    address: str | None = None  # may hold ${VARIABLES}
    file: str | None = None
    of: str | None = None
    line: int = 0
    reads: tuple[ReadingRequest, ...] = ()  # what only reads, whatever its method


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a phase is judged."""

    name: str
    targets: Mapping[str, Target] = field(default_factory=dict)
    max_age_us: int | None = None
    allow: frozenset[Effect] = frozenset({Effect.OBSERVE})
    line: int = 0

    @property
    def embedded(self) -> bool:
        """Whether this is the rehearsal on reference targets."""
        return self.name == EMBEDDED


@dataclass(frozen=True, slots=True)
class FactSource:
    """Where a fact (a release, a configuration) is read: a page, a command, or a variable."""

    target: str = ""  # whose page is asked; empty: a command or a variable says it
    path: str = ""
    json: str | None = None  # where it stands in the JSON of a page, or of what a command prints
    header: str = ""  # the header of the page's answer that says it
    headers: Mapping[str, str] = field(default_factory=dict)  # sent; may hold ${VARIABLES}
    command: tuple[str, ...] = ()
    variable: str = ""
    matches: str = ""  # the part that counts: group `release`, the first group, or all of it

    @property
    def asks_target(self) -> bool:
        """Whether a target says it."""
        return bool(self.target)
