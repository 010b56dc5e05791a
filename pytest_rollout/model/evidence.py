"""What was seen: slots with values or holes, attempts of checks, facts about a run."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from numbers import Rational, Real
from operator import index

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.attestation import Attestation
from pytest_rollout.model.finding import Labels, Reason, said
from pytest_rollout.model.ingest import ResultFacts
from pytest_rollout.model.life import Life
from pytest_rollout.model.override import Override
from pytest_rollout.model.people import Authors
from pytest_rollout.model.plan import RollsUp
from pytest_rollout.model.provenance import Input, Producer
from pytest_rollout.model.reset import Reset
from pytest_rollout.model.settlement import Settlement
from pytest_rollout.model.tried import Tried
from pytest_rollout.model.verdict import Verdict

# A weighted set of numbers: one number, 0/1 outcomes of a ratio, or a distribution.
Sample = tuple[tuple[Fraction, int], ...]


@dataclass(frozen=True, slots=True)
class Hole:
    """A slot that should hold a value and does not."""

    why: str | Reason
    n: int | None = None  # opportunities it stood for; None: nobody knows

    @property
    def reason(self) -> Reason:
        """Why it is one, as data."""
        return said(self.why) if isinstance(self.why, str) else self.why


@dataclass(frozen=True, slots=True)
class Slot:
    """One place for a value: series, labels, event time and sequence at that time."""

    series: str
    labels: Labels
    t_us: int  # event time, microseconds since the epoch
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """A slot with what was seen in it, and when it was recorded."""

    slot: Slot
    value: Sample | Hole
    seen_us: int = 0
    run: str = ""
    release: str | None = None  # of what was seen in an accepted run of a release, to compare with


@dataclass(frozen=True, slots=True)
class Lost:
    """What a run may have seen that nobody knows: a hole in each group of its series."""

    run: str
    t_us: int  # it was seen at this event time at the latest
    why: str
    series: frozenset[str] | None = None  # that it could have seen; None: any
    ended_early: bool = False  # cancelled, stopped or killed: a person can settle it


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution of a check."""

    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What should run, known before deselection: the items of each criterion (full id)."""

    items: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dropped: Mapping[str, str] = field(default_factory=dict)  # item -> why it was not to run
    broken: tuple[str, ...] = ()  # modules that could not be collected
    absent: frozenset[str] = frozenset()  # listed beside the plan, and not collected
    unnamed: tuple[str, ...] = ()  # items marked with the phase that name no criterion
    rehearsed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # left out, of criteria

    @property
    def bound(self) -> tuple[str, ...]:
        """The items that were about to run, each once."""
        named = (item for items in self.items.values() for item in items)
        expected = dict.fromkeys((*named, *self.unnamed))
        left_out = (self.dropped, self.absent)
        return tuple(item for item in expected if not any(item in out for out in left_out))

    def unreported(self, checks: Mapping[str, tuple[Attempt, ...]]) -> tuple[str, ...]:
        """The items that were about to run and of which no attempt is known."""
        return tuple(item for item in self.bound if not checks.get(item))


@dataclass(frozen=True, slots=True)
class ReleaseFact:
    """What a target said of itself at one moment of a run."""

    when: str  # start or end
    release: str | None
    configuration: str | None = None
    reference: str | None = None  # the identity of a reference target
    error: str | None = None
    scenario: str = ""  # the one around which it was read; empty: the run
    watch: bool = False  # read by a watch
    earlier: bool = False  # the end of a run that a recorded change ended: read before the change


@dataclass(frozen=True, slots=True)
class Head:
    """A place in the ledger's chain."""

    sequence: int
    hash: str


@dataclass(frozen=True, slots=True)
class Run:
    """Facts about one run of pytest that judges evidence depends on."""

    id: str
    environment: str
    started_us: int
    ended_us: int
    sealed: bool
    problems: tuple[str, ...] = ()  # why its evidence cannot be trusted whole
    partial: tuple[str, ...] = ()  # what was left out on purpose
    drill: str | None = None
    releases: tuple[ReleaseFact, ...] = ()
    configured: Mapping[str, bool] = field(default_factory=dict)
    zone_data: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    producer: Producer | None = None
    authors: Authors | None = None  # of the change; None: nobody asked

    @property
    def release(self) -> str | None:
        """The one release that the run judged, or None."""
        releases = {fact.release for fact in self.releases}
        return releases.pop() if len(releases) == 1 else None

    @property
    def configuration(self) -> str | None:
        """The fingerprint of the configuration as it was last read."""
        return next((fact.configuration for fact in reversed(self.releases)), None)


@dataclass(frozen=True, slots=True)
class Rolled:
    """What the last decision of another gate found; a hole where none may be read."""

    of: RollsUp
    verdict: Verdict | Hole
    reason: Reason = field(default_factory=lambda: said(""))
    run: str = ""  # whose decision it is
    decided_us: int = 0  # record time of the end of that run
    release: str | None = None
    asked: str = ""  # fingerprint of what the gate asked then
    until: str = ""  # the day on which a waiver in it ends


@dataclass(frozen=True, slots=True)
class FailedBefore:
    """Hard criteria that failed in an earlier full run of the same release and environment."""

    run: str
    ended_us: int
    criteria: tuple[str, ...]  # full ids


@dataclass(frozen=True, slots=True)
class Brought:
    """A file of another tool that somebody brought, as a decision sees it."""

    run: str
    at_us: int  # when it was recorded
    facts: ResultFacts
    seen: tuple[Seen, ...] = ()
    checks: Mapping[str, tuple[Attempt, ...]] = field(default_factory=dict)
    elsewhere: tuple[str, ...] = ()  # other environments that it was brought for


@dataclass(frozen=True, slots=True)
class World:
    """All that a decision may look at."""

    run: Run
    manifest: Manifest
    checks: Mapping[str, tuple[Attempt, ...]]  # item -> its attempts
    seen: tuple[Seen, ...]
    head: Head
    looks: int = 1
    begun_us: int | None = None  # event time at which the phase was begun
    past: tuple[Seen, ...] = ()  # what comparisons may read, and nothing else
    lost: tuple[Lost, ...] = ()
    attestations: tuple[Attestation, ...] = ()  # of the environment, in order of recording
    rolled: tuple[Rolled, ...] = ()  # findings of other gates that its criteria name
    resets: tuple[Reset, ...] = ()  # of guardrails, in order of recording
    previous: str | None = None  # the newest other release that this gate accepted before the run
    failed_before: tuple[FailedBefore, ...] = ()  # in order of recording
    inputs: tuple[Input, ...] = ()  # what was read to make it
    overrides: tuple[Override, ...] = ()  # of the phase and release, in order of recording
    life: Life | None = None  # of the phase since its begin; None: it was not begun, or embedded
    settled: tuple[Settlement, ...] = ()  # of runs in reach that were ended early
    brought: tuple[Brought, ...] = ()  # files of other tools; only who asks for them reads them
    tried: tuple[Tried, ...] = ()  # earlier runs of the release that looked; for nights


def labels_of(labels: Mapping[str, object]) -> Labels:
    """Labels in their one order; values become text, True and False become yes and no."""
    return tuple(sorted((key, _label(value)) for key, value in labels.items()))


def _label(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def number_text(value: object) -> str:
    """The decimal (or p/q) text of a number; ``NaN`` where it is not finite or is beyond reach.

    Raises TypeError where it is no number.
    """
    try:
        return _number_text(value)
    except (OverflowError, ValueError):  # more digits than Python prints, or than a float holds
        return "NaN"


def _number_text(value: object) -> str:
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, Decimal):
        return str(value) if value.is_finite() else "NaN"
    if isinstance(value, Rational):
        fraction = Fraction(int(value.numerator), int(value.denominator))
        return str(fraction)
    if isinstance(value, Real):
        number = float(value)
        return repr(number) if math.isfinite(number) else "NaN"
    raise TypeError(f"a value is a number, not {type(value).__name__}: {value!r:.60}")


# Decimal digits before and after the point; floats need less, and exact arithmetic needs a bound.
_REACH = 1000


def exact(text: str) -> Fraction:
    """The exact rational of a decimal or p/q text (0.1 is 1/10).

    Raises ValueError where it is no finite number, or one of more than a thousand digits.
    """
    if len(text) > 2 * _REACH:
        raise ValueError(f"{text[:40]}... has too many digits")
    try:
        if "/" in text:
            return Fraction(text)
        number = Decimal(text)
        if number.is_finite() and abs(number.adjusted()) > _REACH:
            if number:
                raise ValueError(f"{text!r} is beyond 10^{_REACH}")
            return Fraction(0)
        return Fraction(number)
    except (InvalidOperation, OverflowError, ZeroDivisionError) as error:
        raise ValueError(f"{text!r} is not a finite number") from error


def encode_ratio(bad: int, of: int) -> str:
    """The stored form of ``bad`` out of ``of`` opportunities; raises TypeError for no integers."""
    return json.dumps({"bad": index(bad), "of": index(of)}, separators=(",", ":"))


def encode_distribution(counts: Mapping[str, int]) -> str:
    """The stored form of a distribution: number text to count."""
    return json.dumps(sorted(counts.items()), separators=(",", ":"))


def decode(text: str) -> Sample | Hole:
    """The value in a stored text; what cannot be read, NaN and infinity are holes."""
    n = None if text[:1] in ("{", "[") else 1
    try:
        if text[:1] == "{":
            ratio = json.loads(text)
            return _ratio(_count(ratio["bad"]), _count(ratio["of"]))
        if text[:1] == "[":
            pairs = [(value, _count(count)) for value, count in json.loads(text)]
            return tuple((exact(str(value)), count) for value, count in pairs if count)
        return ((exact(text), 1),)
    except (ValueError, TypeError, KeyError, RecursionError):
        nothing = "no finite number was measured"
        return Hole(nothing if text == "NaN" else f"{text[:40]} is not a number to judge", n)


def _count(number: object) -> int:
    if type(number) is not int or number < 0:
        raise ValueError(f"{number!r:.40} is not a count")
    return number


def _ratio(bad: int, of: int) -> Sample | Hole:
    if bad > of:
        return Hole(f"{bad} of {of} is not a ratio")
    pairs = ((Fraction(1), bad), (Fraction(0), of - bad))
    return tuple(pair for pair in pairs if pair[1])
