"""Items that are marked with a phase and name no criterion of it."""

from __future__ import annotations

from collections.abc import Container, Iterable

import pytest


class Unnamed:
    """Items that are marked with phases and name no criterion."""

    def __init__(self, asked: Container[str]) -> None:
        self._asked = asked  # names of phases
        self._of_phases: dict[str, dict[str, None]] = {}
        self._nodes: set[str] = set()  # of asked phases

    def note(self, item: pytest.Item, phases: Iterable[str]) -> None:
        """Take an item and the phases that it is marked with."""
        for name in phases:
            # Folders of plans within each other: collected twice.
            self._of_phases.setdefault(name, {})[item.nodeid] = None
            if name in self._asked:
                self._nodes.add(item.nodeid)

    @property
    def of_phases(self) -> dict[str, list[str]]:
        """The items of each phase, in their order."""
        return {name: list(items) for name, items in self._of_phases.items()}

    def asked_but(self, left_out: Container[str]) -> dict[str, list[str]]:
        """The items of each phase that is asked, but for those that the run leaves out."""
        phases = {name: items for name, items in self.of_phases.items() if name in self._asked}
        return {name: [i for i in items if i not in left_out] for name, items in phases.items()}

    def __contains__(self, nodeid: object) -> bool:
        return nodeid in self._nodes
