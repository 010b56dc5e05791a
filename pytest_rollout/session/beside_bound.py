"""What `rollout check` is told of collected items, beside what they are bound to."""

from __future__ import annotations

from collections.abc import Container, Iterable

import pytest

from pytest_rollout.session.item_marks import effect_of
from pytest_rollout.session.leaving_out import for_rehearsals
from pytest_rollout.session.seams import passes_by_marks


def unasked(items: Iterable[pytest.Item], bound: Container[str]) -> list[str]:
    """Return the ids of items that are bound to nothing.

    Not those whose marks skip them here or expect them to fail: bound, they could only hold a gate.
    """
    names = {item.nodeid: item for item in items if item.nodeid not in bound}
    return [name for name, item in names.items() if passes_by_marks(item)]


def effects(items: Iterable[pytest.Item], bound: Container[str]) -> dict[str, str]:
    """Return what bound items declare that they do to real targets, beyond looking at them."""
    real = [item for item in items if item.nodeid in bound and not for_rehearsals(item)]
    declared = {item.nodeid: effect_of(item) for item in real}
    return {node: effect.value for node, effect in declared.items() if effect.rank}
