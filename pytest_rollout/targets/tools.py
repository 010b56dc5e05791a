"""Programs that only some uses need: found, or named with how to install them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from pytest_rollout.extras import MissingToolError


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
