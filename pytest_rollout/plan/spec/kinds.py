"""Kinds of values: how each is read, its JSON Schema, and what it is called in the reference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, Generic, TypeVar

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model import jsonpath
from pytest_rollout.model.spelling import nearest
from pytest_rollout.plan.tree import Tree

T = TypeVar("T")
E = TypeVar("E", bound=Enum)
Schema = dict[str, Any]
Say = Callable[[int, str, str], None]  # line, what is wrong, how to fix it
SCALAR: Schema = {"type": ["string", "number", "boolean"]}


class ValueKind(Generic[T]):
    """A kind of value; ``words`` names it in the reference."""

    words: str

    def read(self, tree: Tree, name: str, say: Say) -> T | None:
        """Return the value of a key, or say what is wrong with it and return None."""
        raise NotImplementedError

    def schema(self) -> Schema:
        """Return a JSON Schema that takes at least all that :meth:`read` takes."""
        raise NotImplementedError

    def places(self) -> Iterable[type[Any]]:
        """Return the places that may stand inside the value."""
        return ()

    def suggestion(self) -> str:
        """Return what to say where a required value is missing and its key says nothing."""
        return ""


def label_text(tree: Tree) -> str:
    """Return a scalar as labels of observations have it: true and false are yes and no."""
    if isinstance(tree.value, bool):
        return "yes" if tree.value else "no"
    return tree.text


def scalars(trees: Iterable[Tree], name: str, say: Say) -> tuple[str, ...]:
    """Return the scalars of a list as labels have them; anything else is an offence."""
    texts = []
    for tree in trees:
        if isinstance(tree.value, (list, Mapping)) or tree.value in (None, ""):
            say(tree.line, f"`{name}` holds something other than names", "")
        else:
            texts.append(label_text(tree))
    return tuple(texts)


@dataclass(frozen=True)
class Text(ValueKind[str]):
    """A text; numbers and booleans are offences, not text."""

    words: str = "text"
    pattern: str = ""  # what editors ask of it; the reader says it in words of its own

    def read(self, tree: Tree, name: str, say: Say) -> str | None:
        if isinstance(tree.value, str):
            return tree.value
        say(tree.line, f"`{name}` is not a text", "put it in quotes")
        return None

    def schema(self) -> Schema:
        return {"type": "string", **({"pattern": self.pattern} if self.pattern else {})}


@dataclass(frozen=True)
class WordKind(ValueKind[str]):
    """A scalar as it is written; ``only`` these, which the reader says in words of its own."""

    words: str = "name"
    only: tuple[str, ...] = ()
    pattern: str = ""

    def read(self, tree: Tree, name: str, say: Say) -> str | None:
        if isinstance(tree.value, (list, Mapping)) or tree.value is None:
            say(tree.line, f"`{name}` is not a single value", "")
            return None
        return tree.text

    def schema(self) -> Schema:
        if self.pattern:
            return {"type": "string", "pattern": self.pattern}
        return {"enum": list(self.only)} if self.only else dict(SCALAR)


@dataclass(frozen=True)
class Term(ValueKind[T]):
    """A scalar that a parser understands; the parser raises ValueError with the rule."""

    parse: Callable[[str], T]
    pattern: str
    words: str
    types: tuple[str, ...] = ("string",)  # of JSON, that it may look like

    def read(self, tree: Tree, name: str, say: Say) -> T | None:
        return self.parsed(tree, name, say, self.parse)

    def parsed(self, tree: Tree, name: str, say: Say, parse: Callable[[str], T]) -> T | None:
        """Read it with a parser that knows more, as the unit that a cut is compared in."""
        word = WordKind().read(tree, name, say)
        try:
            return None if word is None else parse(word)
        except ValueError as error:
            say(tree.line, f"`{name}`: {error}", "")
            return None

    def schema(self) -> Schema:
        kind = self.types[0] if len(self.types) == 1 else list(self.types)
        return {"type": kind, **({"pattern": self.pattern} if self.pattern else {})}


@dataclass(frozen=True)
class Choice(ValueKind[E]):
    """A member of an enum, by its value."""

    of: type[E]

    def read(self, tree: Tree, name: str, say: Say) -> E | None:
        word = WordKind().read(tree, name, say)
        if word is None:
            return None
        values = {str(member.value): member for member in self.of}
        if word not in values:
            say(tree.line, f"unknown {name} `{word}`", nearest(word, values))
        return values.get(word)

    def schema(self) -> Schema:
        return {"enum": [str(member.value) for member in self.of]}

    def suggestion(self) -> str:
        return nearest("", [str(member.value) for member in self.of])

    @property
    def words(self) -> str:  # type: ignore[override]
        """The values themselves."""
        return ", ".join(f"`{member.value}`" for member in self.of)


class JsonPath(ValueKind[str]):
    """A path into JSON, as one text or as a list of names and places."""

    words = """path: `lanes.0.depth`, `'["http.server.requests"].p95'`, or a list of its names"""

    def read(self, tree: Tree, name: str, say: Say) -> str | None:
        if isinstance(tree.value, list) and tree.value:
            return jsonpath.spelled(scalars(tree.value, name, say)) or None
        word = WordKind().read(tree, name, say)
        try:
            return word and jsonpath.spelled(jsonpath.parse(word))
        except ValueError as error:
            say(tree.line, f"`{name}`: {error}", "")
            return None

    def schema(self) -> Schema:
        return {"anyOf": [dict(SCALAR), {"type": "array", "minItems": 1, "items": dict(SCALAR)}]}


@dataclass(frozen=True)
class Flag(ValueKind[bool]):
    """True or false."""

    words: str = "true or false"
    rule: str = "is neither true nor false"

    def read(self, tree: Tree, name: str, say: Say) -> bool | None:
        if isinstance(tree.value, bool):
            return tree.value
        say(tree.line, f"`{name}` {self.rule}", "")
        return None

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Whole(ValueKind[int]):
    """A whole number of at least ``least``."""

    least: int = 1

    def read(self, tree: Tree, name: str, say: Say) -> int | None:
        value = tree.value
        if isinstance(value, int) and not isinstance(value, bool) and value >= self.least:
            return value
        say(tree.line, f"`{name}` is not a whole number >= {self.least}", "")
        return None

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.least}

    @property
    def words(self) -> str:  # type: ignore[override]
        """The kind with its least value."""
        return f"whole number from {self.least}"


@dataclass(frozen=True)
class Words(ValueKind[tuple[str, ...]]):
    """Names: a list of scalars, or one scalar as a list of one."""

    words: str = "name, or a list of names"
    item: Schema | None = None
    most: int | None = None

    def read(self, tree: Tree, name: str, say: Say) -> tuple[str, ...]:
        return scalars(tree.value if isinstance(tree.value, list) else [tree], name, say)

    def schema(self) -> Schema:
        item = self.item or dict(SCALAR)
        several: Schema = {"type": "array", "items": item}
        if self.most:
            several.update(minItems=1, maxItems=self.most)
        return {"anyOf": [item, several]}


class Pairs(ValueKind[dict[str, str]]):
    """A mapping of names to scalars."""

    words = "mapping of names to values"

    def read(self, tree: Tree, name: str, say: Say) -> dict[str, str]:
        if not isinstance(tree.value, Mapping):
            say(tree.line, f"`{name}` is not a mapping of names to values", "")
            return {}
        pairs = {}
        for inner, value in tree.value.items():
            if isinstance(value.value, (list, Mapping)) or value.value is None:
                say(value.line, f"`{name}`: `{inner}` is not a single value", "")
            else:
                pairs[inner] = label_text(value)
        return pairs

    def schema(self) -> Schema:
        return {"type": "object", "additionalProperties": dict(SCALAR)}
