"""What a release may change of its OpenAPI: fields may come, and may not go or be demanded."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

_ANSWER = "answer"  # with which the name of a shape begins that requests do not hold
_REFERENCE = re.compile(r"#/components/schemas/([A-Za-z0-9_.-]+)")
METHODS = ("get", "post", "put", "patch", "delete")


def operations(schema: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Each operation of a schema: method, path, and what is said of it."""
    for path, item in sorted(schema.get("paths", {}).items()):
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


def breaks(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    """What is broken of each operation and named schema of the release before; empty: nothing."""
    problems = {"security": _security(before, after), "version": _version(before, after)}
    for method, path, said in operations(before):
        now = after.get("paths", {}).get(path, {}).get(method)
        name = f"{method.upper()} {path}"
        problems[name] = "it is gone" if now is None else _operation(said, now, before, after)
    named = before.get("components", {}).get("schemas", {})
    sent = _sent(before) | _sent(after)
    for name, said in sorted(named.items()):
        now = after.get("components", {}).get("schemas", {}).get(name)
        where = name if name in sent else f"{_ANSWER} {name}"
        problems[name] = "it is gone" if now is None else _shape(said, now, before, after, where, 0)
    return problems


def _security(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """How callers say who they are, where that is another way now."""
    old, new = (each.get("components", {}).get("securitySchemes") for each in (before, after))
    return "" if old == new else f"callers said who they are by {old}, and do by {new}"


def _version(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What is wrong with the number of the release: a minor revision has a higher one."""
    old, new = (
        [int(part) for part in each["info"]["version"].split(".")] for each in (before, after)
    )
    return "" if new[0] == old[0] and new > old else f"after {old} comes {new}, no minor revision"


def _sent(schema: Mapping[str, Any]) -> set[str]:
    """The named shapes that requests hold; all others are of answers."""
    named = schema.get("components", {}).get("schemas", {})
    ahead = [said.get("requestBody", {}) for _, _, said in operations(schema)]
    names: set[str] = set()
    while ahead:
        for name in set(_REFERENCE.findall(json.dumps(ahead.pop()))) - names:
            names.add(name)
            ahead.append(named.get(name, {}))
    return names


def _operation(
    said: Mapping[str, Any],
    now: Mapping[str, Any],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> str:
    for part in ("operationId", "security"):  # tools are called by the first
        if said.get(part) != now.get(part):
            return f"its {part} was {said.get(part)} and is {now.get(part)}"
    old = {
        (parameter["in"], parameter["name"]): parameter for parameter in said.get("parameters", ())
    }
    new = {
        (parameter["in"], parameter["name"]): parameter for parameter in now.get("parameters", ())
    }
    for key, parameter in new.items():
        known = old.get(key)
        if parameter.get("required") and not (known and known.get("required")):
            return f"the parameter {key[1]} is demanded"
    for key, parameter in old.items():
        if key not in new:
            return f"the parameter {key[1]} is gone"
        wrong = _shape(
            parameter.get("schema", {}), new[key].get("schema", {}), before, after, key[1], 0
        )
        if wrong:
            return wrong
    for part in ("requestBody", "responses"):
        wrong = _bodies(part, said.get(part, {}), now.get(part, {}), before, after)
        if wrong:
            return wrong
    if now.get("requestBody", {}).get("required") and not said.get("requestBody", {}).get(
        "required"
    ):
        return "a body is demanded"
    gone = said.get("responses", {}).keys() - now.get("responses", {}).keys()
    return f"it does not say any more that it may answer {min(gone)}" if gone else ""


def _bodies(
    part: str,
    said: Mapping[str, Any],
    now: Mapping[str, Any],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> str:
    pairs: list[tuple[str, Any, Any]]
    if part == "requestBody":
        pairs = [("the request", said, now)] if said else []
    else:
        good = [status for status in said if str(status).startswith("2")]
        pairs = [(f"{_ANSWER} {status}", said[status], now.get(status)) for status in good]
    for where, old, new in pairs:
        if new is None:
            return f"{where} is gone"
        for kind, content in old.get("content", {}).items():
            other = new.get("content", {}).get(kind)
            if other is None:
                return f"{where} is no {kind} any more"
            wrong = _shape(
                content.get("schema", {}), other.get("schema", {}), before, after, where, 0
            )
            if wrong:
                return wrong
    return ""


def _resolved(shape: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A shape, with what it refers to in its place."""
    reference = shape.get("$ref", "")
    node: Any = schema
    if not reference:
        return shape
    for part in reference.removeprefix("#/").split("/"):
        node = node.get(part, {})
    resolved: Mapping[str, Any] = node
    return resolved


def _shape(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    where: str,
    depth: int,
) -> str:
    """What is broken of a shape, in words; empty where fields were only gained."""
    old, new = _resolved(old, before), _resolved(new, after)
    if depth > 12:
        return ""
    if not _kinds(old) <= _kinds(new) and _kinds(new):
        return f"{where} was {_word(old)} and is {_word(new)}"
    tighter = "" if _is_answer(where) else _tighter(old, new)
    if tighter:
        return f"{where} has another {tighter}"
    lost = set(old.get("required", ())) - set(new.get("required", ()))
    if lost and _is_answer(where):
        return f"{where} may lack {min(lost)}"
    demanded = set(new.get("required", ())) - set(old.get("required", ()))
    fresh = demanded - set(old.get("properties", {}))
    if demanded and (fresh or "properties" in old) and not _is_answer(where):
        return f"{where} demands {sorted(demanded)[0]}"
    for name, field in old.get("properties", {}).items():
        if name not in new.get("properties", {}):
            return f"{where} has lost {name}"
        wrong = _shape(field, new["properties"][name], before, after, f"{where}.{name}", depth + 1)
        if wrong:
            return wrong
    for option in old.get("anyOf", ()):
        ways = [
            _shape(option, each, before, after, where, depth + 1)
            for each in new.get("anyOf", [new])
        ]
        if all(ways):
            return ways[0]
    if isinstance(old.get("additionalProperties"), Mapping):
        others = new.get("additionalProperties")
        kept = others if isinstance(others, Mapping) else {}
        return _shape(old["additionalProperties"], kept, before, after, where, depth + 1)
    if "items" in old:
        return _shape(old["items"], new.get("items", {}), before, after, f"{where}[]", depth + 1)
    if "enum" in old and not set(map(str, old["enum"])) <= set(map(str, new.get("enum", ()))):
        return f"{where} has lost one of its values"
    return ""


def _tighter(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Which bound of what is sent leaves out what it took, or stands for something else."""
    for name in ("default", "pattern"):
        if name in new and old.get(name, new[name]) != new[name]:
            return name
    for name in ("minLength", "minItems", "minProperties", "minimum"):
        if new.get(name, 0) > old.get(name, 0):
            return name
    for name in ("maxLength", "maxItems", "maxProperties", "maximum"):
        if new.get(name, math.inf) < old.get(name, math.inf):
            return name
    return ""


def _is_answer(where: str) -> bool:
    """Whether a shape is of an answer, which may come to hold more for sure."""
    return where.startswith(_ANSWER)


def _kinds(shape: Mapping[str, Any]) -> set[str]:
    """The types that a shape allows."""
    kinds = shape.get("type")
    if kinds is None:
        return {kind for option in shape.get("anyOf", ()) for kind in _kinds(option)}
    return set(kinds) if isinstance(kinds, list) else {kinds}


def _word(shape: Mapping[str, Any]) -> str:
    return " or ".join(sorted(_kinds(shape))) or "anything"
