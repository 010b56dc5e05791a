"""Changes of YAML and JSON: each value by what it is, at the place where it is written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import yaml

from pytest_rollout.mutants import shell, sql, values
from pytest_rollout.mutants.edits import Edit, UnreadableError

_COMMANDS = ("run", "command", "cmd", "script", "shell", "exec", "entrypoint")
_CORE = "tag:yaml.org,2002:"
_TEXT = f"{_CORE}str"
_NULL = f"{_CORE}null"
_HEADER = re.compile(r"[|>][^\n]*\n")
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null|[{}\[\],:]'
)


def of_yaml(text: str) -> Iterator[Edit]:
    """Yield the changes of the values of YAML; raises UnreadableError where it is none."""
    try:
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "nested too deeply"
        raise UnreadableError(f"is no YAML: {problem}", mark.line + 1 if mark else 1) from error
    seen: set[int] = set()
    for document in documents:
        if document is not None:
            yield from _of_node(text, document, "", seen)


def _of_node(text: str, node: yaml.Node, scope: str, seen: set[int]) -> Iterator[Edit]:
    """The changes of a value and of all within it; ``scope`` is its keys, joined by dots."""
    if id(node) in seen:
        return  # an alias
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            yield from _of_node(text, value, f"{scope}.{name}".lstrip("."), seen)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _of_node(text, value, scope, seen)
    elif isinstance(node, yaml.ScalarNode) and node.value.strip() and node.tag != _NULL:
        place = (node.start_mark.index, node.end_mark.index)
        edits = _of_scalar(text, *place, node.style or "", scope)
        named = node.tag == _TEXT
        yield from (edit for edit in edits if named or edit.operator != "text")


def _of_scalar(text: str, start: int, end: int, style: str, scope: str) -> Iterator[Edit]:
    if style in ("'", '"'):
        start, end = start + 1, end - 1
    elif style in ("|", ">"):
        header = _HEADER.match(text, start)
        start = header.end() if header else start
    raw = text[start:end]
    edits = _of_text(raw, scope.rpartition(".")[2], whole=style not in ("|", ">"))
    if not style:
        edits = (edit for edit in edits if _stays_plain(raw, edit))
    yield from (edit.moved(start, scope) for edit in edits)


def _of_text(raw: str, key: str, *, whole: bool) -> Iterator[Edit]:
    """The changes of a text: of SQL, of a command by the name of its key, or of a value."""
    if sql.is_sql(raw):
        yield from sql.of_sql(raw)
    elif key.lower() in _COMMANDS:
        if whole:
            yield Edit(0, len(raw), "true", "command")
        else:
            yield from shell.of_shell(raw)
            return
        yield from values.inside(raw)
    else:
        yield from values.of_value(raw)


def _stays_plain(raw: str, edit: Edit) -> bool:
    """Whether an unquoted scalar is still one value with a change, wherever it was one."""
    return all(
        _is_scalar(around.format(edit.of(raw)))
        for around in ("key: {}", "key: [{}]")
        if _is_scalar(around.format(raw))
    )


def _is_scalar(text: str) -> bool:
    """Whether the only value of a mapping, or of the list in it, is a scalar."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return False
    if not isinstance(node, yaml.MappingNode) or len(node.value) != 1:
        return False
    value = node.value[0][1]
    if isinstance(value, yaml.SequenceNode) and len(value.value) == 1:
        value = value.value[0]
    if not isinstance(value, yaml.ScalarNode) or value.style:
        return False
    return str(value.tag).startswith(_CORE)  # no tag of its own, as in `!= 5`


def of_json(text: str) -> Iterator[Edit]:
    """Yield the changes of the values of JSON; raises UnreadableError where it is none."""
    try:
        json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise UnreadableError(f"is no JSON: {error.msg}", error.lineno) from error
    except RecursionError as error:
        raise UnreadableError("is no JSON: nested too deeply", 1) from error
    keys: list[str] = []  # of the mappings that are open; "" for a list
    tokens = list(_TOKEN.finditer(text))
    for place, token in enumerate(tokens):
        code = token[0]
        if code in "{[":
            keys.append("")
        elif code in "}]":
            keys.pop()
        elif code[0] == '"' and place + 1 < len(tokens) and tokens[place + 1][0] == ":":
            keys[-1] = code[1:-1]
        elif code not in ",:" and code != "null":
            scope = ".".join(filter(None, keys))
            quoted = code[0] == '"'
            inner = code[1:-1] if quoted else code
            start = token.start() + quoted
            edits = _of_text(inner, keys[-1] if keys else "", whole=True)
            for edit in edits:
                if "\\" not in inner[max(0, edit.start - 1) : edit.start]:
                    yield edit.moved(start, scope)
