"""Which phases a run asks for, from its `-m` expression and `--rollout-phase`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product

from _pytest.mark.expression import Expression

from pytest_rollout.model.plan import Phase, Plan

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
    if not expression.strip():
        return lambda _: False
    try:
        compiled = Expression.compile(expression)
    except SyntaxError:
        return lambda _: False
    free = sorted(compiled.idents() - every)

    def depends(marks: frozenset[str]) -> bool:
        return any(
            _matches(compiled, present | marks) and not _matches(compiled, present)
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


def _matches(expression: Expression, marks: Iterable[str]) -> bool:
    present = frozenset(marks)
    return expression.evaluate(lambda name, /, **_: name in present)


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
    return [str(one) for one in known.m[:-1]]


def names_in(expression: str) -> frozenset[str]:
    """Every name of an expression; empty where it is broken."""
    try:
        return Expression.compile(expression).idents() if expression.strip() else frozenset()
    except SyntaxError:
        return frozenset()
