"""What a mutation drill found: which small changes of a target its gates noticed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import field
from enum import StrEnum

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.mutants import Mutant, MutantOutcome
from pytest_rollout.model.plan import Gate
from pytest_rollout.model.verdict import Answer, Verdict

_Z_95 = 1.959963984540054  # of the normal distribution: 95 % lie within so many deviations


class Weight(StrEnum):
    """How much what noticed a mutant weighs in its gate; strongest first."""

    HARD = "hard"  # a hard criterion, a guardrail that pauses or rolls back, a demand on the run
    SOFT = "soft"  # a soft criterion, a guardrail that makes a condition
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True)
class Notice:
    """A criterion, guardrail or demand that left pass with a mutant, and did not without it."""

    id: str  # within the phase
    gate: Gate
    weight: Weight
    verdict: Verdict
    because: str


@dataclass(frozen=True, slots=True)
class Trial:
    """One rehearsal of a phase with a mutant."""

    phase: str  # its id
    notices: tuple[Notice, ...] = ()
    ran_through: tuple[str, ...] = ()  # criteria and guardrails that the changed line was run for
    answers: Mapping[Gate, Answer] = field(default_factory=dict)
    collapsed: bool = False  # all that could say no is error or missing
    hung: bool = False
    trouble: str = ""  # why the rehearsal told nothing
    seconds: float = 0.0

    @property
    def weight(self) -> Weight | None:
        """The strongest of what noticed; None where nothing did, or it counts for nothing."""
        if self.collapsed or self.trouble:
            return None
        weights = {notice.weight for notice in self.notices}
        return next((weight for weight in Weight if weight in weights), None)

    def by(self, weight: Weight) -> tuple[Notice, ...]:
        """What noticed with such a weight."""
        return tuple(notice for notice in self.notices if notice.weight is weight)


@dataclass(frozen=True, slots=True)
class MutantResult:
    """What became of one mutant, and the rehearsals that showed it."""

    mutant: Mutant
    outcome: MutantOutcome
    trials: tuple[Trial, ...] = ()
    because: str = ""  # of an equivalent: the reviewed reason; of a broken one: what was said

    @property
    def as_error(self) -> bool:
        """Whether everything that noticed could not measure, rather than saw something bad."""
        if self.outcome is not MutantOutcome.HARD:
            return False
        notices = [
            notice for trial in self.trials if trial.weight for notice in trial.by(Weight.HARD)
        ]
        return all(notice.verdict in _UNMEASURED for notice in notices)


_UNMEASURED = (Verdict.ERROR, Verdict.MISSING)
_ASKED = (
    *(MutantOutcome.HARD, MutantOutcome.SOFT, MutantOutcome.OPTIONAL),
    MutantOutcome.SURVIVED,
)


@dataclass(frozen=True, slots=True)
class HealthyPhase:
    """A phase as it was rehearsed without a mutant."""

    phase: str
    answers: Mapping[Gate, Answer] = field(default_factory=dict)
    release: str | None = None
    seconds: float = 0.0
    trouble: str = ""  # why no mutant was rehearsed in it
    stated: Mapping[Gate, tuple[str, ...]] = field(default_factory=dict)  # criteria, guardrails


@dataclass(frozen=True, slots=True)
class MutationDrill:
    """A mutation drill of a plan, or of some of its phases."""

    plan: str
    plan_digest: str
    phases: tuple[HealthyPhase, ...]
    paths: tuple[str, ...]
    population: int  # mutants that there are, of which the sample was drawn
    chosen: int  # mutants that were to be rehearsed
    seed: int
    results: tuple[MutantResult, ...]
    changed_since: str = ""  # only lines changed since this revision; empty: all
    stopped: str = ""  # why not all of the chosen ones were rehearsed

    @property
    def whole(self) -> bool:
        """Whether all that was chosen was rehearsed, in every phase that runs through it."""
        asked = not any(phase.trouble for phase in self.phases)
        return asked and not self.stopped and len(self.results) == self.chosen


@dataclass(frozen=True, slots=True)
class Score:
    """A share with its interval: ``noticed`` of ``asked``; both bounds are shares from 0 to 1."""

    noticed: int
    asked: int

    @property
    def share(self) -> float | None:
        """Noticed by asked; None where nothing was asked."""
        return self.noticed / self.asked if self.asked else None

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The bounds of the share at 95 % confidence; None where nothing was asked."""
        return wilson(self.noticed, self.asked) if self.asked else None


def wilson(noticed: float, asked: int) -> tuple[float, float]:
    """Return Wilson's 95 % bounds of a share of ``asked`` > 0.

    They are the shares p at which |noticed/asked - p| = z * sqrt(p * (1 - p) / asked). Source:
    E. B. Wilson, Probable inference, the law of succession, and statistical inference, Journal of
    the American Statistical Association 22 (1927), 209-212; without continuity correction.
    """
    share, squared = noticed / asked, _Z_95 * _Z_95
    centre = (share + squared / (2 * asked)) / (1 + squared / asked)
    spread = share * (1 - share) / asked + squared / (4 * asked * asked)
    half = _Z_95 * math.sqrt(spread) / (1 + squared / asked)
    low = 0.0 if noticed == 0 else max(0.0, centre - half)
    return low, 1.0 if noticed == asked else min(1.0, centre + half)


def score(results: Iterable[MutantResult]) -> Score:
    """Return how many were noticed by a hard criterion, of those that a gate could notice.

    Left out are equivalents, what no phase runs through, and what hung or did not start: they are
    no evidence of any criterion.
    """
    asked = [result for result in results if result.outcome in _ASKED]
    return Score(
        sum(mutant_result.outcome is MutantOutcome.HARD for mutant_result in asked), len(asked)
    )


def gate_score(drill: MutationDrill, phase: str, gate: Gate) -> Score:
    """Return how many mutants one gate noticed, of those that its criteria ran through.

    Counted are rehearsals of its phase: a mutant that an earlier one noticed is not among them.
    """
    mine = {
        name
        for healthy_phase in drill.phases
        if healthy_phase.phase == phase
        for name in healthy_phase.stated.get(gate, ())
    }
    trials = [trial for _, trial in trials_of(drill, phase)]
    noticed = [any(notice.gate is gate for notice in trial.by(Weight.HARD)) for trial in trials]
    asked = [
        seen or not mine.isdisjoint(trial.ran_through)
        for trial, seen in zip(trials, noticed, strict=True)
    ]
    return Score(sum(noticed), sum(asked))


def trials_of(drill: MutationDrill, phase: str) -> list[tuple[MutantResult, Trial]]:
    """Return the rehearsals of a phase that tell what its criteria notice, with their mutants."""
    return [
        (result, trial)
        for result in drill.results
        if result.outcome in _ASKED
        for trial in result.trials
        if trial.phase == phase and not (trial.collapsed or trial.trouble)
    ]


@dataclass(frozen=True, slots=True)
class LastMutation:
    """What the newest mutation drill of a phase says of one of its gates."""

    at: str  # RFC 3339, UTC
    score: Score
    plan_digest: str
    outdated: bool  # by another text of the plan
    whole: bool


def exit_status(drill: MutationDrill, at_least: float | None) -> int:
    """Return 0 where enough was noticed, 10 where less was, 11 where that cannot be said.

    ``at_least`` is a share; without one it is enough that all was rehearsed.
    """
    share = score(drill.results).share
    if not drill.whole or share is None:
        return Answer.HOLD.exit_status
    enough = at_least is None or share >= at_least
    return 0 if enough else Answer.NO_GO.exit_status
