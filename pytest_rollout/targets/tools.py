"""Programs and libraries that only some uses need: found, or named with how to install them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from importlib.util import find_spec

from pytest_rollout.model.errors import RolloutError


class MissingToolError(RolloutError):
    """A program or a library that is needed is not installed."""


def find_program(names: Sequence[str], package: str) -> str:
    """Return the path of the first program that is installed.

    ``names`` are those that distributions give it. Raises MissingToolError, which says what to
    install.
    """
    for name in names:
        path = shutil.which(name)
        if path is not None:
            return path
    raise MissingToolError(
        f"{names[0]} is not installed; on Debian: apt-get install --no-install-recommends {package}"
    )


def needs_extra(extra: str, *libraries: str) -> None:
    """Raise MissingToolError where a library is missing; it names the extra that has it."""
    for library in libraries:
        if find_spec(library) is None:
            raise MissingToolError(
                f"{library} is not installed: pip install 'pytest-rollout[{extra}]'"
            )
