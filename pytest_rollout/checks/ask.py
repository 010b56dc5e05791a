"""Asking what a check asks, by whichever means it states."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, cast

from pytest_rollout import extensions
from pytest_rollout.checks import command, http, prometheus, sql
from pytest_rollout.checks.answer import Reply
from pytest_rollout.checks.printing import target_variable
from pytest_rollout.model.check import Check, CheckMeans
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.extension import CheckExtension
from pytest_rollout.model.load import LoadRecord
from pytest_rollout.targets.target import LiveTarget
from pytest_rollout.targets.trouble import trouble


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

    def load_record(self, name: str) -> LoadRecord:
        """What a load of the plan came to, made once, whatever it is worth."""
        ...


def ask(check: Check, labels: tuple[str, ...], place: Place, root: Path) -> Reply:
    """What is answered; ``labels`` tell the values of one query apart.

    Raises RolloutError or httpx.TransportError where there is no answer.
    """
    own = OWN.get(check.means)
    if own is not None:
        return cast("Reply", own.ask(check, labels, place, root))
    return _asked_by_others(check, labels, place, root)


def _command(check: Check, labels: tuple[str, ...], place: Place, root: Path) -> Reply:
    return command.run(check, root, surroundings(check, place))


def _http(check: Check, labels: tuple[str, ...], place: Place, root: Path) -> Reply:
    return http.ask(check, place.target(check.on[0]).client)


def _prometheus(check: Check, labels: tuple[str, ...], place: Place, root: Path) -> Reply:
    return prometheus.ask(check, place.target(check.on[0]).client)


def _sql(check: Check, labels: tuple[str, ...], place: Place, root: Path) -> Reply:
    return sql.ask(check, place.file(check.on[0]), labels)


def _load(check: Check, labels: tuple[str, ...], place: Place, root: Path) -> Reply:
    return Reply(load=place.load_record(check.text))


OWN: Mapping[str, CheckExtension] = {
    CheckMeans.COMMAND: CheckExtension(_command),
    CheckMeans.HTTP: CheckExtension(_http),
    CheckMeans.PROMETHEUS: CheckExtension(_prometheus),
    CheckMeans.SQL: CheckExtension(_sql),
    CheckMeans.LOAD: CheckExtension(_load),
}


def _asked_by_others(check: Check, labels: tuple[str, ...], place: Place, root: Path) -> Reply:
    """What a means from outside answers; whatever it raises is trouble, never a verdict."""
    extension = extensions.check(check.means)
    try:
        reply = http.within(
            check.timeout_us / 1_000_000, lambda: extension.ask(check, labels, place, root)
        )
    except (RolloutError, KeyboardInterrupt):
        raise
    except BaseException as error:  # an assertion, or what pytest raises, too
        raise RolloutError(f"{check.means}: {trouble(error)}") from error
    if not isinstance(reply, Reply):
        raise RolloutError(f"{check.means} gave {reply!r:.60}, which is no Reply")
    return reply


def surroundings(check: Check, place: Place) -> dict[str, str]:
    """What a command is told: the phase, the environment, and where its targets are."""
    variables = {"ROLLOUT_PHASE": place.id, "ROLLOUT_ENVIRONMENT": place.environment}
    for name in check.on:
        variables[target_variable(name)] = place.address(name)
    return variables
