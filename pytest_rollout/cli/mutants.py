"""The part of `rollout drill` that plants small changes of a target, one at a time."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import wraps
from pathlib import Path
from typing import Any

import click

from pytest_rollout import mutants
from pytest_rollout.cli.project import Project, print_json
from pytest_rollout.cli.saying import say
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.mutation_drills import keep, to_data
from pytest_rollout.extras import needs_extra
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import OptionError, RolloutError
from pytest_rollout.model.mutants import Mutant
from pytest_rollout.model.mutation import MutationDrill, exit_status
from pytest_rollout.model.plan import Phase, Plan
from pytest_rollout.mutants import conduct as conducting
from pytest_rollout.mutants import equivalents
from pytest_rollout.mutants.bench import MutationSetup
from pytest_rollout.mutants.run_through import NotThePlantedError
from pytest_rollout.report import files, mutation
from pytest_rollout.report.fact_words import count
from pytest_rollout.report.mutation_markdown import to_markdown

_SHARE = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*%?")
_ENDED = {"stopped by Ctrl-C": 130, "stopped by SIGTERM": 143}


@dataclass(frozen=True, slots=True)
class Mutated:
    """What was asked about mutants: of which files and folders, and which of them count."""

    paths: tuple[str, ...] = ()
    further: tuple[str, ...] = ()  # paths behind the first
    changed_since: str | None = None
    at_least: str | None = None
    equivalents: str | None = None

    @property
    def all_paths(self) -> tuple[str, ...]:
        """Every file and folder that was named."""
        return (*self.paths, *self.further)

    @property
    def share(self) -> float | None:
        """The share that must be noticed, from 0 to 1; raises OptionError."""
        if self.at_least is None:
            return None
        parsed = _SHARE.fullmatch(self.at_least)
        if parsed is None or float(parsed[1]) > 100:
            raise OptionError("--at-least", f"{self.at_least!r} is no share (write it as 90%)")
        return float(parsed[1]) / 100

    def check(self, address: str, faults: Sequence[str]) -> None:
        """Raise RolloutError where options do not go together."""
        if self.paths and faults:
            raise OptionError("--fault", "is planted in one drill, mutants in another")
        if self.paths:
            return
        if self.further:
            why = f"{self.further[0]!r} stands behind {address} (paths of mutants follow --mutants)"
            raise RolloutError(why)
        given = {
            "--changed-since": self.changed_since,
            "--at-least": self.at_least,
            "--equivalents": self.equivalents,
        }
        for option, value in given.items():
            if value is not None:
                raise OptionError(option, "is of mutants (give --mutants)")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many are drawn, and how many rehearsals run at a time and how long."""

    sample: int | None
    seed: int
    jobs: int
    most_s: float | None


@dataclass(frozen=True, slots=True)
class MutantsAsked:
    """A mutation drill as it was asked for."""

    project: Project
    plan: Plan
    phases: Sequence[Phase]
    mutated: Mutated
    bounds: Bounds


def mutant_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options about mutants, as one argument ``mutated``."""

    @wraps(function)
    def grouped(
        further: tuple[str, ...],
        paths: tuple[str, ...],
        changed_since: str | None,
        at_least: str | None,
        equivalents: str | None,
        **rest: Any,
    ) -> Any:
        mutated = Mutated(paths, further, changed_since, at_least, equivalents)
        return function(mutated=mutated, **rest)

    options: Sequence[Callable[..., Any]] = (
        click.argument("further", nargs=-1, metavar=""),
        click.option(
            "--mutants",
            "paths",
            multiple=True,
            metavar="PATH...",
            help="plant small changes of these files and folders, instead of faults",
        ),
        click.option("--changed-since", metavar="REV", help="only those of lines changed since"),
        click.option("--at-least", metavar="SHARE", help="to be noticed, as 90%; else status 10"),
        click.option(
            "--equivalents",
            metavar="FILE",
            help=f"those that change nothing (default: {equivalents.NAME} beside the plan)",
        ),
    )
    decorated: Callable[..., Any] = grouped
    for option in reversed(options):
        decorated = option(decorated)
    return decorated


def drill(asked: MutantsAsked, place: Path, report: Path, *, as_json: bool) -> int:
    """Rehearse a plan with mutants, say and keep what came of it; the exit status.

    Children keep their files in ``place``. Raises RolloutError.
    """
    needs_extra("mutants", "coverage")
    at_least = asked.mutated.share
    drilled = _drilled(asked, place)
    with closing(opening.to_write(asked.project.ledger_at)) as store:
        keep(store, drilled)
    data = {**to_data(drilled), "exit_status": exit_status(drilled, at_least)}
    below = files.write_mutants(report, drilled.plan, data, to_markdown(drilled))
    if as_json:
        print_json(data)
    else:
        for line in (*mutation.lines(drilled), f"report: {os.path.relpath(below)}"):
            say(line)
        say(mutation.summary(drilled, at_least))
    return _ENDED.get(drilled.stopped) or exit_status(drilled, at_least)


def _drilled(asked: MutantsAsked, place: Path) -> MutationDrill:
    project, plan, bounds = asked.project, asked.plan, asked.bounds
    population = _population(project.root, asked.mutated)
    equivalent = _equivalents(project.root, plan, asked.mutated.equivalents, population)
    chosen = population
    if bounds.sample is not None:
        chosen = mutants.sample(population, bounds.sample, bounds.seed)
    _say(f"{len(chosen)} of {len(population)} mutants, {count(len(asked.phases), 'phase')}")
    phases = tuple(asked.phases)
    setup = MutationSetup(plan, phases, project.root, place, bounds.jobs, bounds.most_s)
    try:
        conducted = conducting.conduct(setup, chosen, equivalent, _say)
    except NotThePlantedError as error:
        why = (
            f"the mutant of {error} was not what ran: the rehearsal imports the file of the "
            "project's own tree (let nothing import it by an absolute path)"
        )
        raise RolloutError(why) from error
    return MutationDrill(
        plan=plan.id,
        plan_digest=plan.digest,
        phases=conducted.phases,
        paths=asked.mutated.all_paths,
        population=len(population),
        chosen=len(chosen),
        seed=bounds.seed,
        results=conducted.results,
        changed_since=asked.mutated.changed_since or "",
        stopped=conducted.stopped,
    )


def _population(root: Path, asked: Mutated) -> Sequence[Mutant]:
    survey = mutants.survey([Path.cwd() / path for path in asked.all_paths], root)
    for note in survey.notes:
        _say(str(note))
    if asked.changed_since is None:
        return survey.mutants
    return mutants.changed_since(survey.mutants, root, asked.changed_since)


def _equivalents(
    root: Path, plan: Plan, given: str | None, population: Sequence[Mutant]
) -> Mapping[str, str]:
    """The reviewed reasons by the id of a mutant; the file beside the plan need not be there."""
    beside = Path(plan.path).with_name(equivalents.NAME)
    if given is not None and not Path(given).is_file():
        raise OptionError("--equivalents", f"there is no file {given}")
    path, shown = (Path(given), given) if given else (root / beside, beside.as_posix())
    reviewed = equivalents.read(path, population, shown)
    for note in reviewed.notes:
        _say(str(note))
    return reviewed.reasons


def _say(text: str) -> None:
    say(text, err=True)
