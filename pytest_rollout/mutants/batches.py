"""A batch of mutants: each alone where it shows best, then what nobody noticed together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.mutants import Mutant
from pytest_rollout.model.mutation import MutantResult, Trial
from pytest_rollout.mutants import judging
from pytest_rollout.mutants.bench import Bench, each

_TOGETHER = 8  # mutants at most in one rehearsal


def settled(
    bench: Bench, mutants: Sequence[Mutant], tell: Callable[[MutantResult], None]
) -> dict[str, MutantResult]:
    """Rehearse mutants until each is settled; what each came to, by its id.

    ``tell`` hears of each as soon as it is settled.
    """
    batch = _Batch(bench, tell, {mutant.id: _Tried.of(mutant, bench) for mutant in mutants})
    firsts = [tried for tried in batch.tried.values() if batch.goes_on(tried)]
    batch.alone([(tried, tried.left[0]) for tried in firsts])
    for healthy in sorted(bench.healthy.values(), key=lambda rehearsed: rehearsed.seen.seconds):
        batch.phase(healthy.stated.id)
    return batch.results


@dataclass(frozen=True, slots=True)
class _Tried:
    """A mutant, what its rehearsals showed, and the phases that are left."""

    mutant: Mutant
    trials: list[Trial]
    left: list[str]

    @classmethod
    def of(cls, mutant: Mutant, bench: Bench) -> _Tried:
        return cls(mutant, [], [healthy.stated.id for healthy in bench.through(mutant)])

    @property
    def quiet(self) -> bool:
        return all(map(_quiet, self.trials))


class _Batch:
    """What came of the mutants of a batch so far."""

    def __init__(
        self, bench: Bench, tell: Callable[[MutantResult], None], tried: Mapping[str, _Tried]
    ) -> None:
        self.tried = tried
        self.results: dict[str, MutantResult] = {}
        self._bench = bench
        self._tell = tell

    def goes_on(self, tried: _Tried) -> bool:
        """Whether a mutant is not settled; what it came to is kept and told where it is."""
        if tried.mutant.id not in self.results and (
            judging.settled(tried.trials) or not tried.left
        ):
            result = judging.result(tried.mutant, tried.trials)
            self.results[tried.mutant.id] = result
            self._tell(result)
        return tried.mutant.id not in self.results

    def phase(self, phase: str) -> None:
        """Rehearse a phase with all that are not settled: together what showed nothing so far.

        Where mutants together show anything, each of them is rehearsed alone.
        """
        waiting = [t for t in self.tried.values() if self.goes_on(t) and phase in t.left]
        loud = [tried for tried in waiting if not tried.quiet]
        groups = _groups([tried.mutant for tried in waiting if tried.quiet])
        for group, shown in self._rehearsed((phase, group) for group in groups):
            if len(shown) == 1 or all(map(_quiet, shown.values())):
                self._took(phase, shown)
            else:
                loud += (self.tried[mutant.id] for mutant in group[1])
        self.alone([(tried, phase) for tried in loud])

    def alone(self, asked: Iterable[tuple[_Tried, str]]) -> None:
        """Rehearse mutants by themselves, each in a phase."""
        for (phase, _), shown in self._rehearsed((phase, (t.mutant,)) for t, phase in asked):
            self._took(phase, shown)

    def _rehearsed(
        self, asked: Iterable[tuple[str, Sequence[Mutant]]]
    ) -> Iterable[tuple[tuple[str, Sequence[Mutant]], dict[str, Trial]]]:
        bench = self._bench

        def rehearsed(task: tuple[str, Sequence[Mutant]]) -> dict[str, Trial]:
            return bench.rehearsed(bench.healthy[task[0]], task[1])

        return each(asked, rehearsed, bench.setup.jobs, bench.stop)

    def _took(self, phase: str, shown: Mapping[str, Trial]) -> None:
        for id_, trial in shown.items():
            self.tried[id_].trials.append(trial)
            self.tried[id_].left.remove(phase)
            self.goes_on(self.tried[id_])


def _groups(mutants: Iterable[Mutant]) -> list[list[Mutant]]:
    """Mutants in groups of different files, so that each file is changed once."""
    groups: list[list[Mutant]] = []
    for mutant in mutants:
        fits = (
            group
            for group in groups
            if len(group) < _TOGETHER and all(other.file != mutant.file for other in group)
        )
        group = next(fits, None)
        if group is None:
            groups.append([mutant])
        else:
            group.append(mutant)
    return groups


def _quiet(trial: Trial) -> bool:
    """Whether a rehearsal was as it is without a mutant."""
    return not (trial.notices or trial.trouble or trial.hung or trial.collapsed)
