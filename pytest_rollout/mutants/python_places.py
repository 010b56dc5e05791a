"""Where a change of a node is in the text of its module."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from functools import cache
from typing import Any

import libcst as cst

from pytest_rollout.late_dataclass import dataclass

_NEWLINE = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Place:
    """A piece of a text: its first character, and the first one behind it."""

    start: int
    end: int
    expression: bool = True


class Lines:
    """Where the lines of a text begin, as Python counts them."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in _NEWLINE.finditer(text))]
        self._length = len(text)

    def offset(self, line: int, column: int) -> int:
        """Return the character of a line, counted from 1, and a column, counted from 0."""
        if line > len(self._starts):
            return self._length
        return min(self._starts[line - 1] + column, self._length)


def children(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield the nodes right below one."""
    for name in _names(type(node)):
        value = getattr(node, name)
        if type(value) in (list, tuple):
            yield from (child for child in value if isinstance(child, cst.CSTNode))
        elif isinstance(value, cst.CSTNode):
            yield value


@cache
def _names(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


Find = Callable[[cst.CSTNode], Place | None]
Change = tuple[Place, cst.CSTNode | str]


def smallest(old: cst.CSTNode, new: cst.CSTNode, find: Find) -> Change | None:
    """The smallest piece in which two nodes differ, and what takes its place.

    None where its place is not known.
    """
    if isinstance(old, cst.AugAssign) and isinstance(new, cst.Assign):
        place = find(old.operator)
        return None if place is None else (place, "=")
    changed = _changed_fields(old, new) if type(old) is type(new) else []
    if len(changed) == 1:
        before, after = changed[0]
        if isinstance(before, cst.CSTNode) and isinstance(after, cst.CSTNode):
            return smallest(before, after, find)
        if isinstance(before, tuple | list) and isinstance(after, tuple | list):
            inner = _in_list(before, after, find)
            if inner is not None:
                return inner
    place = find(old)
    return None if place is None else (place, new)


def _changed_fields(old: cst.CSTNode, new: cst.CSTNode) -> list[tuple[Any, Any]]:
    pairs = ((getattr(old, name), getattr(new, name)) for name in _names(type(old)))
    return [(before, after) for before, after in pairs if not _alike(before, after)]


def _in_list(before: Sequence[Any], after: Sequence[Any], find: Find) -> Change | None:
    """The change between two lists: in one of their nodes, or the loss of one."""
    differ = [at for at in range(len(after)) if not _alike(before[at], after[at])]
    if len(before) == len(after) and len(differ) == 1:
        return smallest(before[differ[0]], after[differ[0]], find)
    if len(before) != len(after) + 1:
        return None
    gone = differ[0] if differ else len(after)
    mine = find(before[gone])
    beside = find(before[gone + 1] if gone + 1 < len(before) else before[gone - 1])
    if mine is None or beside is None or len(before) == 1:
        return None
    if beside.start > mine.start:
        return Place(mine.start, beside.start), ""
    return Place(beside.end, mine.end), ""


def _alike(before: object, after: object) -> bool:
    if before is after:
        return True
    if isinstance(before, cst.CSTNode) and isinstance(after, cst.CSTNode):
        return before.deep_equals(after)
    if isinstance(before, tuple | list) and isinstance(after, tuple | list):
        return len(before) == len(after) and all(map(_alike, before, after))
    return before == after
