"""Changes of lines with settings: INI, TOML, .env and other configuration."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

from pytest_rollout.mutants import schedules, values
from pytest_rollout.mutants.edits import Edit, UnreadableError

_SECTION = re.compile(r"\s*\[\[?([^\]]+)\]?\]\s*$")
_ASSIGNED = re.compile(r"\s*(?:export\s+)?([\w.\"'-]+)\s*[=:]\s*")
_WORDS = re.compile(r"\s*([\w.-]+)\s+(?=\S)")  # NAME VALUE;
_COMMENT = re.compile(r"(?:^|\s)[#;].*$")
_QUOTED = re.compile(r"""(["'])(.*?)(?<!\\)\1""")


def of_settings(text: str, *, toml: bool = False) -> Iterator[Edit]:
    """Yield the changes of the values of settings, each within its section and name.

    With ``toml`` only those that leave it TOML; raises UnreadableError where it is none.
    """
    if toml:
        _needs_toml(text)
    for edit in _changes(text):
        if not toml or _is_toml(edit.of(text)):
            yield edit


def _needs_toml(text: str) -> None:
    try:
        tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise UnreadableError(f"is no TOML: {error}", int(line[1]) if line else 1) from error


def _is_toml(text: str) -> bool:
    try:
        tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError:
        return False
    return True


def _changes(text: str) -> Iterator[Edit]:
    section = ""
    for line in re.finditer(r"[^\r\n]+", text):
        code = line[0]
        heading = _SECTION.match(code)
        if heading:
            section = heading[1]
        elif code.strip() and code.lstrip()[0] not in "#;":
            name = _ASSIGNED.match(code) or _WORDS.match(code)
            start = name.end() if name else 0
            scope = f"{section}.{name[1]}".strip(".") if name else section
            for edit in _of_value(code[start:]) if name else values.inside(code):
                yield edit.moved(line.start() + start, scope)


def _of_value(rest: str) -> Iterator[Edit]:
    """The changes of what stands behind a name: each quoted text by itself, or all of it."""
    quoted = list(_QUOTED.finditer(rest))
    if quoted:
        for part in quoted:
            yield from (edit.moved(part.start(2)) for edit in values.of_value(part[2]))
        yield from values.inside(_QUOTED.sub(lambda match: " " * len(match[0]), rest))
        return
    comment = _COMMENT.search(rest)
    value = rest[: comment.start()] if comment else rest
    value = value.rstrip().rstrip(";,")
    if "," in value or value[:1] in "[{":
        yield from values.inside(value)
    elif any(True for _ in schedules.of_text(value.strip())):
        yield from schedules.of_text(value)
    else:
        yield from values.of_value(value)
