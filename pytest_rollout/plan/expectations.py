"""What a check expects of its answer: statuses, texts, JSON, one value."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_rollout.model.check import CheckMeans, Expect, Wording
from pytest_rollout.plan.reader import Reader
from pytest_rollout.plan.spec.check_keys import (
    CommandKeys,
    ExpectCommandKeys,
    ExpectHttpKeys,
    ExpectKeys,
    ExpectSqlKeys,
    WordingKeys,
)
from pytest_rollout.plan.spec.keys import Key, Keys
from pytest_rollout.plan.spec.values import NAME
from pytest_rollout.plan.tree import Tree, plain

EXPECTED: Mapping[CheckMeans, type[Keys]] = {
    CheckMeans.COMMAND: ExpectCommandKeys,
    CheckMeans.HTTP: ExpectHttpKeys,
    CheckMeans.SQL: ExpectSqlKeys,
}
TEXTS: Mapping[CheckMeans, tuple[Key[Tree | None], ...]] = {
    CheckMeans.COMMAND: (ExpectCommandKeys.stdout, ExpectCommandKeys.stderr),
    CheckMeans.HTTP: (ExpectHttpKeys.body,),
}
_STATUS: Mapping[CheckMeans, tuple[Key[Tree | None], int, int]] = {
    CheckMeans.COMMAND: (ExpectCommandKeys.exit, 0, 255),
    CheckMeans.HTTP: (ExpectHttpKeys.status, 100, 599),
}


def read_expect(reader: Reader, means: CheckMeans) -> Expect:
    """Return what a check expects by one means; nothing where it says nothing."""
    tree = reader.get(CommandKeys.expect)
    if tree is None:
        return Expect()
    inner = reader.inner(tree, EXPECTED[means], f"{reader.what}: expect")
    if means is CheckMeans.SQL:
        expect = Expect(value=_value(inner))
    else:
        json = inner.get(ExpectKeys.json)
        if json is not None and not isinstance(json.value, (list, Mapping)):
            inner.problem(json.line, f"{inner.what}: `json` is no object", "json: {status: ok}")
        wordings = (_wording(inner, key) for key in TEXTS[means])
        expect = Expect(
            status=_statuses(inner, *_STATUS[means]),
            wordings=tuple(wording for wording in wordings if wording is not None),
            json=plain(json) if json else None,
        )
    inner.done()
    if tree.value == {}:
        inner.problem(tree.line, f"{inner.what}: it expects nothing")
    return expect


def _value(reader: Reader) -> object:
    tree = reader.get(ExpectSqlKeys.value)
    if tree is None:
        return None
    if isinstance(tree.value, (list, Mapping)) or tree.value is None:
        problem = f"{reader.what}: `value` is not a single value"
        reader.problem(tree.line, problem, "NULL is no value: count the rows instead")
    return plain(tree)


def _statuses(reader: Reader, key: Key[Tree | None], least: int, most: int) -> tuple[int, ...]:
    tree = reader.get(key)
    if tree is None:
        return ()
    items = tree.value if isinstance(tree.value, list) else [tree]
    statuses = []
    for item in items:
        if type(item.value) is int and least <= item.value <= most:
            statuses.append(item.value)
        else:
            problem = f"`{key.name}` is a number from {least} to {most}, or a list of them"
            reader.say(item.line, problem)
    if not items:
        reader.say(tree.line, f"`{key.name}` allows nothing")
    return tuple(statuses)


def _wording(reader: Reader, key: Key[Tree | None]) -> Wording | None:
    tree = reader.get(key)
    if tree is None:
        return None
    if not isinstance(tree.value, Mapping):
        return Wording(key.name, exactly=(reader.get_as(key, NAME) or "").strip())
    inner = reader.inner(tree, WordingKeys, f"{reader.what}: {key.name}")
    has, lacks = inner.get(WordingKeys.has), inner.get(WordingKeys.lacks)
    wording = Wording(key.name, None, has or (), lacks or (), inner.get(WordingKeys.matches))
    inner.done()
    if not (wording.has or wording.lacks or wording.matches):
        inner.problem(tree.line, f"{inner.what}: it expects nothing", f"{key.name}: {{has: ok}}")
    return wording
