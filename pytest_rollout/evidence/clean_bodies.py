"""Bodies and observations as they may be kept: without secrets, and not longer than useful."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pytest_rollout.evidence.bodies import Body
from pytest_rollout.evidence.body_texts import Kept, Most
from pytest_rollout.evidence.records import Observation
from pytest_rollout.redact import cap, cap_apart, hide

_MOST_LABEL = 500  # characters

_Clean = Callable[[Any], Any]


def redacted(body: Body) -> Body:
    """Return a body whose texts are without secrets; ids stay as they are."""
    clean: _Clean = _cleaner(type(body))  # type: ignore[arg-type]  # a class is hashable
    return clean(body)  # type: ignore[no-any-return]


def redacted_rows(observations: Sequence[Observation]) -> tuple[Observation, ...]:
    """Return observations without secrets, each in a slot of its own.

    Long labels are cut, each to a text of its own. Where two slots of one item are the same,
    perhaps because a secret told them apart, they are numbered in their order.
    """
    if not observations:
        return ()
    clean, label = cache(hide), cache(lambda text: cap_apart(text, _MOST_LABEL))
    clean_labels = cache(lambda pairs: tuple((label(key), label(text)) for key, text in pairs))
    used: set[tuple[object, ...]] = set()
    following: dict[tuple[object, ...], int] = {}
    cleaned = []
    for observation in observations:
        slot = (clean(observation.metric), clean_labels(observation.labels), observation.t_us)
        after = following.get(slot, 0)
        seq = after if (*slot, observation.seq) in used else observation.seq
        used.add((*slot, seq))
        following[slot] = max(after, seq + 1)
        if (*slot, seq) == (
            observation.metric,
            observation.labels,
            observation.t_us,
            observation.seq,
        ):
            cleaned.append(observation)
        else:
            cleaned.append(replace(observation, metric=slot[0], labels=slot[1], seq=seq))
    return tuple(cleaned)


def _same(value: Any) -> Any:
    return value


@cache
def _cleaner(hint: Any) -> _Clean:
    """What makes a value of a type fit to be kept."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is str:
        return hide
    if origin is Annotated:
        marks = hint.__metadata__
        if any(isinstance(mark, Kept) for mark in marks):
            return _same
        most = next(mark.characters for mark in marks if isinstance(mark, Most))
        return lambda text: cap(text, most)
    if origin in (Union, types.UnionType):
        (present,) = (part for part in inner if part is not type(None))
        return _optional(_cleaner(present))
    if origin is tuple:
        return _sequence(inner)
    if origin is not None:  # a mapping
        key, item = map(_cleaner, inner)
        return lambda held: {key(name): item(value) for name, value in held.items()}
    return _record(hint) if is_dataclass(hint) else _same


def _optional(clean: _Clean) -> _Clean:
    return lambda value: None if value is None else clean(value)


def _sequence(inner: tuple[Any, ...]) -> _Clean:
    if inner[-1] is Ellipsis:
        clean = _cleaner(inner[0])
        if clean is _same:
            return _same
        return lambda held: tuple(map(clean, held)) if held else held
    each = tuple(map(_cleaner, inner))
    return lambda held: tuple(part(value) for part, value in zip(each, held, strict=True))


def _record(kind: Any) -> _Clean:
    hints = get_type_hints(kind, include_extras=True)
    each = [
        (field.name, clean)
        for field in fields(kind)
        if (clean := _cleaner(hints[field.name])) is not _same
    ]

    def clean_record(held: Any) -> Any:
        changed = {}
        for name, clean in each:
            before = getattr(held, name)
            if before and (after := clean(before)) != before:  # what is empty hides nothing
                changed[name] = after
        return replace(held, **changed) if changed else held

    return clean_record
