"""Records as JSON values and back, and the JSON Schema of both: one shape, read off the types."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

from pytest_rollout.model.finding import Fact, Labels, Reason

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_DEFINITIONS = "#/$defs/"


def encode(value: Any, said: Callable[[Reason], str] | None = None) -> Any:
    """Return a record as JSON values: objects, arrays, texts, numbers; labels are one object.

    ``said`` gives the sentence of a reason, which then stands beside its code and facts.
    """
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return _encode_record(value, said)
    if isinstance(value, Mapping):
        return {str(key): encode(item, said) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(item, said) for item in value]
    return value


def _encode_record(value: Any, said: Callable[[Reason], str] | None) -> dict[str, Any]:
    if isinstance(value, Reason):
        shape = {"code": value.code, "facts": encode(value.facts, said)}
        return shape if said is None else {**shape, "text": said(value)}
    return {
        name: dict(getattr(value, name)) if hint == Labels else encode(getattr(value, name), said)
        for name, hint in _hints(value.__class__).items()
    }


def decode(hint: Any, data: Any) -> Any:
    """Return the record of a type from JSON values; raises ValueError where they are not one."""
    if isinstance(hint, NewType):
        return decode(hint.__supertype__, data)
    if hint is Reason:
        return _reason(_mapping(data))
    if hint == Labels:
        return tuple((key, str(value)) for key, value in _mapping(data).items())
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        (kept,) = (one for one in inner if one is not type(None))
        return None if data is None else decode(kept, data)
    if origin is tuple:
        if not isinstance(data, list):
            raise ValueError(f"{data!r:.60} is no array")
        return tuple(_items(inner, data))
    if origin is not None:  # a mapping
        return {key: decode(inner[1], item) for key, item in _mapping(data).items()}
    if is_dataclass(hint):
        return _record(hint, _mapping(data))
    if issubclass(hint, Enum):
        return hint(data)
    if hint is float and type(data) is int:
        return float(data)
    if type(data) is not hint:
        raise ValueError(f"{data!r:.60} is no {_PLAIN[hint]}")
    return data


def _items(inner: tuple[Any, ...], data: list[Any]) -> Iterator[Any]:
    """The items of an array: all of one type, or each of its own."""
    if inner[-1] is Ellipsis:
        inner = inner[:1] * len(data)
    if len(inner) != len(data):
        raise ValueError(f"{data!r:.60} has not {len(inner)} items")
    return (decode(hint, item) for hint, item in zip(inner, data, strict=True))


def _record(kind: Any, data: Mapping[str, Any]) -> Any:
    hints = _hints(kind)
    missing = [name for name in _required(kind) if name not in data]
    if missing:
        raise ValueError(f"no `{missing[0]}` in a {kind.__name__}")
    return kind(**{name: decode(hints[name], data[name]) for name in hints if name in data})


def _fact(data: Any) -> Fact:
    if isinstance(data, list):
        return tuple(map(_fact, data))
    if isinstance(data, Mapping):
        return _reason(data)
    if data is None or isinstance(data, (str, int)):
        return data
    raise ValueError(f"{data!r:.60} is no fact")


def _reason(data: Mapping[str, Any]) -> Reason:
    lacking = [key for key in ("code", "facts") if key not in data]
    if lacking:
        raise ValueError(f"no `{lacking[0]}` in a Reason")
    facts = {key: _fact(item) for key, item in _mapping(data["facts"]).items()}
    return Reason(decode(str, data["code"]), facts)


def _mapping(data: Any) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise ValueError(f"{data!r:.60} is no object")
    return data


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _required(kind: type) -> list[str]:
    return [
        field.name
        for field in fields(kind)
        if field.default is MISSING and field.default_factory is MISSING
    ]


def schema_of(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of a type; those of records are put among the definitions."""
    if hint is Reason:
        definitions |= {"Fact": _FACT, "Reason": _REASON}
        return {"$ref": f"{_DEFINITIONS}Reason"}
    if hint == Labels:
        return {"type": "object", "additionalProperties": {"type": "string"}}
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return {"anyOf": [schema_of(one, definitions) for one in inner]}
    if origin is tuple:
        return {"type": "array", "items": schema_of(inner[0], definitions)}
    if origin is not None:
        return {"type": "object", "additionalProperties": schema_of(inner[1], definitions)}
    if is_dataclass(hint):
        return _schema_of_record(hint, definitions)
    if issubclass(hint, Enum):
        return {"enum": [one.value for one in hint]}
    return {"type": _PLAIN[hint]}


_FACT: dict[str, Any] = {
    "anyOf": [
        {"type": ["string", "integer", "boolean", "null"]},
        {"type": "array", "items": {"$ref": f"{_DEFINITIONS}Fact"}},
        {"$ref": f"{_DEFINITIONS}Reason"},
    ]
}
_REASON: dict[str, Any] = {
    "type": "object",
    "properties": {
        "code": {"type": "string"},
        "facts": {"type": "object", "additionalProperties": {"$ref": f"{_DEFINITIONS}Fact"}},
        "text": {"type": "string"},
    },
    "required": ["code", "facts", "text"],
    "additionalProperties": False,
}


def _schema_of_record(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    name = kind.__name__
    if name not in definitions:
        definitions[name] = {}  # so that a record may hold another of its own kind
        properties = {key: schema_of(hint, definitions) for key, hint in _hints(kind).items()}
        definitions[name] = {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
    return {"$ref": f"{_DEFINITIONS}{name}"}
