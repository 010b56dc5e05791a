"""Which criteria a collected item is bound to, and which offences its markers hold."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import pytest

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import Problem
from pytest_rollout.model.node_id import NodeId, NodePattern
from pytest_rollout.model.plan import Criterion, Effect, Gate, Phase, Plan
from pytest_rollout.plan.load import Loaded
from pytest_rollout.plan.reader import nearest

_Offence = tuple[str, str]  # what is wrong, and how to fix it


@dataclass(frozen=True)
class Bound:
    """An item's place in a plan; those of one place share it."""

    plan: Plan
    phase: Phase
    criteria: tuple[Criterion, ...]

    @cached_property
    def name(self) -> str:
        """The phase's full name."""
        return self.plan.address(self.phase.id).name

    def with_more(self, before: Bound | None) -> Bound:
        """The criteria of now and of before, where both are of one phase."""
        if before is None or before is self or before.name != self.name:
            return self
        criteria = {criterion.id: criterion for criterion in (*before.criteria, *self.criteria)}
        return Bound(self.plan, self.phase, tuple(criteria.values()))

    def full(self, slug: str) -> str:
        """Return the full id of a criterion or guardrail of the phase."""
        return self.plan.address(self.phase.id).full(slug)

    @cached_property
    def gates(self) -> frozenset[Gate]:
        """The gates that the item's criteria belong to."""
        return frozenset(criterion.gate for criterion in self.criteria)


@dataclass(frozen=True, eq=False)
class Stated:
    """A pattern by which a plan binds tests itself, as seen from the root."""

    plan: Plan
    phase: Phase
    criterion: Criterion
    pattern: NodePattern
    as_written: str  # as seen from the plan's folder

    @property
    def criterion_id(self) -> str:
        """The full id of the criterion."""
        return self.plan.address(self.phase.id).full(self.criterion.id)


@dataclass(frozen=True, slots=True)
class Placed:
    """What is found of an item: where it is bound, and which plans have to do with it."""

    bound: Bound | None
    above: Loaded | None
    naming: Sequence[Stated]
    unnamed: tuple[str, ...]  # the phases that it is marked with, where it names no criterion

    @property
    def plan_above(self) -> str:
        """The id of the plan above it; empty where there is none that can be read."""
        return self.above.plan.id if self.above is not None and self.above.plan is not None else ""

    @property
    def marks(self) -> list[str]:
        """The marks that are its own: the plans that name it, and those of its phase."""
        of_phase = self.bound.phase.marks if self.bound is not None else ()
        return [*(stated.plan.id for stated in self.naming), *of_phase]


class Binder:
    """Binds items to the nearest plan above them, and to the plans that name them."""

    def __init__(
        self, root: Path, loaded: Iterable[Loaded], asked: Container[str] = frozenset()
    ) -> None:
        self._root = root
        self._asked = asked  # names of phases
        plans = list(loaded)
        self._folders = {plan.path.parent: plan for plan in plans}
        self._files = {str(plan.path): plan for plan in plans}
        self._above: dict[str, Loaded | None] = {}
        self._by_id: dict[str, Mapping[str, Sequence[tuple[Phase, Criterion]]]] = {}
        self._places: dict[object, tuple[Bound | None, Sequence[_Offence]]] = {}
        self._stated = [
            Stated(plan, phase, criterion, NodePattern(text), as_written)
            for plan in (plan.plan for plan in plans if plan.plan)
            for phase, criterion in plan.criteria()
            for text, as_written in zip(plan.bound_ids(criterion), criterion.binds, strict=True)
        ]
        self._matched: set[Stated] = set()

    def plan_above(self, path: Path) -> Loaded | None:
        """The plan whose folder is nearest above a path; a plan's file is its own."""
        file = str(path)
        if file not in self._above:
            nearer = (self._folders[parent] for parent in path.parents if parent in self._folders)
            self._above[file] = self._files.get(file) or next(nearer, None)
        return self._above[file]

    def naming(self, item: pytest.Item) -> list[Stated]:
        """The patterns of plans that mean an item."""
        if not self._stated:
            return []
        node = NodeId.parse(item.nodeid)
        return [stated for stated in self._stated if stated.pattern.matches(node)]

    def is_of_no_place(self, placed: Placed) -> bool:
        """Whether no plan binds an item, nor one of other name with the same marks."""
        return not (placed.bound or placed.unnamed or self._stated)

    def unmatched(self) -> list[Stated]:
        """The patterns that meant none of the items that were bound."""
        return [stated for stated in self._stated if stated not in self._matched]

    def phase_of(self, function: pytest.Item) -> str | None:
        """The full name of the phase of a function, whose parameters are not known yet."""
        node = NodeId.parse(function.nodeid)
        naming = [stated for stated in self._stated if stated.pattern.may_match(node)]
        placed = self._placed(function, tuple(function.iter_markers()), [])
        bound = _with_stated(placed.bound, naming, [])
        return bound.name if bound else None

    def bind(
        self, item: pytest.Item, marks: Sequence[pytest.Mark], problems: list[Problem]
    ) -> Placed:
        """Return the item's phase and criteria; offences are added to ``problems``."""
        offences: list[_Offence] = []
        placed = self._placed(item, marks, offences)
        naming = self.naming(item)
        if naming:
            self._matched.update(naming)
            bound = _with_stated(placed.bound, naming, offences)
            placed = replace(placed, bound=bound, naming=naming)
        if offences:
            file, line, _ = item.location
            problems += (Problem(file, (line or 0) + 1, what, fix) for what, fix in offences)
        return placed

    def _placed(
        self, item: pytest.Item, marks: Sequence[pytest.Mark], offences: list[_Offence]
    ) -> Placed:
        """Where the marks of an item bind it."""
        above = self.plan_above(item.path)
        criteria = [mark for mark in marks if mark.name == "criterion"]
        names = tuple(name for mark in criteria for name in mark.args)
        if above is None or above.plan is None:
            if names and above is None:
                offences.append((f"criterion({names[0]!r}) without a plan above it", ""))
            return Placed(None, above, (), ())
        _check_marks(marks, offences)
        plan = above.plan
        marked = _marked(plan, {mark.name for mark in marks})
        unnamed = () if criteria else tuple(plan.address(phase.id).name for phase in marked)
        if names or marked:
            key = (plan.path, tuple(phase.id for phase in marked), tuple(map(str, names)))
            if key not in self._places:
                self._places[key] = self._found(plan, marked, key[-1])
            bound, misses = self._places[key]
            offences += misses
            return Placed(bound, above, (), unnamed)
        return Placed(None, above, (), ())

    def _found(
        self, plan: Plan, marked: Sequence[Phase], names: Sequence[str]
    ) -> tuple[Bound | None, Sequence[_Offence]]:
        """The place that such marks say, and what is wrong with them."""
        if not names:
            asked = [phase for phase in marked if plan.address(phase.id).name in self._asked]
            return Bound(plan, (asked or marked)[0], ()), ()
        if plan.path not in self._by_id:
            by_id: dict[str, list[tuple[Phase, Criterion]]] = {}
            for phase, criterion in plan.criteria():
                by_id.setdefault(criterion.id, []).append((phase, criterion))
            self._by_id[plan.path] = by_id
        misses: list[_Offence] = []
        return _bind_named(plan, self._by_id[plan.path], marked, names, misses), misses


def _marked(plan: Plan, names: Container[str]) -> list[Phase]:
    """The phases of the names of an item's marks: those with all of theirs, else those with any.

    Phases may share a mark, and a bound item gets every mark of its phase.
    """
    marked = [phase for phase in plan.phases if any(mark in names for mark in phase.marks)]
    whole = [phase for phase in marked if all(mark in names for mark in phase.marks)]
    return whole or marked


def _bind_named(
    plan: Plan,
    by_id: Mapping[str, Sequence[tuple[Phase, Criterion]]],
    marked: Sequence[Phase],
    names: Sequence[str],
    offences: list[_Offence],
) -> Bound | None:
    by_phase: dict[str, tuple[Phase, list[Criterion]]] = {}
    for name in names:
        hits = _lookup(plan, by_id, marked or plan.phases, name)
        if len(hits) == 1:
            phase, criterion = hits[0]
            by_phase.setdefault(phase.id, (phase, []))[1].append(criterion)
        else:
            offences.append(_miss(plan, marked, name, [phase for phase, _ in hits]))
    if len(by_phase) > 1:
        phases = " and ".join(sorted(by_phase))
        offences.append((f"a test is bound to {phases}", "bind each test to one phase"))
    if len(by_phase) != 1:
        return None
    phase, criteria = next(iter(by_phase.values()))
    return Bound(plan, phase, tuple(criteria))


def _with_stated(
    bound: Bound | None, naming: Sequence[Stated], offences: list[_Offence]
) -> Bound | None:
    """What an item is bound to by its marks, and by the plans that name it."""
    places = {(stated.plan.id, stated.phase.id): stated for stated in naming}
    places |= {(bound.plan.id, bound.phase.id): naming[0]} if bound and naming else {}
    if len(places) > 1:
        phases = " and ".join(sorted(".".join(place) for place in places))
        offences.append((f"a test is bound to {phases}", "bind each test to one phase"))
        return bound
    if not naming:
        return bound
    criteria = [*(bound.criteria if bound else ()), *(stated.criterion for stated in naming)]
    unique = {criterion.id: criterion for criterion in criteria}
    return Bound(naming[0].plan, naming[0].phase, tuple(unique.values()))


def _check_marks(marks: Iterable[pytest.Mark], offences: list[_Offence]) -> None:
    for mark in marks:
        if mark.name == "criterion":
            if not mark.args or mark.kwargs or any(not isinstance(arg, str) for arg in mark.args):
                fix = 'criterion("no-starvation")'
                offences.append(("criterion() takes the ids of criteria", fix))
        elif mark.name == "effect":
            known = [effect.value for effect in Effect]
            if len(mark.args) != 1 or mark.args[0] not in known:
                offences.append((f"effect{mark.args!r}", f"one of {', '.join(known)}"))


def _lookup(
    plan: Plan,
    by_id: Mapping[str, Sequence[tuple[Phase, Criterion]]],
    phases: Sequence[Phase],
    name: str,
) -> list[tuple[Phase, Criterion]]:
    """A criterion by its slug in some phases, or by phase.slug or plan.phase.slug anywhere."""
    *prefix, slug = name.split(".")
    if prefix and prefix[0] == plan.id and len(prefix) > 1:
        prefix = prefix[1:]
    allowed = {phase.id for phase in phases}
    return [
        (phase, criterion)
        for phase, criterion in by_id.get(slug, ())
        if (prefix == [phase.id] if prefix else phase.id in allowed)
    ]


def _miss(plan: Plan, marked: Sequence[Phase], name: str, hits: Sequence[Phase]) -> tuple[str, str]:
    if hits:
        phases = ", ".join(phase.id for phase in hits)
        return f"criterion {name!r} is stated in {phases}", f"write {hits[0].id}.{name}"
    here = [criterion.id for phase in marked for criterion in phase.criteria]
    elsewhere = [phase.id for phase, criterion in plan.criteria() if criterion.id == name]
    if marked and elsewhere:
        phase_names = ", ".join(phase.id for phase in marked)
        what = f"criterion {name!r} belongs to {elsewhere[0]}, the test is marked {phase_names}"
        return what, f"mark it {elsewhere[0]}"
    rails = [(phase.id, rail.id) for phase in plan.phases for rail in phase.guardrails]
    if any(name in (rail, f"{phase}.{rail}", f"{plan.id}.{phase}.{rail}") for phase, rail in rails):
        return f"{name!r} is a guardrail, which no test is bound to", "leave it out"
    known = here or [criterion.id for _, criterion in plan.criteria()]
    return f"unknown criterion {name!r} in {plan.path}", nearest(name, known)
