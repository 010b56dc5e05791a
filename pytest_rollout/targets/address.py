"""Addresses of targets, with variables of the environment filled in."""

from __future__ import annotations

import os
import re

from pytest_rollout.model.errors import RolloutError

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def filled(text: str, target: str) -> str:
    """A text with its ${VARIABLES}; raises RolloutError if one is unset."""

    def value(match: re.Match[str]) -> str:
        found = os.environ.get(match[1])
        if not found:
            raise RolloutError(f"target {target}: the environment variable {match[1]} is not set")
        return found

    return _VARIABLE.sub(value, text)
