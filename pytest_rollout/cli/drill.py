"""`rollout drill`: plant each fault that the plan names, and see who notices it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import click

from pytest_rollout.cli import mutants
from pytest_rollout.cli.ending import ended_by_signal
from pytest_rollout.cli.mutants import Bounds, MutantsAsked, Mutated, mutant_options
from pytest_rollout.cli.project import Project, common, parsed, print_json
from pytest_rollout.cli.saying import say
from pytest_rollout.drill import matrix
from pytest_rollout.drill.conduct import DrillSetup, Wanted, conduct
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.drills import keep, to_data
from pytest_rollout.model.drill import Drill, exit_status
from pytest_rollout.model.errors import OptionError, RolloutError, UnknownNameError
from pytest_rollout.model.fault import Fault
from pytest_rollout.model.plan import Phase, Plan
from pytest_rollout.plan import terms
from pytest_rollout.plan.reader import nearest
from pytest_rollout.report import drill as report
from pytest_rollout.report import files

_MOST_JOBS = 64
_MOST_S = 600.0
_TIMEOUT = "10m; of a mutant five times as long as without it, and 30s"


@click.command("drill")
@click.argument("name", metavar="PLAN[.PHASE]")
@click.option("--fault", "only", multiple=True, metavar="NAME", help="only this one (repeatable)")
@click.option("--sample", type=click.IntRange(1), help="only so many faults a phase, or mutants")
@click.option("--seed", type=click.IntRange(0), default=0, help="which ones: faults take turns")
@mutant_options
@click.option(
    "--jobs", type=click.IntRange(1, _MOST_JOBS), default=2, show_default=True, help="at a time"
)
@click.option("--phase-timeout", help=f"the most one rehearsal may take (default: {_TIMEOUT})")
@click.option("--keep", "kept", is_flag=True, help="keep the ledgers and reports of each rehearsal")
@click.option("--report", "folder", help="write drill.md below it (default: ini rollout_report)")
@common
def command(
    name: str,
    only: tuple[str, ...],
    sample: int | None,
    seed: int,
    mutated: Mutated,
    jobs: int,
    phase_timeout: str | None,
    folder: str | None,
    root: str | None,
    ledger: str | None,
    *,
    kept: bool,
    as_json: bool,
) -> int:
    """Rehearse each phase of PLAN (or one PHASE), then again with each fault that it names.

    With --mutants small changes of code and data are planted instead of faults, one at a time,
    and rehearsed in the phases that run through them.

    Exit status 0 where every criterion that names a fault noticed it, 10 where one MISSED it,
    11 where that cannot be said. Drills satisfy no gate; they are kept beside the evidence.
    """
    project = Project.here(root, ledger)
    plan, phases = _asked(project, name)
    most_s = _seconds(phase_timeout) if phase_timeout else None
    report_to = Path(folder) if folder else project.report
    mutated.check(name, only)
    if mutated.paths:
        bounds = Bounds(sample, seed, jobs, most_s)
        with _workshop(kept=kept) as place, ended_by_signal():
            asked = MutantsAsked(project, plan, phases, mutated, bounds)
            return mutants.drill(asked, place, report_to, as_json=as_json)
    _check_named(only, phases)
    wanted = [
        phase_drill for phase in phases if (phase_drill := _wanted(plan, phase, only, sample, seed))
    ]
    with closing(opening.to_write(project.ledger_at)) as store, _workshop(kept=kept) as place:
        means = DrillSetup(project.root, place, jobs, most_s or _MOST_S)
        with ended_by_signal():
            drills = conduct(wanted, means, _progress)
        for drill in drills:
            keep(store, drill)
    return _shown(plan, phases, drills, report_to, as_json=as_json)


def _shown(
    plan: Plan, phases: Sequence[Phase], drills: Sequence[Drill], below: Path, *, as_json: bool
) -> int:
    """Say what the drills found and write it; the exit status."""
    cells = tuple(cell for drill in drills for cell in drill.cells)
    data: dict[str, Any] = {
        "plan": plan.id,
        "exit_status": exit_status(cells),
        "phases": [to_data(drill) for drill in drills],
        "unnamed": _unnamed(phases),
    }
    where = files.write_drill(below, plan.id, data, report.to_markdown(drills))
    if as_json:
        print_json(data)
    else:
        for line in _lines(drills, data["unnamed"], where):
            say(line)
    return exit_status(cells)


def _asked(project: Project, name: str) -> tuple[Plan, Sequence[Phase]]:
    if "." not in name and "/" not in name:
        plan = project.plan(name)
        return plan, plan.phases
    address = parsed(name)
    if address.gate is not None:
        raise RolloutError(f"{name}: a drill is of a phase, both gates: {name.partition('/')[0]}")
    phase = project.phase(address)
    return project.plan(address.plan), (phase,)


def _wanted(
    plan: Plan, phase: Phase, only: Sequence[str], size: int | None, seed: int
) -> Wanted | None:
    """The faults to plant in a phase; None where there are none."""
    every = matrix.named(phase)
    chosen = tuple(
        named
        for named in every
        if not only or any(matrix.matches(name, named.fault) for name in only)
    )
    if size is not None:
        chosen = matrix.sample(chosen, size, seed)
    left_out = tuple(named.fault for named in every if named not in chosen)
    return Wanted(plan, phase, chosen, left_out) if chosen else None


def _check_named(only: Sequence[str], phases: Sequence[Phase]) -> None:
    known = [named.fault for phase in phases for named in matrix.named(phase)]
    for name in only:
        try:
            Fault.parse(name)
        except ValueError as error:
            raise OptionError("--fault", str(error)) from error
        if not any(matrix.matches(name, fault) for fault in known):
            why = f"--fault: no criterion names `{name}` ({nearest(name, known)})"
            raise UnknownNameError(why, "fault", name, known)


def _unnamed(phases: Sequence[Phase]) -> list[str]:
    """The phases that state criteria and name no fault."""
    return [phase.id for phase in phases if phase.criteria and not matrix.named(phase)]


def _seconds(text: str) -> float:
    try:
        return terms.duration_us(text) / 1_000_000
    except ValueError as error:
        raise OptionError("--phase-timeout", str(error)) from error


@contextmanager
def _workshop(*, kept: bool) -> Iterator[Path]:
    """Where the children keep their files."""
    folder = Path(tempfile.mkdtemp(prefix="rollout-drill-"))
    try:
        yield folder
    finally:
        if kept:
            _progress(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _progress(text: str) -> None:
    say(text, err=True)


def _lines(drills: Sequence[Drill], unnamed: Sequence[str], where: Path) -> Iterator[str]:
    for drill in drills:
        yield from report.lines(drill)
    if unnamed:
        yield f"not drilled, as no criterion names a fault: {', '.join(unnamed)}"
    yield f"report: {os.path.relpath(where)}"
    yield report.summary(drills)
