"""A check that a plan states itself: what is asked, and what the answer must be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum, StrEnum

from pytest_rollout.late_dataclass import dataclass


class Effect(Enum):
    """What checking does to a target; members stand from harmless to worst."""

    OBSERVE = "observe"
    CHANGE = "change"
    DISRUPT = "disrupt"

    @property
    def rank(self) -> int:
        """0 is harmless."""
        return list(Effect).index(self)


class CheckMeans(StrEnum):
    """How a check asks."""

    COMMAND = "command"
    HTTP = "http"
    SQL = "sql"
    PROMETHEUS = "prometheus"
    LOAD = "load"


@dataclass(frozen=True, slots=True)
class Wording:
    """What a text of an answer must be; ``exactly`` leaves out white space at both ends."""

    text: str  # stdout, stderr or body
    exactly: str | None = None
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    matches: str | None = None


@dataclass(frozen=True, slots=True)
class Expect:
    """What an answer must be, beyond having been given."""

    status: tuple[int, ...] = ()  # exit statuses or HTTP statuses; empty: 0, or 200..299
    wordings: tuple[Wording, ...] = ()
    json: object = None  # what the answer's JSON must hold: int, Decimal, text, tuple, mapping
    value: object = None  # what the one value of a query must be


@dataclass(frozen=True, slots=True)
class Check:
    """A question that needs no Python, asked as an item of its own."""

    means: str  # one of CheckMeans, or the name of one that another package installs
    text: str  # the shell's line, path of an address, query, name of a load; of an argv its words
    argv: tuple[str, ...] = ()  # a command without a shell
    on: tuple[str, ...] = ()  # targets: one, or of a command any number
    timeout_us: int = 30_000_000
    effect: Effect = Effect.OBSERVE
    fixtures: tuple[str, ...] = ()  # pytest fixtures that are set up before it
    cwd: str = ""  # below the project's root
    env: tuple[str, ...] | None = None  # the variables a command gets; None: all
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    send: object = None  # a JSON body
    samples: bool = False  # a command prints samples with times of their own
    json: str = ""  # where the number stands in the answer's JSON, as lanes.0.depth
    expect: Expect = Expect()
    line: int = 0
    options: Mapping[str, object] = field(default_factory=dict)  # what `with` holds

    def __str__(self) -> str:
        on = f" on {', '.join(self.on)}" if self.on else ""
        return f"{self.means}{on}: {' '.join(self.text.split())}"


def item_name(phase: str, criterion: str) -> str:
    """The last part of the id of the item that runs a criterion's own check."""
    return f"{phase}:{criterion}"
