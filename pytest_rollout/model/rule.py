"""Rules: how observations become a verdict. Only ordered comparisons are rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Cut:
    """An ordered comparison with a limit; ``text`` is how the plan states it."""

    operator: str  # one of < <= > >=
    limit: Fraction  # durations in seconds
    text: str

    def holds(self, value: Fraction) -> bool:
        """Whether the value satisfies the comparison, exactly."""
        match self.operator:
            case "<":
                return value < self.limit
            case "<=":
                return value <= self.limit
            case ">":
                return value > self.limit
            case _:
                return value >= self.limit

    @property
    def upward(self) -> bool:
        """Whether large values satisfy it."""
        return self.operator in (">", ">=")


@dataclass(frozen=True, slots=True)
class Bands:
    """Up to three cuts on one value; where ``fail`` is absent it means: not pass."""

    passes: Cut
    warn: Cut | None = None
    fail: Cut | None = None


class Take(Enum):
    """How the values of a slice become one."""

    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    LAST = "last"
    RATE = "rate"
    SHARE = "share"
    QUANTILE = "quantile"


@dataclass(frozen=True, slots=True)
class Taking:
    """A take with its parameter: the quantile (0..1), or the cut whose share is taken."""

    take: Take
    text: str
    quantile: Fraction | None = None
    share_of: Cut | None = None


class ScopeKind(Enum):
    """Which slots a scope reaches."""

    RUN = "run"  # the deciding run's own
    SPAN = "span"  # (at - span, at]
    LAST = "last"  # the newest n, a group at a time
    SINCE = "since"  # since the phase was begun


@dataclass(frozen=True, slots=True)
class Scope:
    """One way to choose slots; of several the first with enough of them decides."""

    kind: ScopeKind
    need: int
    span_us: int = 0
    last: int = 0

    @property
    def words(self) -> str:
        """The scope as a reader would say it."""
        match self.kind:
            case ScopeKind.RUN:
                return "in this run"
            case ScopeKind.SPAN:
                return f"in the last {duration_words(self.span_us)}"
            case ScopeKind.LAST:
                return f"among the last {self.last}"
            case ScopeKind.SINCE:
                return "since the phase began"


@dataclass(frozen=True, slots=True)
class Each:
    """Expected groups of one label: the names, or how many there must be at least."""

    label: str
    names: tuple[str, ...] = ()
    at_least: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """How the observations of one series are judged."""

    metric: str
    take: Taking
    bands: Bands
    scopes: tuple[Scope, ...]
    where: Mapping[str, str] = field(default_factory=dict)
    each: tuple[Each, ...] = ()


_UNITS = (("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000))


def duration_words(microseconds: int) -> str:
    """A duration in its largest whole unit: ``5m``, ``48h`` is ``2d``, ``90s``."""
    for unit, size in _UNITS:
        if microseconds and microseconds % size == 0:
            return f"{microseconds // size}{unit}"
    return f"{microseconds / 1_000_000:g}s"
