"""Means of `check:` and channels that other packages install, by entry point.

Names are read without importing anybody. A package is imported when a plan uses what it gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.extension import ChannelExtension, CheckExtension

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

CHECKS = "pytest_rollout.checks"
CHANNELS = "pytest_rollout.channels"

T = TypeVar("T", CheckExtension, ChannelExtension)


def names(group: str) -> list[str]:
    """What is installed for a group."""
    return sorted(_installed(group))


def check(name: str) -> CheckExtension:
    """A means of `check:`; raises RolloutError where it is not installed or cannot be loaded."""
    return _loaded(CHECKS, name, CheckExtension)


def channel(name: str) -> ChannelExtension:
    """A channel; raises RolloutError where it is not installed or cannot be loaded."""
    return _loaded(CHANNELS, name, ChannelExtension)


def _installed(group: str) -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points  # of use to plans that name something unknown

    return {entry.name: entry for entry in entry_points(group=group)}


def _loaded(group: str, name: str, kind: type[T]) -> T:
    entry = _installed(group).get(name)
    if entry is None:
        raise RolloutError(f"`{name}` is not installed here (entry points of {group})")
    try:
        given = entry.load()
    except Exception as error:  # whatever a package does when it is imported
        why = f"{type(error).__name__}: {error}"
        raise RolloutError(f"`{name}` ({entry.value}) cannot be loaded: {why}") from error
    if not isinstance(given, kind):
        raise RolloutError(f"`{name}` ({entry.value}) is no {kind.__name__}")
    return given
