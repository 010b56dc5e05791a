"""Addresses of targets, with variables of the environment filled in."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.plan import Environment
from pytest_rollout.redact import hide

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def filled(text: str, target: str) -> str:
    """A text with its ${VARIABLES}; raises RolloutError if one is unset."""

    def value(match: re.Match[str]) -> str:
        setting = os.environ.get(match[1])
        if not setting:
            raise RolloutError(f"target {target}: the environment variable {match[1]} is not set")
        return setting

    return _VARIABLE.sub(value, text)


def variables(text: str) -> tuple[str, ...]:
    """Return the names of the ${VARIABLES} of a text."""
    return tuple(_VARIABLE.findall(text))


def addresses(environment: Environment) -> Mapping[str, str]:
    """Return where each target of a real environment is now, without secrets.

    Targets that are not known, because a variable is unset, are left out. A rehearsal's have
    another address each time, so it has none.
    """
    by_name: dict[str, str] = {}
    for name, target in environment.targets.items():
        stated = target.address or target.file
        if environment.embedded or not stated:
            continue
        try:
            by_name[name] = hide(filled(str(stated), name).rstrip("/"))
        except RolloutError:
            continue
    return by_name
