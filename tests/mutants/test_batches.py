"""Mutants rehearsed together come to what each would come to alone."""

from __future__ import annotations

import queue
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Lock

from hypothesis import given
from hypothesis import strategies as st

from pytest_rollout.model.drill import Rehearsal
from pytest_rollout.model.mutants import Mutant
from pytest_rollout.model.mutation import HealthyPhase, MutantResult, Notice, Trial, Weight
from pytest_rollout.model.plan import Gate
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.mutants import batches, judging
from pytest_rollout.mutants.bench import Bench, MutationSetup
from pytest_rollout.mutants.healthy import Healthy
from tests.evidence.runs import plan_of

PLAN = plan_of("plan: p\nphases: [{id: a, criteria: [{id: works, kind: demo}]}]\n")
PHASES = ("quick", "slower", "slowest")
QUIET = "quiet"
SHOWS = {
    QUIET: lambda phase: Trial(phase),
    "hard": lambda phase: Trial(phase, (_notice(Weight.HARD),)),
    "soft": lambda phase: Trial(phase, (_notice(Weight.SOFT),)),
    "hung": lambda phase: Trial(phase, hung=True, trouble="it took more than 9 s"),
    "collapsed": lambda phase: Trial(phase, (_notice(Weight.HARD),), collapsed=True),
    "broken": lambda phase: Trial(phase, trouble="pytest ended with status 3"),
}


def _notice(weight: Weight) -> Notice:
    return Notice("works", Gate.EXIT, weight, Verdict.FAIL, "it is bad")


def _mutant(number: int, file: str = "") -> Mutant:
    name = file or f"{number}.py"
    return Mutant(f"{name}:{number}", name, number, "number", "1", "2", 0, 1, "2")


@dataclass(frozen=True)
class Played(Bench):
    """A bench on which a table says what each mutant shows in each phase that runs through it."""

    table: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    @classmethod
    def of(cls, table: Mapping[str, Mapping[str, str]], jobs: int = 2) -> Played:
        phases = [replace(PLAN.phases[0], id=name) for name in PHASES]
        known = {
            phase.id: Healthy(phase, HealthyPhase(phase.id), Rehearsal(seconds=float(place)))
            for place, phase in enumerate(phases)
        }
        setup = MutationSetup(PLAN, tuple(phases), Path(), Path(), jobs)
        return cls(setup, known, queue.Queue(), Event(), table)

    def through(self, mutant: Mutant) -> list[Healthy]:
        return [self.healthy[phase] for phase in self.table[mutant.id]]

    def rehearsed(self, healthy: Healthy, mutants: Sequence[Mutant]) -> dict[str, Trial]:
        phase = healthy.stated.id
        assert len({mutant.file for mutant in mutants}) == len(mutants), "a file is changed twice"
        with self.lock:
            self.asked.append((phase, tuple(mutant.id for mutant in mutants)))
        shown = {self.table[mutant.id][phase] for mutant in mutants} - {QUIET}
        worst = next((show for show in reversed(SHOWS) if show in shown), QUIET)
        return {mutant.id: SHOWS[worst](phase) for mutant in mutants}


def alone(mutant: Mutant, shows: Mapping[str, str]) -> MutantResult:
    """What a mutant comes to by itself: first where it shows best, then by time."""
    trials: list[Trial] = []
    first, *rest = shows or [""]
    for phase in [first, *(name for name in PHASES if name in rest)] if shows else []:
        if not judging.settled(trials):
            trials.append(SHOWS[shows[phase]](phase))
    return judging.result(mutant, trials)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, tuple[Mutant, dict[str, str]]]:
    """Mutants of few files, and what each shows in the phases that run through it, best first."""
    shows = st.sampled_from([*SHOWS, QUIET, QUIET, QUIET])
    found = {}
    for number in range(draw(st.integers(0, 12))):
        mutant = _mutant(number, draw(st.sampled_from("abcd")) + ".py")
        order = draw(st.lists(st.sampled_from(PHASES), unique=True))
        found[mutant.id] = mutant, {phase: draw(shows) for phase in order}
    return found


@given(tables())
def test_together_each_comes_to_what_it_comes_to_alone(
    table: dict[str, tuple[Mutant, dict[str, str]]],
) -> None:
    bench = Played.of({id_: shows for id_, (_, shows) in table.items()})
    told: list[MutantResult] = []
    results = batches.settled(bench, [mutant for mutant, _ in table.values()], told.append)
    assert results == {id_: alone(mutant, shows) for id_, (mutant, shows) in table.items()}
    assert {result.mutant.id: result for result in told} == results
    assert len(told) == len(results), "one was told twice"


def test_what_nobody_notices_takes_few_rehearsals() -> None:
    mutants = [_mutant(number) for number in range(16)]
    bench = Played.of({mutant.id: dict.fromkeys(PHASES, QUIET) for mutant in mutants})
    batches.settled(bench, mutants, lambda _: None)
    later = [(phase, len(ids)) for phase, ids in bench.asked[16:]]
    assert later == [("slower", 8), ("slower", 8), ("slowest", 8), ("slowest", 8)]


def test_one_that_shows_something_is_found_among_those_it_was_rehearsed_with() -> None:
    mutants = [_mutant(number) for number in range(4)]
    table = {mutant.id: {"quick": QUIET, "slower": QUIET} for mutant in mutants}
    table[mutants[2].id]["slower"] = "hard"
    bench = Played.of(table)
    results = batches.settled(bench, mutants, lambda _: None)
    noticed = [id_ for id_, result in results.items() if result.trials[-1].weight]
    assert noticed == [mutants[2].id]
    assert len(bench.asked) == 4 + 1 + 4
