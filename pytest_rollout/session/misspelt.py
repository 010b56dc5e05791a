"""Marks that look like one of a plan and are none: pytest itself would leave their checks out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches

import pytest

from pytest_rollout.model.errors import Problem
from pytest_rollout.model.plan import Plan
from pytest_rollout.session.asking import names_in, selects_all
from pytest_rollout.session.leaving_out import MARK

_OWN = frozenset({"criterion", "effect", MARK})
_SHOWN = 6
_ALIKE = 0.75  # of difflib: one or two letters off
_FIX = "did you mean {}? If not, register it under `markers` in pytest's configuration"


class Misspelt:
    """Refuses a `-m` whose names nobody registered and that look like marks of a plan."""

    def __init__(self, known: Collection[str], plans: Sequence[Plan]) -> None:
        self._known = known
        self._plans = plans

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Refuse before tests are collected: every plugin has registered its marks by now."""
        config, stated = session.config, session.config.option.markexpr
        names = names_in(stated)
        dotted = {name: fix for name in names if (fix := _without_a_dot(name, self._plans))}
        offences = [
            f"-m {stated!r}: no mark holds a dot, so none is `{name}` ({fix})"
            for name, fix in sorted(dotted.items())
            if name not in _registered(config)
        ]
        offences += [
            f"-m {stated!r}: nobody knows the mark `{name}` ({fix})"
            for name, fix in _alike(names.difference(dotted), self._known, config)
        ]
        if offences:
            raise pytest.UsageError(*offences)


def _without_a_dot(name: str, plans: Sequence[Plan]) -> str:
    """What to type instead of a phase's full name; empty where it is not nearly one."""
    if "." not in name:
        return ""
    asked = {plan.address(phase.id).name: phase.chosen for plan in plans for phase in plan.phases}
    near = get_close_matches(name.partition("/")[0], sorted(asked), n=1, cutoff=_ALIKE)
    return f"`{asked[near[0]]}` asks for {near[0]}" if near else ""


def unknown_to_all(config: pytest.Config, plans: Sequence[Plan]) -> str:
    """Say which names of `-m` neither a plan nor anybody who registers marks knows; may be empty.

    They are no mistake for certain: marks need not be registered, and those of folders may be
    registered later.
    """
    stated = config.option.markexpr
    marks = frozenset().union(*(plan.marks() for plan in plans))
    unknown = sorted(names_in(stated) - marks - _registered(config))
    if not (marks and unknown) or selects_all(stated):
        return ""
    phases = [phase.chosen for plan in plans for phase in plan.phases]
    more = ", ..." if len(phases) > _SHOWN else ""
    named = ", ".join(f"`{name}`" for name in unknown)
    return (
        f"no gate is asked: nobody has registered the mark {named}, and no plan has it "
        f"(phases: {', '.join(phases[:_SHOWN])}{more})"
    )


class MisspeltMarks:
    """Finds marks of items; the marks of many are the same, and are looked at once."""

    def __init__(self) -> None:
        self._fine: set[tuple[frozenset[str], Collection[str]]] = set()

    def of(
        self, item: pytest.Item, marks: Collection[pytest.Mark], known: frozenset[str]
    ) -> list[Problem]:
        """Return the marks of an item that nobody registered and that look like its plan's."""
        names = frozenset(mark.name for mark in marks)
        if (names, known) in self._fine:
            return []
        fixes = list(_alike(names, _OWN.union(known), item.config))
        if not fixes:
            self._fine.add((names, known))
            return []
        file, line, _ = item.location
        where = file, (line or 0) + 1
        return [Problem(*where, f"nobody knows the mark `{name}`", fix) for name, fix in fixes]


def _alike(
    names: Collection[str], known: Collection[str], config: pytest.Config
) -> Iterator[tuple[str, str]]:
    """Each name that is not known to anybody but nearly known here, and how to fix it."""
    for name in sorted(set(names).difference(known)):
        near = get_close_matches(name, sorted(known), n=2, cutoff=_ALIKE)
        near = near or [mark for mark in sorted(known) if mark.casefold() == name.casefold()]
        if near and name not in _registered(config):
            yield name, _FIX.format(" or ".join(f"`{mark}`" for mark in near))


def _registered(config: pytest.Config) -> frozenset[str]:
    lines: list[str] = config.getini("markers")
    return frozenset(line.partition(":")[0].partition("(")[0].strip() for line in lines)
