"""Names in `-m` that look like a phase and are none: pytest itself just selects nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

import pytest

from pytest_rollout.session.asking import names_in

_ALIKE = 0.75  # of difflib: one or two letters off


class Misspelt:
    """Says at the end of a run which names of its `-m` nobody knows, and what is meant."""

    def __init__(self, config: pytest.Config, known: frozenset[str]) -> None:
        self._names = sorted(names_in(config.option.markexpr or ""))
        self._known = sorted(known)
        self._marked: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Remember the marks that there are."""
        self._marked.update(mark.name for mark in item.iter_markers())

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print a line for each name."""
        for line in self._lines():
            terminalreporter.write_line(line)

    def _lines(self) -> Iterator[str]:
        for name in self._names:
            if name not in self._known and name not in self._marked:
                near = self._near(name)
                if near:
                    meant = " or ".join(f"`{one}`" for one in near)
                    yield f"rollout: nothing is marked `{name}` (did you mean {meant}?)"

    def _near(self, name: str) -> Sequence[str]:
        return get_close_matches(name, self._known, n=2, cutoff=_ALIKE)
