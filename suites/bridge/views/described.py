"""Whether a description of the interface can be used: OpenAPI whose every part means something."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, SchemaError

from suites.bridge.views.schemas import operations

_PLACES = ("path", "query", "header", "cookie")


def flaws(document: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with each operation, reference and schema of a document; empty: nothing."""
    problems = {"form": "" if str(document.get("openapi")).startswith("3.1.") else "no OpenAPI 3.1"}
    for method, path, said in operations(document):
        problems[f"{method.upper()} {path}"] = _operation(path, said, document)
    for name, shape in document.get("components", {}).get("schemas", {}).items():
        problems[f"schema {name}"] = _schema(shape)
    names = [str(said.get("operationId")) for _, path, said in operations(document) if _own(path)]
    twice = [name for name in names if names.count(name) > 1 or not re.fullmatch(r"[a-z_]+", name)]
    problems["names"] = f"an operation is called {twice[0]}" if twice else ""
    lost = [each for each in references(document) if resolved(each, document) is None]
    problems["references"] = f"nothing stands at {lost[0]}" if lost else ""
    return problems


def loose(document: Mapping[str, Any]) -> list[str]:
    """The operations whose good answers may hold anything."""
    names = []
    for method, path, said in operations(document):
        good = [_whole(body, document) for code, body in said["responses"].items() if code < "3"]
        shapes = [each["schema"] for body in good for each in body.get("content", {}).values()]
        if _own(path) and not all(_whole(shape, document).get("properties") for shape in shapes):
            names.append(f"{method.upper()} {path}")
    return names


def _own(path: str) -> bool:
    return path.startswith("/v1/")


def _operation(path: str, said: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    listed = said.get("parameters", [])
    for parameter in listed:
        if (
            parameter.get("in") not in _PLACES
            or not parameter.get("name")
            or not isinstance(parameter.get("required"), bool)
        ):
            return f"a parameter says {parameter}"
        if wrong := _schema(parameter.get("schema")):
            return f"the parameter {parameter['name']}: {wrong}"
    here = sorted(
        parameter["name"]
        for parameter in listed
        if parameter["in"] == "path" and parameter["required"]
    )
    if here != sorted(re.findall(r"{(\w+)}", path)):
        return f"its address is said to hold {here}"
    if _own(path) and said.get("security") != [{"token": []}]:
        return f"it asks for {said.get('security')} of callers"
    bodies = {"the request": said["requestBody"]} if "requestBody" in said else {}
    bodies |= {str(status): answer for status, answer in said.get("responses", {}).items()}
    for where, body in bodies.items():
        if wrong := _body(where, _whole(body, document)):
            return f"{where}: {wrong}"
    if not any(status.startswith("2") for status in bodies):
        return "it is never answered well"
    return ""


def _body(where: str, body: Mapping[str, Any]) -> str:
    if where.isdigit() and not str(body.get("description") or "").strip():
        return "it is not described"
    if unknown := body.keys() - {"description", "content", "required", "headers"}:
        return f"it says {min(unknown)}"
    for kind, content in body.get("content", {}).items():
        if not kind.startswith(("application/json", "text/plain")):
            return f"it is {kind}"
        if wrong := _schema(content.get("schema")):
            return wrong
    if where.isdigit() and int(where) >= 400:
        return "" if body.get("content") else "an error has no form"
    return ""


def _schema(shape: object) -> str:
    """What is wrong with a schema: it is none, or closed to fields of later releases."""
    if not isinstance(shape, Mapping):
        return "it has no schema"
    try:
        Draft202012Validator.check_schema(shape)
    except SchemaError as error:
        return f"{error.json_path}: {error.message:.80}"
    if not shape.keys() & {"type", "anyOf", "$ref", "enum"}:
        return "its schema says nothing"
    if shape.get("additionalProperties") is False:
        return "it is closed to fields that a later release adds"
    inner = [*shape.get("properties", {}).values(), *shape.get("anyOf", ())]
    wanted = set(shape.get("required", ())) - shape.get("properties", {}).keys()
    if wanted:
        return f"it demands {min(wanted)}, and does not say what that is"
    inner += [shape["items"]] if "items" in shape else []
    return next(filter(None, map(_schema, inner)), "")


def references(value: object) -> Iterator[str]:
    """Every reference in a document."""
    if isinstance(value, Mapping):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def resolved(reference: str, document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What stands at a reference; None where nothing does."""
    here: Any = document
    for part in reference.removeprefix("#/").split("/"):
        here = here.get(part) if isinstance(here, Mapping) else None
    return here if isinstance(here, Mapping) else None


def _whole(body: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = body.get("$ref")
    return (resolved(reference, document) or {}) if isinstance(reference, str) else body
