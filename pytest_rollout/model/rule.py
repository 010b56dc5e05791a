"""Rules: how observations become a verdict. Only ordered comparisons are rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from fractions import Fraction

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.units import SECONDS as SECONDS  # durations are read and said with it

PREVIOUS = "previous"  # as a release to compare with: the newest other one that was accepted
_NUMBER = re.compile(r"[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Cut:
    """An ordered comparison with a limit; ``text`` is how the plan states it."""

    operator: str  # one of < <= > >=
    limit: Fraction  # in the metric's unit; where it states none, durations are in seconds
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
    def unit(self) -> str:
        """The unit as the cut states it (``ms``, ``%``); empty for a plain number."""
        return _NUMBER.sub("", self.text.lstrip("<>= "), count=1).strip()

    @property
    def upward(self) -> bool:
        """Whether large values satisfy it."""
        return self.operator in (">", ">=")

    @property
    def opposite(self) -> Cut:
        """What satisfies it exactly where a value does not satisfy this one."""
        operator = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}[self.operator]
        return Cut(operator, self.limit, f"{operator} {self.text.partition(' ')[2]}")


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
    INCREASE = "increase"  # growth of a counter; after a fall the new value is growth since zero


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
    SINCE = "since"  # since the phase was begun, for as long as `until` says
    AGE = "age"  # of the deciding run's own, those born at least so long ago
    DAYS = "days"  # the newest n days of the plan's zone that are over
    NIGHTS = "nights"  # the newest n nights that are over


@dataclass(frozen=True, slots=True)
class Scope:
    """One way to choose slots; of several the first with enough of them decides."""

    kind: ScopeKind
    need: int
    span_us: int = 0  # of a span; the age; how long since the begin (0: for ever)
    last: int = 0  # how many slots, days or nights
    unbegun: bool = False  # of a watch before the begin: since the first watch instead
    file: bool = False  # of a run: what a file holds that somebody brought

    @property
    def words(self) -> str:
        """The scope as a reader would say it."""
        match self.kind:
            case ScopeKind.RUN:
                return "in the file" if self.file else "in this run"
            case ScopeKind.SPAN:
                return f"in the last {duration_words(self.span_us)}"
            case ScopeKind.LAST:
                return f"among the last {self.last}"
            case ScopeKind.SINCE if self.unbegun and self.span_us:
                return f"in the first {duration_words(self.span_us)} of watching"
            case ScopeKind.SINCE if self.unbegun:
                return "since the first watch"
            case ScopeKind.SINCE if self.span_us:
                return f"in the first {duration_words(self.span_us)} of the phase"
            case ScopeKind.SINCE:
                return "since the phase began"
            case ScopeKind.AGE:
                return f"of those at least {duration_words(self.span_us)} old"
            case ScopeKind.DAYS | ScopeKind.NIGHTS:
                unit = self.kind.value.removesuffix("s")
                return (
                    f"in the last {unit}" if self.last == 1 else f"in the last {self.last} {unit}s"
                )


@dataclass(frozen=True, slots=True)
class Each:
    """Expected groups of one label: the names, or how many there must be at least."""

    label: str
    names: tuple[str, ...] = ()
    at_least: int = 0
    source: str | None = None  # the series whose values of the label are expected, too


class PerUnit(Enum):
    """What a bucket is."""

    RUN = "run"
    DAY = "day"  # of the plan's zone
    NIGHT = "night"
    SPAN = "span"  # so many microseconds, aligned to midnight in UTC


@dataclass(frozen=True, slots=True)
class Per:
    """What closes a bucket that is judged as one."""

    unit: PerUnit
    length_us: int = 0  # of a span, which divides a day evenly

    @property
    def words(self) -> str:
        """The bucket as a plan states it: ``run``, ``day``, ``night``, or its length as ``5m``."""
        if self.unit is PerUnit.SPAN:
            return duration_words(self.length_us)
        return str(self.unit.value)

    @property
    def plural(self) -> str:
        """Several of them as a reader would say it: ``days``, ``stretches of 5m``."""
        return f"stretches of {self.words}" if self.unit is PerUnit.SPAN else f"{self.words}s"


@dataclass(frozen=True, slots=True)
class Streak:
    """So many looks in a row, or looks for so long without a gap longer than ``gap_us``."""

    n: int = 0
    span_us: int = 0
    gap_us: int = 0
    skip: bool = False  # a look with too few samples neither lengthens nor breaks it
    soak: bool = False  # stated as a soak

    @property
    def words(self) -> str:
        """The streak as a reader would say it."""
        if self.n:
            return f"{self.n} in a row"
        return f"for {duration_words(self.span_us)} without a gap of {duration_words(self.gap_us)}"


@dataclass(frozen=True, slots=True)
class Tolerate:
    """How many slots may be bad: in all, and one after the other."""

    failures: int
    in_a_row: int | None = None


@dataclass(frozen=True, slots=True)
class Nightly:
    """How a night is held against the first nights of a pinned release."""

    baseline: int = 30  # nights of that release
    latest: int = 3  # nights that are added up, tonight included
    confirm: int = 1  # runs of one night after its first that may count
    alarms: Fraction = Fraction(1, 10)  # false ones a year at most, of one load a night
    per: Per = Per(PerUnit.NIGHT)  # what a night is


@dataclass(frozen=True, slots=True)
class Versus:
    """The other side of a comparison; the cuts are then on the difference, or on the ratio."""

    metric: str
    where: Mapping[str, str] = field(default_factory=dict)
    frozen: bool = False  # what was seen until the phase began; else in the rule's own scope
    ratio: bool = False
    release: str | None = None  # of accepted runs of this release, or of the PREVIOUS one
    kayenta: bool = False  # by Kayenta's test; the cuts are then on the ratio of means
    nightly: Nightly | None = None  # a night against the first nights of the release

    @property
    def fixed(self) -> bool:
        """Whether the plan fixes the other side, so that no look and no reset moves it."""
        return self.frozen or self.release is not None


@dataclass(frozen=True, slots=True)
class Confidence:
    """The bound, not the point, must satisfy the cut, but for a chance of ``level``."""

    level: Fraction
    text: str
    windows: int = 0  # a guardrail over a moving window: how many windows the phase can hold


@dataclass(frozen=True, slots=True)
class Range:
    """The values that a series can have at all."""

    low: Fraction
    high: Fraction


@dataclass(frozen=True, slots=True)
class Rule:
    """How the observations of one series are judged."""

    metric: str
    take: Taking
    bands: Bands
    scopes: tuple[Scope, ...]
    where: Mapping[str, str] = field(default_factory=dict)
    each: tuple[Each, ...] = ()
    per: Per | None = None
    need: int = 1  # opportunities that a bucket of `per` must hold
    streak: Streak | None = None
    tolerate: Tolerate | None = None
    versus: Versus | None = None
    confidence: Confidence | None = None
    range: Range | None = None
    unit: str = ""  # of the metric's numbers, its range and its cuts

    @property
    def nightly(self) -> Nightly | None:
        """How nights are compared, if it compares nights."""
        return self.versus.nightly if self.versus else None

    @property
    def in_theorem(self) -> bool:
        """Whether worse evidence can never turn its failure into a pass."""
        return self.versus is None or not self.versus.kayenta


class Need(Enum):
    """How many members of a group must hold."""

    ALL = "all"
    ANY = "any"
    SCORE = "score"


@dataclass(frozen=True, slots=True)
class Group:
    """A criterion that is made of others of its phase."""

    members: tuple[tuple[str, Fraction], ...]  # criterion and weight
    need: Need = Need.ALL
    key: tuple[str, ...] = ()  # members that must not fail whatever the score
    bands: Bands | None = None  # cuts on the score, 0 to 100


_UNITS = (("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000))


def duration_words(microseconds: int) -> str:
    """A duration in its largest whole unit: ``5m``, ``48h`` is ``2d``, ``90s``."""
    for unit, size in _UNITS:
        if microseconds and microseconds % size == 0:
            return f"{microseconds // size}{unit}"
    return f"{microseconds / 1_000_000:g}s"
