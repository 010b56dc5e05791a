"""A phase without a mutant: once as it is, for its verdicts, and once measured, for its lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cache
from pathlib import Path
from threading import Event

from pytest_rollout.drill.children import Task, rehearse
from pytest_rollout.drill.phase_groups import judged
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.drill import Rehearsal
from pytest_rollout.model.mutants import Mutant
from pytest_rollout.model.mutation import HealthyPhase
from pytest_rollout.model.plan import Gate, Phase, Plan
from pytest_rollout.mutants import judging, run_through
from pytest_rollout.mutants.run_through import PhaseLines
from pytest_rollout.mutants.workshop import Workshop, reads_are_noted

_PYTHON = ".py"
_SLOWER = 5  # how much longer a measured rehearsal may take
_OPTIONS = ("-p", "rollout_contexts")


@dataclass(frozen=True, slots=True)
class HealthySetup:
    """Which phase is rehearsed, in which copy, with its files in which folder."""

    plan: Plan
    phase: Phase
    shop: Workshop
    folder: Path
    most_s: float


@dataclass(frozen=True, slots=True)
class Healthy:
    """What a phase came to without a mutant, and what it ran."""

    stated: Phase
    phase: HealthyPhase
    seen: Rehearsal
    lines: PhaseLines = field(default_factory=PhaseLines)
    items: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by criterion

    def runs_through(self, mutant: Mutant, text: str) -> tuple[str, ...] | None:
        """The criteria that a mutant's line is run for; None where the phase does not run it."""
        if self.phase.trouble:
            return None
        if mutant.file not in self.lines.lines:  # data, or a module that runs somewhere else
            return tuple(self.items) if mutant.file in self.lines.files else None
        contexts = self.lines.runs(mutant.file, _lines(text, mutant.line))
        if contexts is None:
            return None
        return tuple(self.lines.criteria(contexts, self.items))

    def rank(self, mutant: Mutant, text: str) -> tuple[bool, float]:
        """What sorts phases: those that run the line for a check first, then the quickest."""
        through = self.runs_through(mutant, text) or ()
        return len(through) == len(self.items), self.seen.seconds


def can_be_asked(plan: Plan, phase: Phase) -> bool:
    """Whether a phase states anything that it can judge without other phases."""
    return bool(judged(plan, phase, (phase,)))


@cache
def _lines(text: str, line: int) -> range:
    return run_through.lines_of(text, line)


def rehearsed(setup: HealthySetup, files: Sequence[str], stop: Event) -> Healthy:
    """Rehearse a phase twice without a mutant. Raises OSError and NotThePlantedError."""
    phase, shop = setup.phase, setup.shop
    task = Task(setup.plan, phase, None, setup.folder / "plain", environ=shop.environ)
    rehearsal = rehearse(task, shop.copy, setup.most_s, stop)
    trouble = judging.usable(rehearsal)
    if trouble:
        return Healthy(phase, _told(phase, rehearsal, trouble), rehearsal)
    folder = setup.folder / "measured"
    python = [file for file in files if file.endswith(_PYTHON)]
    environ = {**shop.environ, **run_through.environ(shop, folder, python)}
    noted = reads_are_noted(shop.copy)
    shop.forget_reads(iter(files))
    task = Task(setup.plan, phase, None, folder, environ=environ, options=_OPTIONS)
    again = rehearse(task, shop.copy, _SLOWER * setup.most_s, stop)
    trouble = again.trouble and f"while it was measured: {again.trouble}"
    # The first rehearsal in a copy compiles all that it imports.
    rehearsal = replace(rehearsal, seconds=min(rehearsal.seconds, again.seconds))
    lines = run_through.measured(shop, folder, files, reads_noted=noted)
    return Healthy(phase, _told(phase, rehearsal, trouble), rehearsal, lines, rehearsal.checks)


def _told(phase: Phase, rehearsal: Rehearsal, trouble: str) -> HealthyPhase:
    return HealthyPhase(
        phase=phase.id,
        answers=rehearsal.answers,
        release=rehearsal.release,
        seconds=round(rehearsal.seconds, 1),
        trouble=trouble,
        stated={gate: tuple(_stated(phase, gate)) for gate in Gate},
    )


def _stated(phase: Phase, gate: Gate) -> Iterator[str]:
    """What can say no at a gate: its criteria, and at the exit the guardrails."""
    yield from (criterion.id for criterion in phase.of(gate))
    if gate is Gate.EXIT:
        yield from (guardrail.id for guardrail in phase.guardrails)
