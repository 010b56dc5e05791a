"""Libraries that only some uses need: found, or named with the extra that installs them."""

from __future__ import annotations

from importlib.util import find_spec

from pytest_rollout.model.errors import RolloutError


class MissingToolError(RolloutError):
    """A program or a library that is needed is not installed."""


def install(extra: str) -> str:
    """Return the command that installs an extra."""
    return f"pip install 'pytest-rollout[{extra}]'"


def missing(*libraries: str) -> str:
    """Return the first library that is not installed; empty where all are."""
    return next((library for library in libraries if find_spec(library) is None), "")


def needs_extra(extra: str, *libraries: str) -> None:
    """Raise MissingToolError where a library is missing; it names the extra that has it."""
    library = missing(*libraries)
    if library:
        message = f"{library} is not installed: pip install 'pytest-rollout[{extra}]'"
        raise MissingToolError(message)
