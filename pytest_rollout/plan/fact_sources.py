"""Where a plan says that a fact is read: `release` and `configuration`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pytest_rollout.model.plan import FactSource, Plan
from pytest_rollout.plan.reader import Reader, nearest
from pytest_rollout.plan.spec.keys import Key
from pytest_rollout.plan.spec.plan_keys import PlanKeys, ReadingKeys
from pytest_rollout.plan.tree import Tree

_WAYS: tuple[Key[Any], ...] = (ReadingKeys.target, ReadingKeys.command, ReadingKeys.variable)
# What a way of reading takes beside it.
_BESIDE: Mapping[str, tuple[Key[Any], ...]] = {
    "target": (ReadingKeys.path, ReadingKeys.json, ReadingKeys.header, ReadingKeys.headers),
    "command": (ReadingKeys.json,),
    "variable": (),
}
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SECRET = re.compile(r"auth|cookie|token|secret|key|passw", re.IGNORECASE)


def read_source(reader: Reader, key: Key[Tree | None]) -> FactSource | None:
    """Return where a key of the plan says that a fact is read; None where it is absent or broken.

    Exactly one way is stated: a page of a target, a command, or a variable.
    """
    tree = reader.get(key)
    if tree is None:
        return None
    inner = reader.inner(tree, ReadingKeys, key.name)
    source = FactSource(
        target=inner.get(ReadingKeys.target) or "",
        path=inner.get(ReadingKeys.path) or "",
        json=inner.get(ReadingKeys.json),
        header=_header(inner),
        headers=_headers(inner),
        command=_command(inner),
        variable=_variable(inner),
        matches=inner.get(ReadingKeys.matches) or "",
    )
    inner.done()
    return source if inner.is_mapping and _one_way(inner) else None


def _one_way(reader: Reader) -> bool:
    """Whether exactly one way is stated, with what belongs to it and nothing else."""
    ways = [way for way in _WAYS if reader.has(way)]
    stated = [key for key in ReadingKeys.stated() if reader.has(key)]
    if not ways:
        asked = any(key.name in ("path", "header", "headers") for key in stated)
        fix = "{target: web, path: /version}, {command: [...]} or {variable: GIT_SHA}"
        needed = "`target` and `path`" if asked else "one of `target`, `command` and `variable`"
        reader.problem(reader.line, f"`{reader.what}` needs {needed}", fix)
        return False
    if len(ways) > 1:
        both = " and ".join(f"`{way.name}`" for way in ways)
        problem = f"{reader.what}: {both} exclude each other: it is read in one way"
        reader.problem(reader.line_of(ways[1]), problem, f"leave out `{ways[1].name}`")
        return False
    (way,) = ways
    fits = {way.name, ReadingKeys.matches.name, *(key.name for key in _BESIDE[way.name])}
    for key in (key for key in stated if key.name not in fits):
        problem = f"{reader.what}: `{key.name}` does not go with `{way.name}`"
        reader.problem(reader.line_of(key), problem, f"leave out `{key.name}`")
    if way is ReadingKeys.target and not reader.has(ReadingKeys.path):
        reader.problem(reader.line, f"`{reader.what}` needs `target` and `path`", "path: /version")
        return False
    if reader.has(ReadingKeys.header) and reader.has(ReadingKeys.json):
        problem = f"{reader.what}: `header` and `json` exclude each other: it stands in one place"
        reader.problem(reader.line_of(ReadingKeys.json), problem, "leave out `json`")
        return False
    return True


def _header(reader: Reader) -> str:
    name = reader.get(ReadingKeys.header) or ""
    if name and not _HEADER.fullmatch(name):
        line = reader.line_of(ReadingKeys.header)
        reader.problem(line, f"{reader.what}: `{name}` is no header of HTTP", "header: X-Release")
    return name


def _headers(reader: Reader) -> dict[str, str]:
    headers = reader.get(ReadingKeys.headers) or {}
    line = reader.line_of(ReadingKeys.headers)
    for name, value in headers.items():
        if not _HEADER.fullmatch(name) or not value.isprintable():
            reader.problem(line, f"{reader.what}: `{name}` is no header of HTTP")
        elif _SECRET.search(name) and "${" not in value:
            problem = f"{reader.what}: `{name}` is a secret, not written out"
            reader.problem(line, problem, f"{name}: ${{NAME}}, set in the environment")
    return headers


def _command(reader: Reader) -> tuple[str, ...]:
    tree = reader.get(ReadingKeys.command)
    if tree is None:
        return ()
    if not isinstance(tree.value, list) or not tree.value:
        shown = ", ".join(tree.text.split()[:4]) if isinstance(tree.value, str) else ""
        problem = f"{reader.what}: `command` is a list of a program and its words"
        reader.problem(tree.line, problem, f"command: [{shown or 'bin/release'}]")
        return ()
    words = reader.names(ReadingKeys.command, tree.value)
    if any("\0" in word for word in words):
        reader.problem(tree.line, f"{reader.what}: `command` holds a character that no word has")
    return words


def _variable(reader: Reader) -> str:
    name = reader.get(ReadingKeys.variable) or ""
    bare = name.removeprefix("$").strip("{}")
    if reader.has(ReadingKeys.variable) and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        fix = bare if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", bare) else "GIT_SHA"
        problem = f"{reader.what}: `variable` is the name of a variable, not {name!r:.60}"
        reader.problem(reader.line_of(ReadingKeys.variable), problem, f"variable: {fix}")
    return name


def source_targets(reader: Reader, plan: Plan) -> None:
    """Say which environments lack the target that a fact is read from."""
    facts = (
        (PlanKeys.release, plan.release),
        (PlanKeys.configuration, plan.configuration),
        (PlanKeys.author, plan.author),
    )
    for key, source in facts:
        if source is None or not source.asks_target:
            continue
        for environment in plan.environments.values():
            if environment.targets and source.target not in environment.targets:
                reader.problem(
                    reader.line_of(key),
                    f"environment {environment.name} has no target `{source.target}`",
                    nearest(source.target, environment.targets),
                )
