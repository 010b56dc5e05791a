"""The marks of items, what they declare that they do to their target, and their scenarios."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pytest

from pytest_rollout.model.plan import Effect
from pytest_rollout.session.declared import Scenario, scenario_of
from pytest_rollout.session.seams import fixture_functions


class Marks:
    """The marks of items, closest first; those of what is above them are looked up once."""

    def __init__(self) -> None:
        self._above: dict[int, tuple[pytest.Mark, ...]] = {}

    def of(self, item: pytest.Item) -> tuple[pytest.Mark, ...]:
        """Return the marks of an item."""
        parent = item.parent
        above = self._above.get(id(parent))
        if above is None:
            above = self._above[id(parent)] = tuple(parent.iter_markers()) if parent else ()
        return (*item.own_markers, *above)

    def add(self, item: pytest.Item, of_file: str, own: Iterable[str]) -> None:
        """Mark an item with what it has not; ``of_file`` is for all items of its file, if any."""
        has = {mark.name for mark in self.of(item)}
        if of_file and of_file not in has:
            has.add(of_file)
            (_file_of(item) or item).add_marker(of_file)
            self._above.pop(id(item.parent), None)
        for name in own:
            if name not in has:
                has.add(name)
                item.add_marker(name)

    def effects(self, item: pytest.Item) -> list[Effect]:
        """Return the effects that the marks of an item declare, as they were when it was made."""
        marks = self.of(item)
        return [Effect(mark.args[0]) for mark in marks if mark.name == "effect" and mark.args]


def _file_of(item: pytest.Item) -> pytest.File | None:
    """Return what collected the file that an item stands in; None where that is another file."""
    for node in item.iter_parents():
        if isinstance(node, pytest.File):
            return node if node.path == item.path else None
    return None


def effect_of(item: pytest.Item) -> Effect:
    """The worst effect that an item's marker and scenarios declare."""
    declared = [Effect(mark.args[0]) for mark in item.iter_markers("effect")]
    declared += (scenario.effect for scenario in _scenarios(item))
    return max(declared, key=lambda effect: effect.rank, default=Effect.OBSERVE)


def declared(phase: str, effects: Sequence[Effect], *, counted: bool) -> str:
    """Return what the checks of a phase do at worst, as they declare, and how many do more."""
    worst = max(effects, key=lambda effect: effect.rank)
    line = f"rollout: checks of {phase} {worst.value}"
    if not counted:
        return line
    more = sum(effect is not Effect.OBSERVE for effect in effects)
    declare = "declares" if more == 1 else "declare"
    return f"{line}: {more} of {len(effects)} {declare} an effect, all else is refused"


def scenarios_of(item: pytest.Item) -> tuple[str, ...]:
    """The names of the scenarios that an item reads."""
    return tuple(sorted(scenario.name for scenario in _scenarios(item)))


def _scenarios(item: pytest.Item) -> Iterator[Scenario]:
    declared = (scenario_of(function) for function in fixture_functions(item))
    return (scenario for scenario in declared if scenario is not None)
