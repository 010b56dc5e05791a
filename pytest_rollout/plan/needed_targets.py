"""Whether the targets that a plan asks are those of its environments."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.model.check import Check, CheckMeans, Effect
from pytest_rollout.model.plan import Environment, Plan
from pytest_rollout.model.requests import changes, methods_of
from pytest_rollout.model.spelling import nearest
from pytest_rollout.plan.spec.check_keys import METHODS


def target_problems(plan: Plan) -> Iterator[tuple[int, str, str]]:
    """Targets that checks and steps name and environments lack, or that are of another sort."""
    for name, check in _asking(plan):
        yield from _undeclared(name, check, plan)
        for environment in plan.environments.values():
            if environment.targets:
                yield from _unfit(name, check, environment)


def _asking(plan: Plan) -> Iterator[tuple[str, Check]]:
    """Everything that asks a target, with its name in messages."""
    for phase in plan.phases:
        for criterion in phase.criteria:
            if criterion.check:
                yield f"criterion {criterion.id}", criterion.check
        for guardrail in phase.guardrails:
            if guardrail.check:
                yield f"guardrail {guardrail.id}", guardrail.check
        for number, step in enumerate(phase.rollback.steps, 1):
            for check in (step.action, step.check):
                if check:
                    yield f"rollback step {number} of phase {phase.id}", check


def _unfit(name: str, check: Check, environment: Environment) -> Iterator[tuple[int, str, str]]:
    where = f"{name}: environment {environment.name}"
    for on in check.on:
        target = environment.targets.get(on)
        if target is None:
            yield check.line, f"{where} has no target `{on}`", nearest(on, environment.targets)
        elif check.means is CheckMeans.SQL and target.serve:
            yield check.line, f"{where} serves `{on}`: `sql` asks a file", "on: a file's target"
        elif check.means in (CheckMeans.HTTP, CheckMeans.PROMETHEUS) and target.file:
            problem = f"{where}: `{on}` is a file, which answers no HTTP"
            yield check.line, problem, "on: a served target, or one with a url"


def _undeclared(name: str, check: Check, plan: Plan) -> Iterator[tuple[int, str, str]]:
    """A request that may change a target, and does not say so: targets refuse it, too."""
    known = check.means is CheckMeans.HTTP and check.method in METHODS
    if not known or check.effect is not Effect.OBSERVE:
        return
    methods, path = methods_of(check.method, check.headers), check.text.partition("?")[0]
    environments = plan.environments.values()
    asked = [
        environment.targets[on]
        for environment in environments
        for on in check.on
        if on in environment.targets
    ]
    if changes(methods, path) and (
        not asked or any(changes(methods, path, target.reads) for target in asked)
    ):
        shown = " as ".join(methods)
        fix = f'effect: change, or where it only reads, at its target: reads: ["{shown} {path}"]'
        yield check.line, f"{name}: check: {shown} {path} does more than observe", fix
