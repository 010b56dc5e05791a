"""Which phases a run asks for, from its `-m` expression and `--rollout-phase`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path

from pytest_rollout.model.plan import Phase, Plan
from pytest_rollout.session.seams import MarkExpression

_MOST_FREE_NAMES = 10


def asked_phases(
    plans: Sequence[Plan], expression: str, named: Sequence[str]
) -> list[tuple[Plan, Phase]]:
    """The phases asked for, in the order of plans and phases.

    An expression asks for a phase where having the phase's marks makes the difference
    between selecting an item and not: ``not slow`` asks for nothing, ``day3 and not slow``
    asks for day3.
    """
    every = frozenset().union(*(plan.marks() for plan in plans)) if plans else frozenset()
    depends = dependence(expression, every)
    return [
        (plan, phase)
        for plan in plans
        for phase in plan.phases
        if _named(plan, phase, named) or depends(frozenset({plan.id, *phase.marks}))
    ]


def selects_nothing_else(plans: Sequence[Plan], expression: str) -> bool:
    """Whether an expression selects no item that has no mark of the plans; False where unsure."""
    stated = _stated(expression)
    if stated is None:
        return False
    free = sorted(stated.names - frozenset().union(*(plan.marks() for plan in plans)))
    sure = len(free) <= _MOST_FREE_NAMES
    return sure and not any(stated.met_by(present) for present in _assignments(free))


def selects_all(expression: str) -> bool:
    """Whether an expression selects an item without any mark, as `not slow` does."""
    stated = _stated(expression)
    return stated is None or stated.met_by(())


def asked_from(
    here: Path, root: Path, asked: Sequence[tuple[Plan, Phase]], named: Sequence[str]
) -> list[tuple[Plan, Phase]]:
    """Of the phases that are asked for, those that belong to where pytest was called.

    Plans that share a marker stand in folders of their own. Called in or below one of these, an
    expression means the plan there, and those below. It means all of them anywhere else.
    """
    folders = {plan.path: (root / plan.path).parent.resolve() for plan, _ in asked}
    here = here.resolve()
    around = [folder for folder in folders.values() if here.is_relative_to(folder)]
    own = max(around, key=lambda folder: len(folder.parts), default=None)
    near = {
        path
        for path, folder in folders.items()
        if folder == own or (folder.is_relative_to(here) and folder != here)
    }
    return [
        (plan, phase)
        for plan, phase in asked
        if not near or plan.path in near or _named(plan, phase, named)
    ]


def unknown_names(plans: Sequence[Plan], named: Sequence[str]) -> list[str]:
    """The values of `--rollout-phase` that name no plan and no phase."""
    known = {plan.id for plan in plans}
    known |= {plan.address(phase.id).name for plan in plans for phase in plan.phases}
    return [name for name in named if name not in known]


def _named(plan: Plan, phase: Phase, named: Sequence[str]) -> bool:
    return plan.id in named or plan.address(phase.id).name in named


def dependence(expression: str, every: frozenset[str]) -> Callable[[frozenset[str]], bool]:
    """Whether an expression's answer hangs on a set of marks, all of it present or none.

    ``every`` holds the marks of all plans; names outside it may be anything. A broken
    expression hangs on nothing: pytest itself refuses it.
    """
    stated = _stated(expression)
    if stated is None:
        return lambda _: False
    free = sorted(stated.names - every)

    def depends(marks: frozenset[str]) -> bool:
        return any(
            stated.met_by(present | marks) and not stated.met_by(present)
            for present in _assignments(free)
        )

    return depends


def _assignments(free: Sequence[str]) -> Iterator[frozenset[str]]:
    """Every choice of the free names; for very many of them only none and all."""
    if len(free) > _MOST_FREE_NAMES:
        yield from (frozenset(), frozenset(free))
        return
    for chosen in product((False, True), repeat=len(free)):
        yield frozenset(name for name, there in zip(free, chosen, strict=True) if there)


def replaced(words: Sequence[str]) -> list[str]:
    """Return the `-m` expressions among the words of a command line, but the last, which counts."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("-m", action="append", default=[])
    for flag in "qvsxl":  # which may stand before it, as in -qm
        parser.add_argument(f"-{flag}", action="store_true")
    try:
        known, _ = parser.parse_known_args(list(words))
    except argparse.ArgumentError:
        return []
    return [str(expression) for expression in known.m[:-1]]


def names_in(expression: str) -> frozenset[str]:
    """Every name of an expression; empty where it is broken."""
    stated = _stated(expression)
    return stated.names if stated else frozenset()


def _stated(expression: str) -> MarkExpression | None:
    """An expression; None where there is none, or a broken one."""
    try:
        return MarkExpression(expression) if expression.strip() else None
    except ValueError:
        return None
