"""Conducting a mutation drill: each phase healthy first, then each mutant where it is run."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Event

from pytest_rollout.drill.pace import Pace
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.mutants import Mutant, MutantOutcome
from pytest_rollout.model.mutation import HealthyPhase, MutantResult
from pytest_rollout.model.plan import Phase
from pytest_rollout.mutants import batches
from pytest_rollout.mutants.bench import Bench, MutationSetup, each, taken
from pytest_rollout.mutants.healthy import Healthy, HealthySetup, can_be_asked, rehearsed
from pytest_rollout.mutants.workshop import Workshop

_FIRST, _MOST = 4, 20  # mutants of the first batch, and of the largest, for each job


@dataclass(frozen=True, slots=True)
class Conducted:
    """What came of the mutants, in the order that they were chosen in, and why not of all."""

    phases: tuple[HealthyPhase, ...]
    results: tuple[MutantResult, ...]
    stopped: str = ""


def conduct(
    setup: MutationSetup,
    chosen: Sequence[Mutant],
    equivalent: Mapping[str, str],
    say: Callable[[str], None],
) -> Conducted:
    """Rehearse each mutant in the phases that run through it; ``say`` hears how it goes.

    ``equivalent`` are reasons by the id of a mutant; those are not rehearsed. Whole
    batches before Ctrl-C or a request to end are kept. Raises OSError and NotThePlantedError.
    """
    done: dict[str, MutantResult] = {
        mutant.id: MutantResult(mutant, MutantOutcome.EQUIVALENT, because=equivalent[mutant.id])
        for mutant in chosen
        if mutant.id in equivalent
    }
    todo = [mutant for mutant in chosen if mutant.id not in done]
    stop, stopped = Event(), ""
    healthy: dict[str, Healthy] = {}
    try:
        with _workshops(setup) as shops:
            healthy = _healthy(setup, shops, todo, stop, say)
            if todo and all(rehearsal.phase.trouble for rehearsal in healthy.values()):
                todo, stopped = [], "no phase could be rehearsed without a mutant"
            _run(Bench(setup, healthy, shops, stop), todo, done, say)
    except (KeyboardInterrupt, SystemExit) as ended:
        stopped = "stopped by " + ("Ctrl-C" if isinstance(ended, KeyboardInterrupt) else "SIGTERM")
    return Conducted(
        phases=tuple(healthy[phase.id].phase for phase in setup.phases if phase.id in healthy),
        results=tuple(done[mutant.id] for mutant in chosen if mutant.id in done),
        stopped=stopped,
    )


def _healthy(
    setup: MutationSetup,
    shops: queue.Queue[Workshop],
    todo: Sequence[Mutant],
    stop: Event,
    say: Callable[[str], None],
) -> dict[str, Healthy]:
    """Each phase as it is without a mutant, by its id."""
    files = sorted({mutant.file for mutant in todo})
    most_s = setup.most_s or 600.0

    def rehearse(phase: Phase) -> Healthy:
        with taken(shops) as shop:
            place = setup.folder / "healthy" / phase.id
            return rehearsed(HealthySetup(setup.plan, phase, shop, place, most_s), files, stop)

    rehearsals: dict[str, Healthy] = {}
    asked = [phase for phase in setup.phases if can_be_asked(setup.plan, phase)] if todo else []
    for phase, rehearsal in each(asked, rehearse, setup.jobs, stop):
        rehearsals[phase.id] = rehearsal
        answers = ", ".join(
            f"{gate} {answer.value}" for gate, answer in rehearsal.seen.answers.items()
        )
        words = rehearsal.phase.trouble or answers
        say(
            f"{setup.plan.id}.{phase.id} without a mutant: {words} ({rehearsal.seen.seconds:.1f} s)"
        )
    return rehearsals


def _run(
    bench: Bench,
    todo: Sequence[Mutant],
    done: dict[str, MutantResult],
    say: Callable[[str], None],
) -> None:
    """Rehearse all mutants, a batch after the other; those of whole batches stand in ``done``.

    A batch that was stopped counts for nothing: what is settled quickly was noticed more often.
    """
    pace = Pace(len(todo), time.monotonic)

    def tell(result: MutantResult) -> None:
        mutant = result.mutant
        say(f"{pace.next()} {mutant.file}:{mutant.line} {mutant.operator}: {_words(result)}")

    first, size = 0, _FIRST * bench.setup.jobs
    while first < len(todo):
        done |= batches.settled(bench, todo[first : first + size], tell)
        first, size = first + size, min(2 * size, _MOST * bench.setup.jobs)


def _words(result: MutantResult) -> str:
    names = [
        f"{trial.phase}.{notice.id}"
        for trial in result.trials
        if trial.weight
        for notice in trial.by(trial.weight)
    ]
    by = f" ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})" if names else ""
    why = f": {result.because}" if result.because else ""
    return f"{result.outcome.value}{by}{why}"


@contextmanager
def _workshops(setup: MutationSetup) -> Iterator[queue.Queue[Workshop]]:
    """One copy of the project for each job."""
    shops: queue.Queue[Workshop] = queue.Queue()
    for number in range(1, setup.jobs + 1):
        shops.put(Workshop.made(setup.root, setup.folder / f"copy-{number}"))
    yield shops
