"""The `load` fixture: a suite makes a load of its plan, and looks at its record."""

from __future__ import annotations

from pytest_rollout.model.load import LoadRecord
from pytest_rollout.session.observe import Observe
from pytest_rollout.session.stage import Stage


class LoadOfSuite:
    """Makes loads of the plan, each once in a phase.

    ``load("burst")`` gives the record of a load, and raises RolloutError where it cannot be
    believed. With ``observe`` its series are observed too, each once, for the rules of criteria:
    ``load("burst", observe=["load_latency", "load_failed"])``.
    """

    def __init__(self, stage: Stage, observe: Observe) -> None:
        self._stage = stage
        self._observe = observe

    def __repr__(self) -> str:
        return "load"  # as it appears in reasons, the same in every process

    def __call__(self, name: str, *, observe: str | list[str] | tuple[str, ...] = ()) -> LoadRecord:
        """The record of a load, made when the phase first asks for it."""
        series = (observe,) if isinstance(observe, str) else tuple(observe)
        if series:
            self._stage.observe_load(self._observe, name, *series)
        return self._stage.load(name)
