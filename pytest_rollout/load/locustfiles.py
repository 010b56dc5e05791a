"""The locustfiles that a plan names: there, Python, and of users that arrivals are planned for.

None is imported here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_rollout.model.load import LoadProfile
from pytest_rollout.model.plan import Plan

_OURS = "LoadUser"
_LOCUSTS = frozenset({"FastHttpUser", "HttpUser", "User"})
# What a user is asked for, or holds, while it runs: a task or a value of that name replaces it.
_TAKEN = frozenset(
    {
        *("client", "environment", "fullname", "greenlet", "group", "planned", "process"),
        *("run", "start", "stop", "wait"),
    }
)
_NO_TASK = _TAKEN | {  # what a user may state, and what is no task
    *("abstract", "context", "fixed_count", "host", "on_start", "on_stop", "pacing", "rest"),
    *("rest_", "tasks", "wait_function", "wait_time", "weight"),
}


def locustfile_problems(plan: Plan, root: Path) -> Iterator[str]:
    """Yield each load whose locustfile is not there, cannot be read, or makes no such load."""
    told: set[str] = set()
    for load in plan.loads:
        for trouble in _troubles(load, root / load.locustfile):
            if trouble not in told:  # once, however many loads are of one file
                yield f"{plan.path}:{load.line}: load {load.id}: {load.locustfile}{trouble}"
            told.add(trouble)


def _troubles(load: LoadProfile, path: Path) -> Iterator[str]:
    if not path.is_file():
        yield " is not there"
        return
    try:
        module = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError) as error:
        yield f" cannot be read: {error}"
        return
    classes = {node.name: node for node in ast.walk(module) if isinstance(node, ast.ClassDef)}
    for node in classes.values():
        bases = _bases(node, classes)
        if load.open_loop and _OURS not in bases and bases & _LOCUSTS and not _abstract(node):
            base = min(bases & _LOCUSTS)
            yield (
                f":{node.lineno}: {node.name} is of locust's {base}, for which no arrivals are "
                f"planned (class {node.name}(LoadUser), of pytest_rollout.load.generator)"
            )
        if bases & {_OURS, *_LOCUSTS}:
            yield from _names(node)


def _bases(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> frozenset[str]:
    """The names of what a class is made of, as far as the file says."""
    names: set[str] = set()
    ahead = [node]
    while ahead:
        for base in ahead.pop().bases:
            name = _last(base)
            if name not in names and name in classes:
                ahead.append(classes[name])
            names.add(name)
    return frozenset(names)


def _names(node: ast.ClassDef) -> Iterator[str]:
    """Tasks and values of a user that have a name of locust's."""
    for stated in node.body:
        for name in _stated(stated):
            task = any(_is_task(decorator) for decorator in getattr(stated, "decorator_list", ()))
            if name in (_NO_TASK if task else _TAKEN):
                what = "a task" if task else f"a name of {node.name}"
                yield (
                    f":{stated.lineno}: `{name}` is locust's own name, and none for {what} "
                    f"(another one, as `{name}_it`)"
                )


def _stated(node: ast.stmt) -> Iterator[str]:
    """The names that a statement of a class gives to something."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.AnnAssign) and node.value and isinstance(node.target, ast.Name):
        yield node.target.id


def _is_task(decorator: ast.expr) -> bool:
    return _last(decorator.func if isinstance(decorator, ast.Call) else decorator) == "task"


def _abstract(node: ast.ClassDef) -> bool:
    return any("abstract" in _stated(stmt) for stmt in node.body)


def _last(node: ast.expr) -> str:
    """The last part of a dotted name, without what stands in brackets."""
    if isinstance(node, ast.Subscript):
        return _last(node.value)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
