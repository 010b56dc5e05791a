"""Conducting a mutation drill: each phase healthy first, then each mutant where it is run."""

from __future__ import annotations

import queue
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TypeVar

from pytest_rollout.drill.children import Task, rehearse
from pytest_rollout.drill.pace import Pace
from pytest_rollout.model.drill import Rehearsal
from pytest_rollout.model.mutants import Mutant, MutantOutcome
from pytest_rollout.model.mutation import HealthyPhase, MutantResult, Trial
from pytest_rollout.model.plan import Phase, Plan
from pytest_rollout.mutants import judging
from pytest_rollout.mutants.healthy import Healthy, HealthySetup, can_be_asked, rehearsed
from pytest_rollout.mutants.workshop import Workshop

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")
_TIMES_HEALTHY, _LEAST_S = 5, 30.0  # a mutant hangs after so many healthy times and seconds
_NO_CACHES = {"PYTHONDONTWRITEBYTECODE": "1"}  # no cache of what is changed; others are read


@dataclass(frozen=True, slots=True)
class MutationSetup:
    """What is drilled, where children run, how many at a time, and how long each may take."""

    plan: Plan
    phases: tuple[Phase, ...]
    root: Path
    folder: Path
    jobs: int
    most_s: float | None = None  # None: as long as the healthy rehearsal allows


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

    ``equivalent`` are reasons by the id of a mutant; those are not rehearsed. What was done
    before Ctrl-C or a request to end is kept. Raises OSError and NotThePlantedError.
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
            if todo and all(known.phase.trouble for known in healthy.values()):
                todo, stopped = [], "no phase could be rehearsed without a mutant"
            _run(_Drilling(setup, healthy, shops, stop), todo, done, say)
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
        with _taken(shops) as shop:
            place = setup.folder / "healthy" / phase.id
            return rehearsed(HealthySetup(setup.plan, phase, shop, place, most_s), files, stop)

    rehearsals: dict[str, Healthy] = {}
    asked = [phase for phase in setup.phases if can_be_asked(setup.plan, phase)] if todo else []
    for phase, seen in _each(asked, rehearse, setup.jobs, stop):
        rehearsals[phase.id] = seen
        answers = ", ".join(f"{gate} {answer.value}" for gate, answer in seen.seen.answers.items())
        words = seen.phase.trouble or answers
        say(f"{setup.plan.id}.{phase.id} without a mutant: {words} ({seen.seen.seconds:.1f} s)")
    return rehearsals


@dataclass(frozen=True, slots=True)
class _Drilling:
    """What every rehearsal with a mutant needs."""

    setup: MutationSetup
    healthy: Mapping[str, Healthy]
    shops: queue.Queue[Workshop]
    stop: Event

    def tried(self, mutant: Mutant) -> MutantResult | None:
        """Rehearse a mutant until it is settled; None where it was stopped."""
        trials: list[Trial] = []
        with _taken(self.shops) as shop:
            for healthy in self._in_order(shop, mutant):
                if judging.settled(trials):
                    break
                trials.append(self._trial(shop, healthy, mutant))
                if self.stop.is_set():
                    return None
        return judging.result(mutant, trials)

    def _in_order(self, shop: Workshop, mutant: Mutant) -> list[Healthy]:
        """The phases that run through a mutant: those that do it for fewest criteria first."""
        text = (shop.root / mutant.file).read_text(encoding="utf-8")
        through = [
            healthy for healthy in self.healthy.values() if healthy.runs_through(mutant, text)
        ]
        return sorted(through, key=lambda healthy: healthy.rank(mutant, text))

    def _trial(self, shop: Workshop, healthy: Healthy, mutant: Mutant) -> Trial:
        text = (shop.root / mutant.file).read_text(encoding="utf-8")
        phase, folder = healthy.stated, shop.copy.with_name(f"{shop.copy.name}-rehearsal")
        limit = _TIMES_HEALTHY * healthy.seen.seconds + _LEAST_S
        most_s = min(limit, self.setup.most_s) if self.setup.most_s else limit
        environ = {**shop.environ, **_NO_CACHES}
        task = Task(self.setup.plan, phase, None, folder, environ=environ)
        shop.plant(mutant)
        try:
            seen: Rehearsal = rehearse(task, shop.copy, most_s, self.stop)
        finally:
            shop.restore(mutant)
            shutil.rmtree(folder, ignore_errors=True)
        through = healthy.runs_through(mutant, text) or ()
        hung = bool(seen.trouble) and seen.seconds >= most_s
        return judging.trial(phase, healthy.seen, seen, through, hung=hung)


def _run(
    drilling: _Drilling,
    todo: Sequence[Mutant],
    done: dict[str, MutantResult],
    say: Callable[[str], None],
) -> None:
    """Rehearse all mutants; what came of each stands in ``done`` as soon as it is known."""
    pace = Pace(len(todo), time.monotonic)
    for mutant, result in _each(todo, drilling.tried, drilling.setup.jobs, drilling.stop):
        if result is not None:
            done[mutant.id] = result
            say(f"{pace.next()} {mutant.file}:{mutant.line} {mutant.operator}: {_words(result)}")


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


@contextmanager
def _taken(shops: queue.Queue[Workshop]) -> Iterator[Workshop]:
    shop = shops.get()
    try:
        yield shop
    finally:
        shops.put(shop)


def _each(
    items: Iterable[_Item], work: Callable[[_Item], _Made], jobs: int, stop: Event
) -> Iterator[tuple[_Item, _Made]]:
    """Each thing with the result of its work, as they end. Work stops when the caller is ended."""
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        futures: dict[Future[_Made], _Item] = {pool.submit(work, item): item for item in items}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            stop.set()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
