"""/reflect tried in a sandbox: its warnings, at both sides of their limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import pytest

from pytest_rollout import RolloutError, Stage, scenario
from suites.eros.scenarios.learning_sandbox import sandbox
from suites.eros.views.learning_conditions import DEPRECATIONS, HIGH, ZERO
from suites.eros.views.reflecting import Sandbox


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a warning's limit."""

    when: str
    due: bool
    given: bool


class _Look(Protocol):
    """Look whether a warning is given."""

    def __call__(self, warning: str, when: str, *, due: bool) -> None: ...


@scenario()
def warned(phase: Stage, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[Side]]:
    """Each warning at both sides of its limit, and once what it is about has passed."""
    tried = sandbox(phase, tmp_path_factory, "warned")
    sides: dict[str, list[Side]] = {HIGH: [], ZERO: [], DEPRECATIONS: []}

    def look(warning: str, when: str, *, due: bool) -> None:
        given = {notice.text("id") for notice in tried.status().each("warnings")}
        sides[warning].append(Side(when, due, warning in given))

    tried.correct("First", "Second", explicit=True)
    tried.reflect("yy")
    look(HIGH, "after two HIGH learnings in a week", due=False)
    begun = tried.now
    tried.later(days=1)
    tried.correct("Third", explicit=True)
    tried.reflect("y")
    newest = tried.now
    look(HIGH, "after three HIGH learnings in a week", due=True)
    tried.now = begun + timedelta(days=7)
    look(HIGH, "once two of the three are seven days old", due=False)
    _silence(tried, newest, look)
    _deprecate(tried, look)
    return sides


def _silence(tried: Sandbox, newest: datetime, look: _Look) -> None:
    """Let almost and just fourteen days pass since a learning, and add one."""
    tried.now = newest + timedelta(days=14, minutes=-2)  # a look takes a minute
    look(ZERO, "a minute before fourteen days", due=False)
    tried.now = newest + timedelta(days=14, minutes=-1)
    look(ZERO, "fourteen days after the last learning", due=True)
    tried.correct(*(f"Lesson {number}" for number in range(7)))
    tried.reflect("y" * 7)
    look(ZERO, "after another learning", due=False)


def _deprecate(tried: Sandbox, look: _Look) -> None:
    """Deprecate two and three of ten learnings, and let their four weeks pass."""
    ids = [entry.id for entry in tried.file.active]
    if len(ids) != 10:
        raise RolloutError(f"ten learnings were confirmed, and {len(ids)} are in the file")
    for id_ in ids[:2]:
        tried.run("deprecate", id_, "--by", "suite").demand()
    look(DEPRECATIONS, "after two of ten are deprecated", due=False)
    tried.run("deprecate", ids[2], "--by", "suite").demand()
    look(DEPRECATIONS, "after three of ten are deprecated", due=True)
    tried.later(days=29)
    look(DEPRECATIONS, "29 days later", due=False)
