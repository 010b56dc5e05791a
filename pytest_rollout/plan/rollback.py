"""How a phase is rolled back, as a plan states it: `rollback` and `on_rollback`."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pytest_rollout.model.check import Check, CheckMeans, Effect
from pytest_rollout.model.plan import Gate
from pytest_rollout.model.rollback import Mode, Rollback, RollbackStep
from pytest_rollout.plan.checks import read_check, read_means
from pytest_rollout.plan.reader import Reader, nearest
from pytest_rollout.plan.tree import Tree

_DOING = (CheckMeans.COMMAND, CheckMeans.HTTP, CheckMeans.SQL)


def read_rollback(reader: Reader, phase: str, phases: Collection[str]) -> Rollback:
    """The steps under `rollback`, a list or `{mode, steps}`, and what `on_rollback` asks."""
    tree = reader.tree("rollback")
    mode = Mode.ASK
    steps: tuple[RollbackStep, ...] = ()
    if tree is not None and isinstance(tree.value, Mapping):
        inner = reader.reader(tree, f"{reader.what}: rollback")
        mode = inner.choice("mode", Mode, Mode.ASK)
        steps = _steps(inner, "steps", reader.what)
        inner.done()
        if not steps:
            inner.problem(tree.line, f"{inner.what} has no `steps`")
    elif tree is not None:
        steps = _steps(reader, "rollback", reader.what)
    if mode is Mode.AUTO:
        _unasked(reader, steps)
    return Rollback(steps, mode, _revalidate(reader, phase, phases))


def _steps(reader: Reader, key: str, what: str) -> tuple[RollbackStep, ...]:
    return tuple(_step(reader, tree, what) for tree in reader.items(key))


def _step(reader: Reader, tree: Tree, what: str) -> RollbackStep:
    if isinstance(tree.value, str):
        return RollbackStep(tree.value, line=tree.line)
    inner = reader.reader(_with_method(tree), f"a rollback step of {what}")
    says = inner.text("says")
    means = [one for one in _DOING if inner.has(one.value)]
    action = read_means(inner, means[0], Effect.CHANGE) if means else None
    check = read_check(inner, None)
    for key in (*_DOING, "on"):
        inner.tree(key)
    inner.done()
    if isinstance(tree.value, Mapping):
        _sound(inner, says, means, action, check)
    return RollbackStep(says, action, check, tree.line)


def _sound(
    reader: Reader, says: str, means: list[CheckMeans], action: Check | None, check: Check | None
) -> None:
    """That people can read a step, that it does one thing, and that its check only looks."""
    if not says:
        reader.problem(reader.line, f"{reader.what} has no `says`", "people read it")
    if len(means) > 1:
        names = " and ".join(f"`{one}`" for one in means)
        reader.problem(reader.line, f"{reader.what} does {names}", "make each a step of its own")
    if check is not None and check.effect is not Effect.OBSERVE:
        reader.problem(check.line, f"{reader.what}: its check has effect {check.effect.value}")
    if any(one is not None and one.fixtures for one in (action, check)):
        reader.problem(reader.line, f"{reader.what}: fixtures are set up by pytest only")
    if action is not None and action.json:
        reader.problem(reader.line_of("json"), f"{reader.what}: no rule judges a number")
    if action is not None and action.expect.value is not None:
        what = f"{reader.what}: a change gives no value to expect"
        reader.problem(reader.line_of("expect"), what, "ask for it in the step's `check`")


def _with_method(tree: Tree) -> Tree:
    """A step whose method stands before the path (http: POST /cancel), with a key for each."""
    keys = tree.value if isinstance(tree.value, Mapping) else {}
    http = keys.get("http")
    method, space, path = (http.text if http else "").partition(" ")
    if http is None or not space or "method" in keys:
        return tree
    apart = {
        "http": Tree(path.strip(), http.line, path.strip()),
        "method": Tree(method, http.line, method),
    }
    return Tree({**keys, **apart}, tree.line, tree.text)


def _unasked(reader: Reader, steps: tuple[RollbackStep, ...]) -> None:
    """What runs without a person says itself how to see that it is done."""
    for step in steps:
        if step.action is not None and step.check is None:
            what = f"{reader.what}: `mode: auto`, and a step has no `check`"
            fix = "say what holds once it is done: check: {http: /health, on: TARGET}"
            reader.problem(step.line, what, fix)


def _revalidate(reader: Reader, phase: str, phases: Collection[str]) -> tuple[str, ...]:
    """The gates that must be GO anew; of a phase its exit."""
    tree = reader.tree("on_rollback")
    if tree is None:
        return ()
    inner = reader.reader(tree, f"{reader.what}: on_rollback")
    found = []
    for word in inner.words("revalidate"):
        line = inner.line_of("revalidate")
        name, slash, gate = word.partition("/")
        if name not in phases:
            fix = nearest(name, phases)
            inner.problem(line, f"{inner.what}: unknown phase `{name}`", fix)
        elif slash and gate not in tuple(Gate):
            inner.problem(line, f"{inner.what}: a gate is entry or exit, not `{gate}`")
        elif name == phase and gate != Gate.ENTRY:
            what = f"{inner.what}: the exit of {phase} cannot be decided before it begins again"
            inner.problem(line, what, f"revalidate: [{phase}/entry]")
        else:
            found.append(word if slash else f"{name}/{Gate.EXIT}")
    inner.done()
    if not inner.words("revalidate"):
        fix = "on_rollback: {revalidate: [day0, day3/entry]}"
        inner.problem(tree.line, f"{inner.what} revalidates nothing", fix)
    return tuple(dict.fromkeys(found))
