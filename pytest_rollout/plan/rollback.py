"""How a phase is rolled back, as a plan states it: `rollback` and `on_rollback`."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pytest_rollout.model.check import Check, CheckMeans, Effect
from pytest_rollout.model.plan import Gate
from pytest_rollout.model.rollback import Mode, Rollback, RollbackStep
from pytest_rollout.plan.checks import read_check, read_means
from pytest_rollout.plan.load_checks import NOT_BY_PYTEST
from pytest_rollout.plan.reader import Reader, nearest
from pytest_rollout.plan.spec.check_keys import (
    STEP,
    HttpKeys,
    StepCommandKeys,
    StepHttpKeys,
    StepKeys,
    StepSqlKeys,
)
from pytest_rollout.plan.spec.phase_keys import OnRollbackKeys, PhaseKeys, RollbackKeys
from pytest_rollout.plan.spec.shapes import ListOf
from pytest_rollout.plan.tree import Tree

_DOING: Mapping[CheckMeans, type[StepKeys]] = {
    CheckMeans.COMMAND: StepCommandKeys,
    CheckMeans.HTTP: StepHttpKeys,
    CheckMeans.SQL: StepSqlKeys,
}


def read_rollback(reader: Reader, phase: str, phases: Collection[str]) -> Rollback:
    """The steps under `rollback`, a list or `{mode, steps}`, and what `on_rollback` asks."""
    tree = reader.get(PhaseKeys.rollback)
    mode = Mode.ASK
    steps: tuple[RollbackStep, ...] = ()
    if tree is not None and isinstance(tree.value, Mapping):
        inner = reader.inner(tree, RollbackKeys, f"{reader.what}: rollback")
        mode = inner.get(RollbackKeys.mode)
        steps = _steps(inner, inner.get(RollbackKeys.steps), reader.what)
        inner.done()
        if not steps:
            inner.problem(tree.line, f"{inner.what} has no `steps`")
    elif tree is not None:
        items = reader.get_as(PhaseKeys.rollback, ListOf(STEP))
        steps = _steps(reader, items, reader.what)
    if mode is Mode.AUTO:
        _unasked(reader, steps)
    return Rollback(steps, mode, _revalidate(reader, phase, phases))


def _steps(reader: Reader, trees: list[Tree] | None, owner: str) -> tuple[RollbackStep, ...]:
    return tuple(_step(reader, tree, owner) for tree in trees or ())


def _step(reader: Reader, tree: Tree, owner: str) -> RollbackStep:
    if isinstance(tree.value, str):
        return RollbackStep(tree.value, line=tree.line)
    keys = tree.value if isinstance(tree.value, Mapping) else {}
    means = [means for means in _DOING if means.value in keys]
    place = _DOING[means[0]] if means else StepKeys
    inner = reader.inner(_with_method(tree), place, f"a rollback step of {owner}")
    says = inner.get(StepKeys.says)
    action = read_means(inner, means[0]) if means else None
    check = read_check(inner, StepKeys.check, None)
    inner.done(known=[means.value for means in _DOING])
    if inner.has(StepKeys.says) and says == "":
        inner.problem(inner.line, f"{inner.what} has no `says`", "people read it")
    if inner.is_mapping:
        _sound(inner, means, action, check)
    return RollbackStep(says or "", action, check, tree.line)


def _sound(
    reader: Reader, means: list[CheckMeans], action: Check | None, check: Check | None
) -> None:
    """Say where a step does several things, or its check does more than look."""
    if len(means) > 1:
        names = " and ".join(f"`{mean}`" for mean in means)
        reader.problem(reader.line, f"{reader.what} does {names}", "make each a step of its own")
    looks = check is None or check.means is CheckMeans.LOAD or check.effect is Effect.OBSERVE
    if check is not None and not looks:
        reader.problem(check.line, f"{reader.what}: its check has effect {check.effect.value}")
    if check is not None and check.means is CheckMeans.LOAD:
        reader.problem(check.line, f"{reader.what}: {NOT_BY_PYTEST}")
    if check is not None and check.fixtures:
        reader.problem(reader.line, f"{reader.what}: fixtures are set up by pytest only")


def _with_method(tree: Tree) -> Tree:
    """A step whose method stands before the path (http: POST /cancel), with a key for each."""
    keys = tree.value if isinstance(tree.value, Mapping) else {}
    http = keys.get(HttpKeys.http.name)
    method, space, path = (http.text if http else "").partition(" ")
    if http is None or not space or HttpKeys.method.name in keys:
        return tree
    apart = {
        HttpKeys.http.name: Tree(path.strip(), http.line, path.strip()),
        HttpKeys.method.name: Tree(method, http.line, method),
    }
    return Tree({**keys, **apart}, tree.line, tree.text)


def _unasked(reader: Reader, steps: tuple[RollbackStep, ...]) -> None:
    """What runs without a person says itself how to see that it is done."""
    for step in steps:
        if step.action is not None and step.check is None:
            problem = f"{reader.what}: `mode: auto`, and a step has no `check`"
            fix = "say what holds once it is done: check: {http: /health, on: TARGET}"
            reader.problem(step.line, problem, fix)


def _revalidate(reader: Reader, phase: str, phases: Collection[str]) -> tuple[str, ...]:
    """The gates that must be GO anew; of a phase its exit."""
    tree = reader.get(PhaseKeys.on_rollback)
    if tree is None:
        return ()
    inner = reader.inner(tree, OnRollbackKeys, f"{reader.what}: on_rollback")
    gates = []
    words = inner.get(OnRollbackKeys.revalidate) or ()
    line = inner.line_of(OnRollbackKeys.revalidate)
    for word in words:
        name, slash, gate = word.partition("/")
        if name not in phases:
            fix = nearest(name, phases)
            inner.problem(line, f"{inner.what}: unknown phase `{name}`", fix)
        elif slash and gate not in tuple(Gate):
            inner.problem(line, f"{inner.what}: a gate is entry or exit, not `{gate}`")
        elif name == phase and gate != Gate.ENTRY:
            problem = f"{inner.what}: the exit of {phase} cannot be decided before it begins again"
            inner.problem(line, problem, f"revalidate: [{phase}/entry]")
        else:
            gates.append(word if slash else f"{name}/{Gate.EXIT}")
    inner.done()
    if not words:
        fix = "on_rollback: {revalidate: [day0, day3/entry]}"
        inner.problem(tree.line, f"{inner.what} revalidates nothing", fix)
    return tuple(dict.fromkeys(gates))
