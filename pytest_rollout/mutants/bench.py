"""A rehearsal with mutants: in a copy of the project, bounded in time, beside the one without."""

from __future__ import annotations

import queue
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TypeVar

from pytest_rollout.drill.children import Task, rehearse
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.drill import Rehearsal
from pytest_rollout.model.mutants import Mutant
from pytest_rollout.model.mutation import Trial
from pytest_rollout.model.plan import Phase, Plan
from pytest_rollout.mutants import judging
from pytest_rollout.mutants.healthy import Healthy
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
class Bench:
    """What every rehearsal with mutants needs."""

    setup: MutationSetup
    healthy: Mapping[str, Healthy]
    shops: queue.Queue[Workshop]
    stop: Event

    def through(self, mutant: Mutant) -> list[Healthy]:
        """The phases that run through a mutant: those that do it for fewest criteria first."""
        text = (self.setup.root / mutant.file).read_text(encoding="utf-8")
        mine = [healthy for healthy in self.healthy.values() if healthy.runs_through(mutant, text)]
        return sorted(mine, key=lambda healthy: healthy.rank(mutant, text))

    def rehearsed(self, healthy: Healthy, mutants: Sequence[Mutant]) -> dict[str, Trial]:
        """Rehearse a phase with mutants of different files; what it shows, by the mutant's id."""
        limit = _TIMES_HEALTHY * healthy.seen.seconds + _LEAST_S
        most_s = min(limit, self.setup.most_s) if self.setup.most_s else limit
        with taken(self.shops) as shop:
            rehearsal = self._planted(shop, healthy.stated, mutants, most_s)
        hung = bool(rehearsal.trouble) and rehearsal.seconds >= most_s
        return {
            mutant.id: judging.trial(
                healthy.stated, healthy.seen, rehearsal, self._criteria(healthy, mutant), hung=hung
            )
            for mutant in mutants
        }

    def _planted(
        self, shop: Workshop, phase: Phase, mutants: Sequence[Mutant], most_s: float
    ) -> Rehearsal:
        folder = shop.copy.with_name(f"{shop.copy.name}-rehearsal")
        task = Task(self.setup.plan, phase, None, folder, environ={**shop.environ, **_NO_CACHES})
        try:
            for mutant in mutants:
                shop.plant(mutant)
            return rehearse(task, shop.copy, most_s, self.stop)
        finally:
            for mutant in mutants:
                shop.restore(mutant)
            shutil.rmtree(folder, ignore_errors=True)

    def _criteria(self, healthy: Healthy, mutant: Mutant) -> tuple[str, ...]:
        text = (self.setup.root / mutant.file).read_text(encoding="utf-8")
        return healthy.runs_through(mutant, text) or ()


@contextmanager
def taken(shops: queue.Queue[Workshop]) -> Iterator[Workshop]:
    """A copy of the project that nobody else works in meanwhile."""
    shop = shops.get()
    try:
        yield shop
    finally:
        shops.put(shop)


def each(
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
