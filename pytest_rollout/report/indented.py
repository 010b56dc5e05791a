"""Records as indented JSON, written in one pass: as ``json.dumps(encode(record), indent=2)``.

A decision of ten thousand checks is megabytes of text. Its JSON values, made first, would take many
times as much memory, and most of its parts say the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Sequence
from dataclasses import is_dataclass
from functools import cache
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any

from pytest_rollout.model.coding import encode, parts_of
from pytest_rollout.model.finding import Attempted, Reason

_SHARED = (Reason, Attempted)  # the same one stands in many findings


class Writer:
    """Collects the pieces of the text of one record."""

    def __init__(self, said: Callable[[Reason], str]) -> None:
        self._said = said
        self._pieces: list[str] = []
        self._known: dict[tuple[int, str], str] = {}  # of what is shared, by its id and margin

    def text(self, record: Any, *, without: tuple[str, ...] = ()) -> str:
        """Return the text of a record; of its later keys those that say nothing may be left out."""
        left_out = {name for name in without if not getattr(record, name)}
        self._record(record, "\n", left_out)
        self._pieces.append("\n")
        return "".join(self._pieces)

    def _write(self, value: Any, margin: str) -> None:
        """Write a value; ``margin`` is the end of the line before, and the spaces on its own."""
        kind: Any = type(value)
        if kind is str:
            self._pieces.append(_quoted(value))
        elif kind in _SHARED:
            key = id(value), margin
            if key not in self._known:
                self._known[key] = _laid_out(encode(value, self._said), margin)
            self._pieces.append(self._known[key])
        elif kind is tuple and value:
            self._sequence(value, margin)
        elif _is_record(kind):
            self._record(value, margin, ())
        else:
            self._pieces.append(_laid_out(encode(value, self._said), margin))

    def _sequence(self, values: tuple[Any, ...], margin: str) -> None:
        inner = f"{margin}  "
        first, next_ = f"[{inner}", f",{inner}"
        before = first
        for value in values:
            self._pieces.append(before)
            self._write(value, inner)
            before = next_
        self._pieces.append(f"{margin}]")

    def _record(self, record: Any, margin: str, left_out: Container[str]) -> None:
        inner, after = f"{margin}  ", f"{margin}}}"
        kind: Any = type(record)
        for before, name, labels in _keys(kind, inner):
            if name not in left_out:
                self._pieces.append(before)
                value = getattr(record, name)
                self._write(dict(value) if labels else value, inner)
        self._pieces.append(after)


@cache
def _keys(kind: Any, margin: str) -> Sequence[tuple[str, str, bool]]:
    """What stands before each field of a record: the same text for all records of a kind."""
    fields = enumerate(parts_of(kind))
    return [
        (f'{"," if place else "{"}{margin}"{name}": ', name, labels)
        for place, (name, labels) in fields
    ]


@cache
def _is_record(kind: Any) -> bool:
    return is_dataclass(kind)


def _laid_out(value: Any, margin: str) -> str:
    """As ``json.dumps(value, indent=2)``, which is several times as slow."""
    kind = type(value)
    if kind is str:
        return _quoted(value)
    inner = f"{margin}  "
    if kind is dict and value:
        parts = [f"{_quoted(key)}: {_laid_out(item, inner)}" for key, item in value.items()]
        return f"{{{inner}{f',{inner}'.join(parts)}{margin}}}"
    if kind is list and value:
        return f"[{inner}{f',{inner}'.join([_laid_out(item, inner) for item in value])}{margin}]"
    if value is None:
        return "null"
    if kind is int or kind is dict or kind is list:
        return repr(value)  # a number, or a container that holds nothing
    return json.dumps(value)
