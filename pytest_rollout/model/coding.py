"""Records as JSON values and back, and the JSON Schema of both: one shape, read off the types."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache, partial
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

from pytest_rollout.model.finding import Fact, Labels, Reason

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_DEFINITIONS = "#/$defs/"
_Decode = Callable[[Any], Any]
_Said = Callable[[Reason], str] | None
_Encode = Callable[[Any, _Said], Any]


def encode(value: Any, said: _Said = None) -> Any:
    """Return a record as JSON values: objects, arrays, texts, numbers; labels are one object.

    ``said`` gives the sentence of a reason, which then stands beside its code and facts.
    """
    kind: Any = type(value)
    return value if kind in _PLAIN else _encoder(kind)(value, said)


@cache
def _encoder(kind: Any) -> _Encode:
    """What writes a type; made once a type, because decisions hold many records."""
    record = is_dataclass(kind)
    if issubclass(kind, Enum):
        return lambda value, said: value.value
    if kind is Reason:
        return _encode_reason
    if record:
        return partial(_encode_record, parts_of(kind))
    if issubclass(kind, Mapping):
        return lambda value, said: {str(key): encode(item, said) for key, item in value.items()}
    if issubclass(kind, (list, tuple)):
        return lambda value, said: [encode(item, said) for item in value]
    return lambda value, said: value


def _encode_reason(reason: Reason, said: _Said) -> dict[str, Any]:
    shape = {"code": reason.code, "facts": encode(reason.facts, said)}
    return shape if said is None else {**shape, "text": said(reason)}


def _encode_record(parts: Sequence[tuple[str, bool]], value: Any, said: _Said) -> dict[str, Any]:
    return {
        name: dict(getattr(value, name)) if labels else encode(getattr(value, name), said)
        for name, labels in parts
    }


@cache
def parts_of(kind: Any) -> tuple[tuple[str, bool], ...]:
    """Return the fields of a record by name, and whether each holds labels."""
    return tuple((name, hint == Labels) for name, hint in _hints(kind).items())


def decode(hint: Any, data: Any) -> Any:
    """Return the record of a type from JSON values; raises ValueError where they are not one."""
    return _decoder(hint)(data)


@cache
def _decoder(hint: Any) -> _Decode:
    """What reads a type; made once a type, because ledgers hold many records."""
    if isinstance(hint, NewType):
        return _decoder(hint.__supertype__)
    if hint is Reason:
        return _reason
    if hint == Labels:
        return _labels
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        (wrapped,) = (kind for kind in inner if kind is not type(None))
        return _optional(_decoder(wrapped))
    if origin is tuple:
        return _array(inner)
    if origin is not None:
        return _object(_decoder(inner[1]))
    if is_dataclass(hint):
        return _record(hint)
    return hint if issubclass(hint, Enum) else _plain(hint)


def _labels(data: Any) -> Labels:
    return tuple((key, str(value)) for key, value in _mapping(data).items())


def _optional(inner: _Decode) -> _Decode:
    return lambda data: None if data is None else inner(data)


def _object(item: _Decode) -> _Decode:
    return lambda data: {key: item(value) for key, value in _mapping(data).items()}


def _plain(kind: Any) -> _Decode:
    def plain(data: Any) -> Any:
        if type(data) is kind:
            return data
        if kind is float and type(data) is int:
            return float(data)
        raise ValueError(f"{data!r:.60} is no {_PLAIN[kind]}")

    return plain


def _array(inner: tuple[Any, ...]) -> _Decode:
    """What reads an array: its items all of one type, or each of its own."""
    decoders = tuple(_decoder(hint) for hint in inner if hint is not Ellipsis)
    same = decoders[0] if inner[-1] is Ellipsis else None

    def array(data: Any) -> tuple[Any, ...]:
        if not isinstance(data, list):
            raise ValueError(f"{data!r:.60} is no array")
        if same is not None:
            return tuple(map(same, data))
        if len(decoders) != len(data):
            raise ValueError(f"{data!r:.60} has not {len(decoders)} items")
        return tuple(item(value) for item, value in zip(decoders, data, strict=True))

    return array


def _record(kind: Any) -> _Decode:
    required = _required(kind)
    parts: dict[str, _Decode] = {}  # made when first read: a record may hold others of its kind

    def record(data: Any) -> Any:
        held = _mapping(data)
        if not parts:
            parts.update({name: _decoder(hint) for name, hint in _hints(kind).items()})
        for name in required:
            if name not in held:
                raise ValueError(f"no `{name}` in a {kind.__name__}")
        return kind(**{name: part(held[name]) for name, part in parts.items() if name in held})

    return record


def _fact(data: Any) -> Fact:
    if isinstance(data, list):
        return tuple(map(_fact, data))
    if isinstance(data, Mapping):
        return _reason(data)
    if data is None or isinstance(data, (str, int)):
        return data
    raise ValueError(f"{data!r:.60} is no fact")


def _reason(data: Any) -> Reason:
    held = _mapping(data)
    lacking = [key for key in ("code", "facts") if key not in held]
    if lacking:
        raise ValueError(f"no `{lacking[0]}` in a Reason")
    facts = {key: _fact(item) for key, item in _mapping(held["facts"]).items()}
    return Reason(decode(str, held["code"]), facts)


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
        return {"anyOf": [schema_of(kind, definitions) for kind in inner]}
    if origin is tuple:
        return {"type": "array", "items": schema_of(inner[0], definitions)}
    if origin is not None:
        return {"type": "object", "additionalProperties": schema_of(inner[1], definitions)}
    if is_dataclass(hint):
        return _schema_of_record(hint, definitions)
    if issubclass(hint, Enum):
        return {"enum": [member.value for member in hint]}
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
