"""YAML 1.2 text as a tree of values that know their line.

The core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema): ``no`` and
``10:00`` are text, dates are text, duplicate keys are errors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import yaml

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import Problem

MAX_BYTES = 4_000_000
MAX_DEPTH = 30
MAX_NODES = 250_000
MAX_TEXT = 10_000  # characters of one scalar
_TOO_BIG = f"more than {MAX_DEPTH} levels or {MAX_NODES} values (anchors?)"
_MOST_DIGITS = 300  # Python refuses to convert numbers of thousands of digits

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class Tree:
    """A value with its line: a scalar, a list of trees, or a mapping of names to trees."""

    value: str | int | float | bool | list[Tree] | Mapping[str, Tree] | None
    line: int
    text: str = ""  # a scalar as it is written


class _TooBigError(Exception):
    """The document is larger than a plan can be."""


def read(
    text: str, file: str, start: str = "a plan starts with `plan: NAME`"
) -> tuple[Tree | None, list[Problem]]:
    """The tree of a document, and what is wrong with it; no tree where it cannot be read.

    ``start`` says how such a file begins.
    """
    if len(text) > MAX_BYTES:
        return None, [Problem(file, 1, f"the file is larger than {MAX_BYTES} characters")]
    try:
        problems = _tags(text, file)
        node = yaml.compose(text, Loader=Loader)
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        return None, _syntax(error, text, file)
    except _TooBigError as error:
        return None, [Problem(file, 1, str(error))]
    if node is None:
        return None, [Problem(file, 1, "the file is empty", start)]
    builder = _Builder(file)
    try:
        return builder.build(node, 0), problems + builder.problems
    except _TooBigError as error:
        return None, [Problem(file, 1, str(error))]


def _tags(text: str, file: str) -> list[Problem]:
    """Values with a tag; raises _TooBigError before nesting can exhaust the stack of a composer."""
    problems: list[Problem] = []
    depth = 0
    for event in yaml.parse(text, Loader=Loader):
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        if depth > MAX_DEPTH + 1:
            raise _TooBigError(_TOO_BIG)
        tag = getattr(event, "tag", None)
        if tag is not None:
            problem = f"a value with the tag `{tag}`"
            mark = event.start_mark
            line = mark.line + 1 if mark else 1
            problems.append(Problem(file, line, problem, "a plan holds plain values, without tags"))
    return problems


def _syntax(error: Exception, text: str, file: str) -> list[Problem]:
    """What stops the text from being YAML; a tab is named as such, wherever else it fails."""
    tabs = [
        Problem(file, number, "a tab in the indentation", "YAML is indented with spaces")
        for number, line in enumerate(text.split("\n"), 1)
        if "\t" in line[: len(line) - len(line.lstrip())]
    ]
    if not isinstance(error, yaml.MarkedYAMLError):
        return [Problem(file, 1, f"not readable as YAML: {' '.join(str(error).split())}")]
    mark = error.problem_mark or error.context_mark
    where = mark.line + 1 if mark else 1
    if any(problem.line == where for problem in tabs):
        return tabs
    problem = " ".join(filter(None, (error.context, error.problem)))
    fix = ""
    if "block scalar" in problem:
        fix = 'a threshold that begins with > is quoted: pass: "> 3"'
    elif "another document" in problem or "single document" in problem:
        fix = "a plan is one document, without `---` in between"
    return [*tabs, Problem(file, where, f"not readable as YAML: {problem}", fix)]


class _Builder:
    """Turns composed nodes into trees; bounded in depth and count."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._count = 0

    def build(self, node: yaml.Node, depth: int) -> Tree:
        self._count += 1
        if depth > MAX_DEPTH or self._count > MAX_NODES:
            raise _TooBigError(_TOO_BIG)
        line = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return Tree(self._mapping(node, depth), line)
        if isinstance(node, yaml.SequenceNode):
            return Tree([self.build(item, depth + 1) for item in node.value], line)
        assert isinstance(node, yaml.ScalarNode)
        if len(node.value) > MAX_TEXT:
            problem = f"a text of {len(node.value):,} characters"
            fix = f"{MAX_TEXT:,} are enough"
            self.problems.append(Problem(self.file, line, problem, fix))
        plain = node.style in (None, "")
        return Tree(scalar(node.value) if plain else node.value, line, node.value)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Tree]:
        result: dict[str, Tree] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self.problems.append(Problem(self.file, line, "a key that is not a name"))
                continue
            if len(key.value) > MAX_TEXT:
                problem = f"a key of {len(key.value):,} characters"
                self.problems.append(Problem(self.file, line, problem))
                continue
            if key.value in result:
                first = result[key.value].line
                problem = f"duplicate key `{key.value}`, first used at line {first}"
                self.problems.append(Problem(self.file, line, problem, "keep one of the two"))
                continue
            built = self.build(value, depth + 1)
            result[key.value] = Tree(built.value, line, built.text)
        return result


def scalar(text: str) -> str | int | float | bool | None:
    """A plain scalar by the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text) and len(text) <= _MOST_DIGITS:
        return int(text, 0 if text[:2] in ("0o", "0x") else 10)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def plain(tree: Tree) -> object:
    """A value as JSON has it, its numbers exact; mappings and tuples instead of trees."""
    if isinstance(tree.value, Mapping):
        return {name: plain(value) for name, value in tree.value.items()}
    if isinstance(tree.value, list):
        return tuple(plain(item) for item in tree.value)
    return Decimal(tree.text) if isinstance(tree.value, float) else tree.value
