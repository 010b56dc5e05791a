"""Asking what a check asks, by whichever means it states."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

from pytest_rollout.checks import command, http, prometheus, sql
from pytest_rollout.checks.answer import Reply
from pytest_rollout.model.check import Check, CheckMeans
from pytest_rollout.targets.target import LiveTarget


class Place(Protocol):
    """Where a check is asked: a phase in an environment, with its targets."""

    @property
    def id(self) -> str:
        """The phase's full name."""
        ...

    @property
    def environment(self) -> str:
        """The environment's name."""
        ...

    def target(self, name: str) -> LiveTarget:
        """A target that answers HTTP."""
        ...

    def file(self, name: str) -> Path:
        """The path of a target that is a file."""
        ...

    def address(self, name: str) -> str:
        """Where a target is, for a program of its own."""
        ...


def ask(check: Check, labels: tuple[str, ...], place: Place, root: Path) -> Reply:
    """What is answered; ``labels`` tell the values of one query apart.

    Raises RolloutError or httpx.TransportError where there is no answer.
    """
    match check.means:
        case CheckMeans.COMMAND:
            return command.run(check, root, surroundings(check, place))
        case CheckMeans.HTTP:
            return http.ask(check, place.target(check.on[0]).client)
        case CheckMeans.PROMETHEUS:
            return prometheus.ask(check, place.target(check.on[0]).client)
        case CheckMeans.SQL:
            return sql.ask(check, place.file(check.on[0]), labels)


def surroundings(check: Check, place: Place) -> dict[str, str]:
    """What a command is told: the phase, the environment, and where its targets are."""
    found = {"ROLLOUT_PHASE": place.id, "ROLLOUT_ENVIRONMENT": place.environment}
    for name in check.on:
        variable = re.sub(r"[^A-Z0-9]", "_", name.upper())
        found[f"ROLLOUT_TARGET_{variable}"] = place.address(name)
    return found
