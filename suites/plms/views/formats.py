"""Files that people or other systems write, held against their schemas when they are read.

An offence is one message with file, line, what is wrong, and how it should be.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from pytest_rollout import RolloutError

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

FOLDER = Path(__file__).parents[1] / "formats"
PAGE = "docs/reference/plans/plms-formats.md"
_KINDS = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}
Place = Sequence[str | int]


def read_file(path: Path, kind: str) -> Any:
    """What a file of one kind holds; raises RolloutError with file, line and fix.

    A ``.jsonl`` is a list with an entry a line.
    """
    text = _text(path, kind)
    if path.suffix == ".jsonl":
        lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        return [_line(path, kind, number, line) for number, line in lines]
    data = _yaml(path, text) if path.suffix in (".yaml", ".yml") else _json(path, text)
    for problem in _offences(kind, data):
        problem = _nearest(problem)
        raise _offence(path, _line_of(text, [*problem.absolute_path, *_odd(problem)[:1]]), problem)
    return data


def _text(path: Path, kind: str) -> str:
    if not path.is_file():
        raise RolloutError(f"there is no {kind} at {path}; {PAGE}#{kind} says what it holds")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise RolloutError(f"{path} cannot be read as UTF-8: {error}") from None


def _line(path: Path, kind: str, number: int, line: str) -> Any:
    try:
        data = json.loads(line)
    except ValueError as error:
        raise RolloutError(
            f"{path}:{number}: the line is no JSON: {error}; write an object"
        ) from None
    for problem in _offences(kind, data):
        raise _offence(path, number, _nearest(problem))
    return data


def _json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise RolloutError(f"{path}:{error.lineno}: it is no JSON: {error.msg}") from None


def _yaml(path: Path, text: str) -> Any:
    try:
        return yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        why = getattr(error, "problem", "") or "it cannot be parsed"
        raise RolloutError(f"{path}:{line}: it is no YAML: {why}") from None


def _offences(kind: str, data: object) -> Iterator[ValidationError]:
    """What is wrong, by the place in the file."""
    yield from sorted(
        _validator(kind).iter_errors(data), key=lambda problem: list(map(str, problem.path))
    )


@cache
def _validator(kind: str) -> Draft202012Validator:
    if find_spec("jsonschema") is None:
        raise RolloutError("jsonschema is not installed: pip install jsonschema")
    from jsonschema import Draft202012Validator

    schema = json.loads((FOLDER / f"{kind}.schema.json").read_text(encoding="utf-8"))
    return Draft202012Validator(schema)


def _nearest(problem: ValidationError) -> ValidationError:
    """What is wrong with the nearest of several shapes, where one of them is asked."""
    while problem.context and problem.validator == "anyOf":
        problem = max(
            problem.context, key=lambda inner: (inner.validator != "type", len(inner.path))
        )
    return problem


def _odd(problem: ValidationError) -> list[str]:
    """The names that an object may not have."""
    if problem.validator != "additionalProperties":
        return []
    instance: Any = problem.instance
    return [str(name) for name in instance if name not in _known(problem)]


def _known(problem: ValidationError) -> list[str]:
    """The names that an object may have."""
    return list(problem.schema.get("properties", {})) if isinstance(problem.schema, dict) else []


def _offence(path: Path, line: int, problem: ValidationError) -> RolloutError:
    described = problem.schema.get("description") if isinstance(problem.schema, dict) else None
    fix = f"; it is {described}" if described else ""
    return RolloutError(f"{path}:{line}: {_what(problem)}{fix} ({PAGE})")


def _what(problem: ValidationError) -> str:
    where = _spelled(list(problem.absolute_path))
    value: Any = problem.instance
    rule: Any = problem.validator_value
    shown = f"{where} is {value!r:.60}"
    match problem.validator:
        case "required":
            absent = [name for name in rule if name not in value]
            return f"{where} lacks {', '.join(absent)}"
        case "type":
            kinds = [rule] if isinstance(rule, str) else rule
            return f"{shown}, not {' or '.join(_KINDS[kind] for kind in kinds)}"
        case "enum":
            return f"{shown}, not one of {', '.join(map(str, rule))}"
        case "const":
            return f"{shown}, not {rule!r}"
        case "additionalProperties":
            known = ", ".join(_known(problem))
            return (
                f"{where} has {', '.join(_odd(problem))}, which it cannot have; known are {known}"
            )
        case "minimum":
            return f"{shown}, the least is {rule}"
        case "minItems" | "minProperties":
            return f"{where} has {len(value)} entries, the least is {rule}"
        case "pattern":
            return f"{shown}, not of the form {rule}"
    return f"{where}: {problem.message:.120}"


def _spelled(place: Place) -> str:
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text or "the whole"


def _line_of(text: str, place: list[str | int]) -> int:
    """The line of a place in YAML, or in JSON, which is YAML as well; 1 where that is not known."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return 1
    line = 1
    for step in place:
        if isinstance(node, yaml.MappingNode):
            pairs = [(key, value) for key, value in node.value if key.value == str(step)]
            if not pairs:
                return line
            key, node = pairs[-1]
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line + 1
    return line
