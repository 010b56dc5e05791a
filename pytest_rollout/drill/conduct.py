"""Conducting the drills of some phases: each healthy first, then each fault by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pytest_rollout.drill import matrix
from pytest_rollout.drill.children import Task, rehearse_all
from pytest_rollout.drill.matrix import Named
from pytest_rollout.drill.pace import Pace, rough
from pytest_rollout.drill.phase_groups import reach
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.drill import Drill, DrillOutcome, FaultRow, Rehearsal
from pytest_rollout.model.plan import Address, Phase, Plan
from pytest_rollout.report.fact_words import count


@dataclass(frozen=True, slots=True)
class Wanted:
    """A phase to be drilled, with the faults to be planted and those left out."""

    plan: Plan
    phase: Phase
    faults: tuple[Named, ...]
    left_out: tuple[str, ...] = ()

    @property
    def address(self) -> Address:
        """The phase's address."""
        return Address(self.plan.id, self.phase.id)

    @property
    def together(self) -> tuple[Phase, ...]:
        """The phases to rehearse so that everything that names a fault is judged."""
        return reach(self.plan, self.phase, [name for fault in self.faults for name in fault.by])


@dataclass(frozen=True, slots=True)
class DrillSetup:
    """Where children run, how many at a time, and how long each may take."""

    root: Path
    folder: Path
    jobs: int
    most_s: float


def conduct(wanted: Sequence[Wanted], means: DrillSetup, say: Callable[[str], None]) -> list[Drill]:
    """Rehearse each phase without a fault, then with each; ``say`` hears how it goes."""
    healthy = _healthy(wanted, means, say)
    planted = {
        _folder(means, chosen, number): (chosen, fault)
        for chosen in wanted
        for number, fault in enumerate(chosen.faults, 1)
        if matrix.provable(fault, healthy[chosen.address])
    }
    tasks = [
        Task(
            chosen.plan,
            chosen.phase,
            fault.fault,
            folder,
            reach(chosen.plan, chosen.phase, fault.by),
        )
        for folder, (chosen, fault) in planted.items()
    ]
    if tasks:
        faults, about = count(len(tasks), "fault"), _about(tasks, healthy, means.jobs)
        say(f"{faults}, {means.jobs} at a time, {about}")
    pace = Pace(len(tasks), time.monotonic)
    rows: dict[tuple[Address, str], FaultRow] = {}
    for task, rehearsal in rehearse_all(tasks, means.root, means.jobs, means.most_s):
        chosen, fault = planted[task.folder]
        row = matrix.row(fault, healthy[chosen.address], rehearsal)
        rows[chosen.address, fault.fault] = row
        say(f"{pace.next()} {chosen.address} {_words(row)} ({row.seconds:.1f} s)")
    return [_drill(chosen, healthy[chosen.address], rows) for chosen in wanted]


def _about(tasks: Sequence[Task], healthy: Mapping[Address, Rehearsal], jobs: int) -> str:
    """How long rehearsals with a fault take, if each takes as long as without one."""
    alone = [healthy[Address(task.plan.id, task.phase.id)].seconds for task in tasks]
    return f"about {rough(max(sum(alone) / jobs, max(alone)))}"


def _healthy(
    wanted: Sequence[Wanted], means: DrillSetup, say: Callable[[str], None]
) -> dict[Address, Rehearsal]:
    rehearsals: dict[Address, Rehearsal] = {}
    tasks = [
        Task(chosen.plan, chosen.phase, None, _folder(means, chosen, 0), chosen.together)
        for chosen in wanted
    ]
    say(f"{count(len(tasks), 'phase')} without a fault first")
    for task, rehearsal in rehearse_all(tasks, means.root, means.jobs, means.most_s):
        address = Address(task.plan.id, task.phase.id)
        rehearsals[address] = rehearsal
        answers = ", ".join(f"{gate} {answer.value}" for gate, answer in rehearsal.answers.items())
        say(
            f"{address} without a fault: {rehearsal.trouble or answers} ({rehearsal.seconds:.1f} s)"
        )
    return rehearsals


def _drill(wanted: Wanted, healthy: Rehearsal, rows: dict[tuple[Address, str], FaultRow]) -> Drill:
    nothing = Rehearsal(trouble="not planted")
    return Drill(
        address=wanted.address,
        plan_digest=wanted.plan.digest,
        healthy=healthy,
        rows=tuple(
            rows.get((wanted.address, fault.fault)) or matrix.row(fault, healthy, nothing)
            for fault in wanted.faults
        ),
        left_out=wanted.left_out,
    )


def _folder(means: DrillSetup, wanted: Wanted, number: int) -> Path:
    return means.folder / wanted.phase.id / str(number)  # a fault's text is no path


def _words(row: FaultRow) -> str:
    """``queue-10: caught by queue-depth``, and what was not."""
    parts = []
    for outcome in DrillOutcome:
        cells = [cell for cell in row.cells if cell.outcome is outcome]
        if outcome is DrillOutcome.NOT_RUN and cells:
            parts.append(f"not run: {cells[0].because}")
        elif cells:
            parts.append(f"{outcome.value} by {', '.join(cell.id for cell in cells)}")
    return f"{row.fault}: {'; '.join(parts)}"
