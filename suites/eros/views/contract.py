"""What answers and logs must hold (formats/answers.yaml), and where they do not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pytest_rollout import Reported, RolloutError
from suites.eros.views.records import lines
from suites.eros.views.said import not_done

_FORMATS = Path(__file__).parents[1] / "formats/answers.yaml"
_LINE: Mapping[str, Any] = {"at": {"type": "string", "minLength": 20}, "event": {"type": "string"}}
_LEVEL = {"enum": ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]}  # as `logging` names them
_MOST = 400  # items of a list; figures of all of them are held against each other elsewhere


def offences(name: str, answer: object) -> list[str]:
    """Where an answer, a report or a status is not as it must be."""
    return list(_offences("answers", name, _shortened(answer), f"{name} "))


def demand_answer(name: str, answer: object) -> None:
    """Raise AssertionError where an answer lacks a field, or a field is odd."""
    wrong = offences(name, answer)
    assert not wrong, f"{len(wrong)} fields are not as documented: {wrong[0]}"


def demand_log(folder: Path, logger: str) -> None:
    """Raise AssertionError where a line of a log lacks a field; a log without a line is missing."""
    demand_lines(logger, [*lines(folder / f"{logger}.jsonl", f"log {logger}")])


def demand_lines(logger: str, told: Sequence[Reported]) -> None:
    """Raise AssertionError where a line lacks a field; events that nobody documents are free."""
    if not told:
        not_done(f"the log {logger} holds no line", "let something happen")
    wrong = [
        offence
        for line in _each_kind(told)
        if line.text("event") in _formats()["logs"][logger]
        for offence in _offences("logs", logger, line, f"{line.source}: ", line.text("event"))
    ]
    assert not wrong, f"{len(wrong)} fields are not as documented: {wrong[0]}"


def _each_kind(told: Iterable[Reported]) -> Iterator[Reported]:
    """A line for each event and each set of words and types that its fields have."""
    seen = set()
    for line in told:
        known = ((name, type(value).__name__) for name, value in line.items())
        kind = (line["event"], line.get("level"), line.get("logger"), *known)
        if kind not in seen:
            seen.add(kind)
            yield line


def _shortened(answer: object) -> object:
    """An answer with the newest items of each of its lists."""
    if not isinstance(answer, Mapping):
        return answer
    return {
        name: value[-_MOST:] if isinstance(value, list) else value for name, value in answer.items()
    }


def _offences(part: str, name: str, said: object, where: str, event: str = "") -> Iterator[str]:
    for error in sorted(_validator(part, name, event).iter_errors(said), key=str):
        at = ".".join(map(str, error.absolute_path))
        yield f"{where}{at or 'as a whole'}: {error.message:.120}"


@cache
def _formats() -> Any:
    return yaml.safe_load(_FORMATS.read_text(encoding="utf-8"))


@cache
def _validator(part: str, name: str, event: str) -> Any:
    try:
        from jsonschema import Draft202012Validator
    except ImportError:
        raise RolloutError("jsonschema is not installed: pip install jsonschema") from None
    known = _formats()[part][name]
    if part == "logs":
        known = {**_LINE, "logger": {"const": name}, "level": _LEVEL, **known[event]}
    return Draft202012Validator(_demanding({"type": "object", "properties": known}))


def _demanding(schema: Any) -> Any:
    """A schema in which each property of an object must be there."""
    if isinstance(schema, list):
        return [_demanding(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    made = {
        name: value
        if name in ("const", "enum", "if", "then", "else")
        else {key: _demanding(part) for key, part in value.items()}
        if name == "properties"
        else _demanding(value)
        for name, value in schema.items()
    }
    if "properties" in made:
        made["required"] = sorted(made["properties"])
    return made
