"""Items that a plan states itself: each `check:` becomes a test of the plan's file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

from pytest_rollout.checks.ask import ask
from pytest_rollout.checks.expect import status_is_good, unmet
from pytest_rollout.checks.measure import labels_of, measured
from pytest_rollout.model.check import Check, item_name
from pytest_rollout.model.errors import NoValueError, RolloutError
from pytest_rollout.model.plan import Criterion, Phase, Plan
from pytest_rollout.session.observe import Observe
from pytest_rollout.session.seams import ModuleInMemory
from pytest_rollout.session.stage import Stage


class Planned:
    """Collects the files of plans that state checks; registered only where one does."""

    def __init__(self, plans: Iterable[Plan], root: Path) -> None:
        self._plans = {root / plan.path: plan for plan in plans}

    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> pytest.Collector | None:
        """A plan's file, where pytest comes across it."""
        plan = self._plans.get(file_path)
        if plan is None:
            return None
        file: PlanFile = PlanFile.from_parent(parent, path=file_path)
        file.plan = plan
        return file


class PlanFile(ModuleInMemory):
    """A plan as a module of tests, so that fixtures and hooks find what they know."""

    plan: Plan

    def module(self) -> ModuleType:
        """The plan's checks, a function each."""
        module = ModuleType(self.plan.id, f"The checks that {self.plan.path} states.")
        root = self.session.config.rootpath
        for phase, criterion in self.plan.criteria():
            if criterion.check is not None:
                test = _test(self.plan, phase, criterion, root)
                test.__module__ = module.__name__
                setattr(module, item_name(phase.id, criterion.id), test)
        return module


def _test(plan: Plan, phase: Phase, criterion: Criterion, root: Path) -> Any:
    """A test function whose place is the criterion's line of the plan."""
    assert criterion.check is not None

    def check(phase: Stage, observe: Observe) -> None:
        __tracebackhide__ = True
        perform(criterion, phase, observe, root)

    code = check.__code__.replace(
        co_filename=str(root / plan.path), co_firstlineno=max(criterion.line, 1)
    )
    test: Any = FunctionType(
        code, check.__globals__, item_name(phase.id, criterion.id), None, check.__closure__
    )
    test.__test__ = True  # whatever `python_functions` says
    test.pytestmark = list(_marks(phase, criterion, criterion.check))
    return test


def _marks(phase: Phase, criterion: Criterion, check: Check) -> Iterable[pytest.Mark]:
    yield pytest.mark.criterion(f"{phase.id}.{criterion.id}").mark
    yield pytest.mark.effect(check.effect.value).mark
    if check.fixtures:
        yield pytest.mark.usefixtures(*check.fixtures).mark
    if criterion.when and not os.environ.get(criterion.when.configured):
        yield pytest.mark.skip(reason=f"{criterion.when.configured} is not configured").mark


def perform(criterion: Criterion, stage: Stage, observe: Observe, root: Path) -> None:
    """Ask, keep what was answered, expect, and observe the numbers that a rule judges."""
    __tracebackhide__ = True
    check, rule = criterion.check, criterion.rule
    assert check is not None
    answer = ask(check, labels_of(rule), stage, root)
    for name, said in answer.said.items():
        if said.text:
            observe.attach(f"{criterion.id}.{name}.txt", said.text)
    if answer.trouble:
        raise RolloutError(answer.trouble)
    wrong = unmet(check, answer)
    if wrong and rule and not check.expect.status and not status_is_good(check, answer.status):
        raise RolloutError(f"nothing was measured: {wrong[0]}")
    if wrong:
        pytest.fail("; ".join(wrong), pytrace=False)
    if rule is not None and answer.load is not None:
        stage.observe_load(observe, check.text, rule.metric)
    elif rule is not None:
        readings = list(measured(check, rule, answer))
        if not readings:
            raise NoValueError("the command printed no sample")
        for reading in readings:
            observe(rule.metric, reading.value, at=reading.at, **reading.labels)
