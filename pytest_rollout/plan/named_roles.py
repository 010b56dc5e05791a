"""Roles that a phase or a criterion names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pytest_rollout.plan.reader import Reader, nearest
from pytest_rollout.plan.spec.criterion_keys import ByKeys, CriterionKeys
from pytest_rollout.plan.spec.keys import Key
from pytest_rollout.plan.spec.values import NAMES


def read_roles(reader: Reader, key: Key[Any], known: Collection[str]) -> tuple[str, ...]:
    """Return the roles under a key; one that the plan does not list is told of."""
    words = reader.get_as(key, NAMES) or ()
    for word in words:
        if known and word not in known:
            problem = f"{reader.what}: unknown role `{word}`"
            reader.problem(reader.line_of(key), problem, nearest(word, known))
    return words


def read_by(reader: Reader, known: Collection[str]) -> tuple[tuple[str, ...], bool]:
    """Return the roles that attest a criterion, and whether each of them must."""
    tree = reader.tree(CriterionKeys.by)
    if tree is None or not isinstance(tree.value, Mapping):
        return read_roles(reader, CriterionKeys.by, known), False
    inner = reader.inner(tree, ByKeys, f"{reader.what}: by")
    roles = read_roles(inner, ByKeys.each, known)
    if roles and len(set(roles)) < max(2, len(roles)):
        inner.say(inner.line_of(ByKeys.each), "`each` is a list of two or more different roles")
    inner.done()
    return roles, True
