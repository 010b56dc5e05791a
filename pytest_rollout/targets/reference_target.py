"""A complete reference target: an ASGI application with a clock, an operator and faults."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from pytest_rollout.targets.console import with_console
from pytest_rollout.targets.faults import Faults
from pytest_rollout.targets.operator import Operator, Step
from pytest_rollout.targets.reference import SETTING_VARIABLE, AsgiApp, Setting, identified
from pytest_rollout.targets.reference_clock import ReferenceClock

_Part = TypeVar("_Part")


class ReferenceTarget:
    """What a reference target stands on, from the setting in the environment.

    Started by hand, without a setting, its clock runs with the wall and it has no fault. Raises
    ValueError where the setting names a fault or a parameter that is not known.
    """

    def __init__(self, name: str, faults: Faults | None = None) -> None:
        by_hand = SETTING_VARIABLE not in os.environ
        setting = Setting.from_environ()
        self.name = name
        self.planted = (faults or Faults()).planted(setting.fault)
        self.folder = setting.folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.clock = ReferenceClock(setting.now, wall=_wall if by_hand else None)
        self.operator = Operator(self.clock)

    def part(self, kind: type[_Part]) -> _Part:
        """Return a part of the target: healthy, unless the fault is one of it."""
        return self.planted.of(kind)

    def step(self, name: str) -> Callable[[Step], Step]:
        """Have the operator learn the function below as a step."""

        def learnt(do: Step) -> Step:
            self.operator.learn(name, do)
            return do

        return learnt

    def serve(self, app: AsgiApp) -> AsgiApp:
        """Return the application with its console, identifying itself in every answer."""
        self.operator.app = app
        return identified(with_console(app, self.clock, self.operator), self.name)


def _wall() -> datetime:
    return datetime.now(UTC)
