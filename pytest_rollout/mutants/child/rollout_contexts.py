"""Notes in a small shared file what a rehearsal does: a plugin of its pytest.

It is the item that runs, or the fixture of several items that is set up. Every process that is
measured reads it there; see :mod:`rollout_measured`.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_SIZE = 4096
_SHARED = ("session", "package", "module", "class")


class Contexts:
    """Notes what pytest does, and at the end which fixtures each item stands on."""

    def __init__(self, noted: mmap.mmap, listing: Path) -> None:
        self._noted = noted
        self._listing = listing
        self._doing: list[str] = []
        self._needs: dict[str, set[str]] = {}

    def _note(self) -> None:
        now = self._doing[-1].encode()[: _SIZE - 1] if self._doing else b""
        self._noted[: len(now) + 1] = now + b"\0"

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """An item runs."""
        self._needs.setdefault(item.nodeid, set()).update(getattr(item, "fixturenames", ()))
        self._doing.append(item.nodeid)
        self._note()
        try:
            return (yield)
        finally:
            self._doing.pop()
            self._note()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        """A fixture is set up: what is shared by several items is noted by its own name."""
        if fixturedef.scope not in _SHARED:
            return (yield)
        if self._doing:
            self._needs.setdefault(self._doing[0], set()).add(fixturedef.argname)
        self._doing.append(f"fixture {fixturedef.argname}")
        self._note()
        try:
            return (yield)
        finally:
            self._doing.pop()
            self._note()

    def pytest_sessionfinish(self) -> None:
        """Leave which fixtures each item stood on."""
        needs = {item: sorted(names) for item, names in self._needs.items()}
        self._listing.write_text(json.dumps(needs), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Start to note, where the environment says where."""
    place = os.environ.get("ROLLOUT_CONTEXTS")
    if place:
        contexts = Contexts(_opened(place), Path(place).with_suffix(".json"))
        config.pluginmanager.register(contexts, "rollout_contexts_noted")


def _opened(place: str) -> mmap.mmap:
    with open(place, "r+b") as file:  # noqa: PTH123  # quicker to start than pathlib
        return mmap.mmap(file.fileno(), _SIZE)
