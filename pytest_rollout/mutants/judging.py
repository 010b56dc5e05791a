"""What a rehearsal with a mutant shows, and what a mutant came to in all; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_rollout.model.drill import Rehearsal
from pytest_rollout.model.mutants import Mutant, MutantOutcome
from pytest_rollout.model.mutation import MutantResult, Notice, Trial, Weight
from pytest_rollout.model.plan import Criterion, Gate, Guardrail, Phase, Severity
from pytest_rollout.model.verdict import State, Verdict

MOST_COLLAPSES = 2  # rehearsals in which nothing could be measured, until no other is tried
_GOOD = (Verdict.PASS, Verdict.WARN)
_QUIET = (*_GOOD, Verdict.NOT_APPLICABLE)
_UNMEASURED = (Verdict.ERROR, Verdict.MISSING)
_WEIGHTS = {
    Severity.HARD: Weight.HARD,
    Severity.SOFT: Weight.SOFT,
    Severity.OPTIONAL: Weight.OPTIONAL,
}
_OUTCOMES = {
    Weight.HARD: MutantOutcome.HARD,
    Weight.SOFT: MutantOutcome.SOFT,
    Weight.OPTIONAL: MutantOutcome.OPTIONAL,
}


def usable(healthy: Rehearsal) -> str:
    """Why no mutant can be rehearsed in a phase; empty where one can."""
    if healthy.trouble:
        return healthy.trouble
    if not any(verdict in _GOOD for verdict in healthy.verdicts.values()):
        return "nothing of it passes without a mutant"
    return ""


def trial(
    phase: Phase,
    healthy: Rehearsal,
    mutated: Rehearsal,
    ran_through: Sequence[str] = (),
    *,
    hung: bool = False,
) -> Trial:
    """Return what a rehearsal of a phase with a mutant shows beside the one without."""
    if mutated.trouble:
        return Trial(
            phase.id,
            ran_through=tuple(ran_through),
            hung=hung,
            trouble=mutated.trouble,
            seconds=mutated.seconds,
        )
    notices = (*_left_pass(phase, healthy, mutated), *_demanded(healthy, mutated))
    return Trial(
        phase=phase.id,
        notices=notices,
        ran_through=tuple(ran_through),
        answers=mutated.answers,
        collapsed=_collapsed(healthy, mutated),
        seconds=mutated.seconds,
    )


def _left_pass(phase: Phase, healthy: Rehearsal, mutated: Rehearsal) -> Iterator[Notice]:
    every: list[Criterion | Guardrail] = [*phase.criteria, *phase.guardrails]
    stated = {guardrail.id: guardrail for guardrail in every}
    for name, before in healthy.verdicts.items():
        now = mutated.verdicts.get(name, Verdict.MISSING)
        if before in _GOOD and now not in _QUIET and name in stated:
            subject = stated[name]
            gate = subject.gate if isinstance(subject, Criterion) else Gate.EXIT
            yield Notice(name, gate, _weight(subject, now), now, mutated.reasons.get(name, ""))


def _weight(stated: Criterion | Guardrail, verdict: Verdict) -> Weight:
    if isinstance(stated, Criterion):
        return _WEIGHTS[stated.severity]
    blind = State.of(verdict) is State.BLIND
    return Weight.HARD if blind or not stated.quiet_about_trips else Weight.SOFT


def _demanded(healthy: Rehearsal, mutated: Rehearsal) -> Iterator[Notice]:
    """The demands on the run that fail with the mutant only; each keeps its gate from GO."""
    before = {
        (demanded.id, demanded.gate)
        for demanded in healthy.demands
        if demanded.verdict not in _QUIET
    }
    for demand in mutated.demands:
        if demand.verdict not in _QUIET and (demand.id, demand.gate) not in before:
            yield Notice(demand.id, demand.gate, Weight.HARD, demand.verdict, demand.because)


def _collapsed(healthy: Rehearsal, mutated: Rehearsal) -> bool:
    """Whether each criterion that passes without the mutant is error or missing with it.

    Guardrails do not count: without samples they are blind together.
    """
    passed = [
        name
        for name, verdict in healthy.verdicts.items()
        if verdict in _GOOD and name not in healthy.guardrails
    ]
    now = [mutated.verdicts.get(name, Verdict.MISSING) for name in passed]
    return bool(now) and all(verdict in _UNMEASURED for verdict in now)


def settled(trials: Sequence[Trial]) -> bool:
    """Whether no further phase need be rehearsed with a mutant."""
    last = trials[-1] if trials else None
    if last is None:
        return False
    told_nothing = [tried for tried in trials if tried.collapsed or tried.trouble]
    return last.hung or last.weight is Weight.HARD or len(told_nothing) >= MOST_COLLAPSES


def result(mutant: Mutant, trials: Sequence[Trial]) -> MutantResult:
    """Return what a mutant came to that was rehearsed in these phases, in order."""
    if not trials:
        return MutantResult(mutant, MutantOutcome.NOT_RUN_THROUGH)
    weights = [tried.weight for tried in trials if tried.weight]
    strongest = next((weight for weight in Weight if weight in weights), None)
    if strongest is Weight.HARD:
        return MutantResult(mutant, MutantOutcome.HARD, tuple(trials))
    hung = next((tried for tried in trials if tried.hung), None)
    if hung is not None:
        return MutantResult(mutant, MutantOutcome.HUNG, tuple(trials), hung.trouble)
    broken = [tried for tried in trials if tried.collapsed or tried.trouble]
    if len(broken) == len(trials) or len(broken) >= MOST_COLLAPSES:
        return MutantResult(mutant, MutantOutcome.BROKEN, tuple(trials), _said(broken[0]))
    outcome = _OUTCOMES[strongest] if strongest else MutantOutcome.SURVIVED
    return MutantResult(mutant, outcome, tuple(trials))


def _said(broken: Trial) -> str:
    """Why nothing could be measured, in the words of the first that says it."""
    return broken.trouble or next(
        (notice.because for notice in broken.notices if notice.because), ""
    )
