"""Scenarios: work that is done once per run and phase, and that several criteria read."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pytest_rollout.model.plan import Effect
from pytest_rollout.session.declared import Scenario, declare
from pytest_rollout.session.stage import Stage


def scenario(*, effect: str = "observe", own_target: bool = False) -> Callable[..., Any]:
    """Turn a function into a fixture that does its work once per run and phase.

    The function takes ``phase`` (a :class:`Stage`) among its fixtures, and may yield its
    result to clean up afterwards. ``effect`` is what the work does to the target: observe,
    change or disrupt; it is enforced before the work starts. With ``own_target`` the
    scenario's targets are started for it alone.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        if "phase" not in inspect.signature(function).parameters:
            raise TypeError(f"scenario {function.__name__}: it must take the fixture `phase`")
        facts = Scenario(function.__name__, Effect(effect), own_target)
        wrap = _yielding if inspect.isgeneratorfunction(function) else _returning
        run = wrap(function, facts)
        declare(run, facts)
        return pytest.fixture(scope="session")(run)

    return decorate


def _returning(function: Callable[..., Any], facts: Scenario) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(*, phase: Stage, **fixtures: Any) -> Any:
        with phase.scenario(facts) as stage:
            return function(phase=stage, **fixtures)

    return run


def _yielding(function: Callable[..., Any], facts: Scenario) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(*, phase: Stage, **fixtures: Any) -> Iterator[Any]:
        with phase.scenario(facts) as stage:
            work = function(phase=stage, **fixtures)
            result = next(work)
        yield result
        with phase.declared(facts):
            next(work, None)

    return run
