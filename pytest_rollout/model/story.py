"""What a report tells beside a decision: what was measured, what happened, how it was before.

All of it is read from the ledger again whenever a report is written. Nothing of it decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from fractions import Fraction

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.finding import Finding, Labels
from pytest_rollout.model.rollback import StepOutcome
from pytest_rollout.model.rule import Cut
from pytest_rollout.model.verdict import Answer


class Drawn(StrEnum):
    """What a curve shows of its samples."""

    VALUES = "values"  # each as it was seen
    SHARE = "share"  # how large the share of bad ones was by then, with its interval
    TOTAL = "total"  # how much it was in all by then


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A sample, or what the samples up to it come to."""

    at_us: int  # event time
    value: float | None  # None: a hole
    low: float | None = None  # of the interval of a share
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """What was seen of one group over time."""

    group: Labels
    points: tuple[CurvePoint, ...]  # of many the smallest and largest of each stretch
    samples: int
    value: Fraction | None = None  # that the judge took; None: it took none
    taken_at_us: int | None = None  # when that was seen


@dataclass(frozen=True, slots=True)
class Measured:
    """What a rule of a criterion or guardrail judged."""

    metric: str
    take: str  # in the plan's words: max, p95, rate
    drawn: Drawn
    unit: str
    passes: Cut | None  # None: of a guardrail, which only fails
    fails: Cut | None
    curves: tuple[Curve, ...] = ()


class Kind(StrEnum):
    """What sort of thing happened in a phase."""

    BEGIN = "begin"
    END = "end"
    CHANGE = "change"
    ACTION = "action"
    FREEZE = "freeze"
    RESUME = "resume"
    TRIP = "trip"
    RESET = "reset"
    STEP = "rollback step"
    DECISION = "decision"
    UNKNOWN = "unknown"  # what a run may have seen that nobody knows
    OTHER = "event"


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that happened in a phase; a stretch of time has an end."""

    kind: Kind
    at_us: int
    says: str
    until_us: int | None = None
    step: str = ""  # the key of a step of a rollback
    outcome: str = ""  # of that step; `says` has it, too


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An earlier decision of the same gate, and what its measurements came to."""

    decided_at: str
    answer: Answer
    release: str | None
    verdicts: Mapping[str, int]
    values: Mapping[str, str]  # full id: the value that was taken, as an exact text


@dataclass(frozen=True, slots=True)
class Todo:
    """One thing to be done now."""

    who: str  # roles; empty: who reads it
    says: str
    command: str = ""


@dataclass(frozen=True, slots=True)
class StepState:
    """A step of the rollback, and what became of it since the trip."""

    says: str
    by_hand: bool
    outcome: str = ""  # empty: it was not begun
    at_us: int | None = None
    does: str = ""  # what is run, as `http on web: POST /share/0`; empty: people do it

    @property
    def done(self) -> bool:
        """Whether nothing of it is left to do."""
        return any(outcome.good for outcome in StepOutcome if outcome == self.outcome)

    @property
    def words(self) -> str:
        """What became of it."""
        return self.outcome or ("by hand, not on record" if self.by_hand else "not begun")


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that a check attached."""

    check: str
    name: str
    size: int  # bytes
    digest: str


@dataclass(frozen=True, slots=True)
class Story:
    """All that a report tells beside a decision."""

    measured: Mapping[str, tuple[Measured, ...]] = field(default_factory=dict)  # by full id
    happened: tuple[Happened, ...] = ()  # in order of time
    evaluations: tuple[Evaluation, ...] = ()  # the newest last; this one included
    todo: tuple[Todo, ...] = ()
    steps: tuple[StepState, ...] = ()  # of the rollback, where the answer is ROLLBACK
    kept: tuple[Kept, ...] = ()  # what checks of the phase attached
    unread: tuple[str, ...] = ()  # series that were seen and that no rule reads
    signoff: tuple[Finding, ...] = ()  # of each role that signs a GO, and of each objection


NO_STORY = Story()
