"""What a service publishes of itself (OpenAPI), and what another one lacks of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator

_METHODS = ("get", "post", "put", "delete", "patch")
_DEEPEST = 12  # of objects in objects
_BY_ID = ("fairness_weights", "heartbeats")  # whose names are ids


def resolved(document: Mapping[str, Any], node: Any, deep: int = 0) -> Any:
    """A part of a schema with what it refers to in place of the reference."""
    if deep > _DEEPEST:
        return node
    if isinstance(node, Mapping):
        if "$ref" in node:
            part: Any = document
            for name in str(node["$ref"]).removeprefix("#/").split("/"):
                part = part[name]
            return resolved(document, part, deep + 1)
        return {name: resolved(document, value, deep + 1) for name, value in node.items()}
    if isinstance(node, list):
        return [resolved(document, value, deep + 1) for value in node]
    return node


def operations(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The operations of a document, as `GET /health`."""
    return {
        f"{method.upper()} {path}": resolved(document, operation)
        for path, item in document.get("paths", {}).items()
        for method, operation in item.items()
        if method in _METHODS
    }


def lacking(stub: Mapping[str, Any], full: Mapping[str, Any]) -> Iterator[str]:
    """What clients of one document miss in another one, in words."""
    ours, theirs = operations(stub), operations(full)
    for name in sorted(theirs.keys() - ours.keys()):
        yield f"{name} is new"
    for name, operation in ours.items():
        if name not in theirs:
            yield f"{name} is missing"
            continue
        other = theirs[name]
        yield from _body(name, operation, other)
        for status in operation.get("responses", {}):
            if status not in other.get("responses", {}):
                yield f"{name} has no answer {status}"
        yield from _fields(f"{name} answers", _answer(operation), _answer(other))
        wanted = {
            parameter["name"]
            for parameter in other.get("parameters", ())
            if parameter.get("required")
        }
        known = {
            parameter["name"]
            for parameter in operation.get("parameters", ())
            if parameter.get("required")
        }
        for more in sorted(wanted - known):
            yield f"{name} demands {more}"


def _body(name: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
    was, now = _json(ours.get("requestBody", {})), _json(theirs.get("requestBody", {}))
    yield from _fields(f"{name} takes", was, now)
    for more in sorted({*now.get("required", ())} - {*was.get("required", ())}):
        yield f"{name} demands {more} in its body"


def _answer(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    return _json(operation.get("responses", {}).get("200", {}))


def _json(part: Mapping[str, Any]) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = (
        part.get("content", {}).get("application/json", {}).get("schema", {})
    )
    return schema


def _fields(where: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
    """Fields that are gone or of another type, at any depth."""
    if "type" in ours and ours["type"] != theirs.get("type"):
        yield f"{where} {theirs.get('type')}, not {ours['type']}"
        return
    for name, field in ours.get("properties", {}).items():
        if name not in theirs.get("properties", {}):
            yield f"{where} no {name}"
        else:
            yield from _fields(f"{where} {name}:", field, theirs["properties"][name])
    if isinstance(ours.get("items"), Mapping) and isinstance(theirs.get("items"), Mapping):
        yield from _fields(f"{where} items:", ours["items"], theirs["items"])


def unlike(document: Mapping[str, Any], operation: str, answer: object) -> Iterator[str]:
    """Where an answer is not what the document says of it."""
    schema = dict(_answer(operations(document).get(operation, {})))
    named = schema.get("properties", {})
    if not named:
        yield f"the document does not say what {operation} answers"
        return
    for error in Draft202012Validator(schema).iter_errors(answer):
        where = "".join(f".{name}" for name in error.absolute_path)
        yield f"{operation}{where}: {error.message:.100}"
    for name in sorted(answer.keys() - named.keys()) if isinstance(answer, Mapping) else ():
        yield f"{operation}: the document does not name {name}"


def gone(ours: object, theirs: object, place: str = "") -> Iterator[str]:
    """Fields of an answer that another one lacks, or that are of another type there."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        for name, value in ours.items():
            if name not in theirs:
                yield f"{place}{name}"
            elif name not in _BY_ID:
                yield from gone(value, theirs[name], f"{place}{name}.")
    elif isinstance(ours, list) and isinstance(theirs, list):
        if ours and theirs:
            yield from gone(ours[0], theirs[0], f"{place}0.")
    elif ours is not None and theirs is not None and _kind(ours) != _kind(theirs):
        yield f"{place[:-1]} (now {_kind(theirs)})"


def _kind(value: object) -> str:
    """The type of a value in JSON."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return type(value).__name__
