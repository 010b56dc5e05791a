"""A profile of one run, by the rooms of the package."""

from __future__ import annotations

import pstats
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest_rollout

_PACKAGE = Path(pytest_rollout.__file__).parent
_ROUNDS = 12  # of handing time on to callers: deeper than libraries call each other
_PYTEST = ("_pytest", "pytest", "pluggy", "xdist", "execnet")

_Function = tuple[str, int, str]


def by_room(profile: Path) -> dict[str, float]:
    """Return the seconds of each room, with those of the libraries that it calls."""
    stats: Mapping[_Function, Any] = pstats.Stats(str(profile)).stats  # type: ignore[attr-defined]
    waiting = {function: entry[2] for function, entry in stats.items()}
    found: defaultdict[str, float] = defaultdict(float)
    for _ in range(_ROUNDS):
        handed: defaultdict[_Function, float] = defaultdict(float)
        for function, seconds in waiting.items():
            room = _room(function[0])
            callers = stats[function][4]
            whole = sum(one[3] for one in callers.values())
            if room or not whole:
                found[room or "Python"] += seconds
                continue
            for caller, one in callers.items():
                handed[caller] += seconds * one[3] / whole
        waiting = dict(handed)
    found["Python"] += sum(waiting.values())
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def _room(file: str) -> str:
    """The room that a file is in, or pytest; empty where it is of a library."""
    path = Path(file)
    if path.is_relative_to(_PACKAGE):
        return path.relative_to(_PACKAGE).parts[0].removesuffix(".py")
    return "pytest" if any(part in _PYTEST for part in path.parts) else ""
