"""Mutation drills as text and markdown: the score, then what survived, then what noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.drill import LastNo
from pytest_rollout.model.mutants import Mutant, MutantOutcome
from pytest_rollout.model.mutation import (
    LastMutation,
    MutantResult,
    MutationDrill,
    Score,
    Trial,
    Weight,
    exit_status,
    gate_score,
    score,
    trials_of,
)
from pytest_rollout.model.plan import Gate
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report.drill import last_no
from pytest_rollout.report.fact_words import count
from pytest_rollout.report.text import word

_APART = {
    MutantOutcome.EQUIVALENT: "equivalent",
    MutantOutcome.NOT_RUN_THROUGH: "run through by no phase",
    MutantOutcome.HUNG: "hung",
    MutantOutcome.BROKEN: "did not start, or nothing could be measured",
}
_MOST_NAMES = 4
_FLOAT = 1e-9  # so much a float may be too small


def of_gate(last: LastMutation) -> str:
    """What a gate noticed of random defects, in one sentence for its reports."""
    old = ", outdated: the plan was changed since" if last.outdated else ""
    part = "" if last.whole else ", in a drill that was stopped"
    asked = count(last.score.asked, "random defect")
    said = f"of {asked} that its criteria ran through, it noticed {shares(last.score)}"
    return f"{said}, last on {last.at[:10]}{part}{old}"


def drilled_words(last: LastNo | None, mutated: LastMutation | None, decision: Decision) -> str:
    """What drills showed that a gate notices, in one sentence for the reports of a decision.

    A gate that refuses just now need not be told that nobody has shown that it can.
    """
    gate = decision.address
    if last is None and mutated is None and decision.answer is not Answer.GO:
        return ""
    if mutated is None:
        return last_no(last, gate)
    if last is None and mutated.score.noticed:  # it has refused
        return of_gate(mutated)
    return f"{last_no(last, gate)}; {of_gate(mutated)}"


def shares(scored: Score) -> str:
    """``186 (93 %; 88 to 96 %)``: what was noticed, its share and the bounds of it."""
    if scored.share is None or scored.bounds is None:
        return "none"
    low, high = scored.bounds
    bounds = f"{_percent(low)} to {100 - _percent(1 - high)} %"
    return f"{scored.noticed} ({_percent(scored.share)} %; {bounds})"


def _percent(share: float) -> int:
    """A share in whole percent, rounded down: 99.6 % is not all. Bounds are rounded outward."""
    return int(share * 100 + _FLOAT)


def summary(drill: MutationDrill, at_least: float | None = None) -> str:
    """The last word of a mutation drill."""
    scored = score(drill.results)
    rest = _tally(drill)
    if scored.share is None:
        why = drill.stopped or "no phase could be asked about a mutant"
        return f"nothing can be said: {why}{rest}"
    said = f"hard criteria noticed {shares(scored)} of {count(scored.asked, 'mutant')}{rest}"
    if drill.stopped:
        return f"a part only, {drill.stopped} after {len(drill.results)} of {drill.chosen}: {said}"
    if at_least is None:
        return said
    asked = f"at least {at_least * 100:g} % asked"
    return f"{said}; {asked}, {'met' if exit_status(drill, at_least) == 0 else 'MISSED'}"


def _tally(drill: MutationDrill) -> str:
    """What else became of mutants: `` (12 survived; left out: 3 hung)``."""
    asked = (MutantOutcome.SOFT, MutantOutcome.OPTIONAL, MutantOutcome.SURVIVED)
    in_it = [
        f"{n} {mutant_outcome.value}"
        for mutant_outcome in asked
        if (n := _number(drill, mutant_outcome))
    ]
    left_out = [
        f"{n} {words}" for outcome, words in _APART.items() if (n := _number(drill, outcome))
    ]
    errors = sum(result.as_error for result in drill.results)
    if errors:
        in_it.insert(0, f"{errors} of them as an error rather than a failure")
    parts = [", ".join(in_it)] if in_it else []
    parts += [f"left out: {', '.join(left_out)}"] if left_out else []
    return f" ({'; '.join(parts)})" if parts else ""


def _number(drill: MutationDrill, outcome: MutantOutcome) -> int:
    return sum(result.outcome is outcome for result in drill.results)


def lines(drill: MutationDrill) -> Iterator[str]:
    """A mutation drill for a terminal: what no hard criterion noticed, and the shares."""
    for mutant_result in unnoticed(drill):
        mutant = mutant_result.mutant
        place = f"{mutant.file}:{mutant.line}"
        yield f"  {mutant_result.outcome.value}: {place} {mutant.operator}"
        yield from (f"    {line}" for line in change(mutant))
        yield f"    {where(mutant_result)}"
    apart = [result for result in drill.results if result.outcome in _APART]
    for judged in apart:
        why = f": {judged.because}" if judged.because else ""
        place = f"{judged.mutant.file}:{judged.mutant.line} {judged.mutant.operator}"
        yield f"  {judged.outcome.value}: {place}{why}"
    yield from (f"  {name}: {words}" for name, words in gates(drill))
    for phase in drill.phases:
        if phase.trouble:
            yield f"  {drill.plan}.{phase.phase} was asked nothing: {phase.trouble}"


def unnoticed(drill: MutationDrill) -> list[MutantResult]:
    """What no hard criterion noticed: survivors first."""
    order = (MutantOutcome.SURVIVED, MutantOutcome.OPTIONAL, MutantOutcome.SOFT)
    return [result for outcome in order for result in drill.results if result.outcome is outcome]


def change(mutant: Mutant) -> tuple[str, str]:
    """A mutant as a small diff."""
    return f"- {mutant.before}", f"+ {mutant.after}"


def where(result: MutantResult) -> str:
    """Which phases ran through a mutant, for which criteria, and what noticed it."""
    return "; ".join(_trial(trial) for trial in result.trials) or "rehearsed in no phase"


def _trial(trial: Trial) -> str:
    if trial.trouble or trial.collapsed:
        return f"{trial.phase}: {trial.trouble or 'nothing could be measured'}"
    noticed = [f"{notice.id} {word(notice.verdict)} ({notice.weight})" for notice in trial.notices]
    if noticed:
        return f"{trial.phase}: noticed by {_some(noticed)}"
    return f"{trial.phase}: run through for {_some(trial.ran_through) or 'no criterion'}"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def gates(drill: MutationDrill) -> Iterator[tuple[str, str]]:
    """Each gate with what it noticed of the mutants that its criteria ran through."""
    for phase in drill.phases:
        for gate in Gate:
            scored = gate_score(drill, phase.phase, gate)
            if scored.asked:
                yield f"{drill.plan}.{phase.phase}/{gate}", f"{shares(scored)} of {scored.asked}"


def by(drill: MutationDrill, key: Callable[[Mutant], str]) -> Iterator[tuple[str, Score]]:
    """What was noticed of each file or kind of change, in the order of their names."""
    for name in sorted({key(result.mutant) for result in drill.results}):
        yield name, score(result for result in drill.results if key(result.mutant) == name)


def of_criterion(drill: MutationDrill, at: str, phase: str, name: str) -> Iterator[str]:
    """What the newest mutation drill of a phase says of one of its criteria, a line each."""
    trials = [
        (result, trial)
        for result, trial in trials_of(drill, phase)
        if name in trial.ran_through or any(notice.id == name for notice in trial.notices)
    ]
    noticed = [trial for trial in trials if any(notice.id == name for notice in trial[1].notices)]
    yield (
        f"Mutants: of {len(trials)} that ran through it in the drill of {at[:10]}, it noticed "
        f"{len(noticed)}."
    )
    survived = [
        result.mutant
        for result, trial in trials
        if result.outcome is MutantOutcome.SURVIVED and name in trial.ran_through
    ]
    for mutant in survived[:_MOST_NAMES]:
        yield f"  Survived: {mutant.file}:{mutant.line}: {mutant.before} -> {mutant.after}"
    if len(survived) > _MOST_NAMES:
        yield f"  and {len(survived) - _MOST_NAMES} more survived, all in mutants.md"


def noticed_by(drill: MutationDrill) -> Iterator[tuple[str, Weight, int, int]]:
    """Each criterion of a drill that ran: its name, weight, and how many it noticed of how many."""
    for phase in drill.phases:
        trials = [trial for _, trial in trials_of(drill, phase.phase)]
        weights = {notice.id: notice.weight for trial in trials for notice in trial.notices}
        ran = [name for trial in trials for name in trial.ran_through]
        for name in dict.fromkeys((*ran, *weights)):
            hits = sum(any(notice.id == name for notice in trial.notices) for trial in trials)
            asked = sum(
                name in trial.ran_through or any(notice.id == name for notice in trial.notices)
                for trial in trials
            )
            yield f"{phase.phase}.{name}", weights.get(name, Weight.HARD), hits, asked
