"""Kinds of values that hold other values: mappings, lists, and one of several kinds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.plan.spec.keys import Keys
from pytest_rollout.plan.spec.kinds import Say, Schema, ValueKind
from pytest_rollout.plan.tree import Tree


@dataclass(frozen=True)
class Raw(ValueKind[Tree]):
    """A value of any shape, which the reader takes apart itself."""

    words: str
    shape: Schema

    def read(self, tree: Tree, name: str, say: Say) -> Tree:
        return tree

    def schema(self) -> Schema:
        return self.shape


@dataclass(frozen=True)
class Nested(ValueKind[Tree]):
    """A mapping with keys of its own."""

    place: type[Keys]

    def read(self, tree: Tree, name: str, say: Say) -> Tree:
        return tree

    def schema(self) -> Schema:
        return {"$ref": f"#/$defs/{self.place.name}"}

    def places(self) -> Iterable[type[Keys]]:
        return (self.place,)

    @property
    def words(self) -> str:  # type: ignore[override]
        """A link to where its keys are listed."""
        return f"[{self.place.title}](#{self.place.anchor()})"


@dataclass(frozen=True)
class AnyOf(ValueKind[Tree]):
    """One of several kinds; the reader sees by the shape which one it is."""

    kinds: tuple[ValueKind[Any], ...]

    def read(self, tree: Tree, name: str, say: Say) -> Tree:
        return tree

    def schema(self) -> Schema:
        return {"anyOf": [kind.schema() for kind in self.kinds]}

    def places(self) -> Iterable[type[Keys]]:
        return (place for kind in self.kinds for place in kind.places())

    @property
    def words(self) -> str:  # type: ignore[override]
        """Each of the kinds."""
        return ", or ".join(dict.fromkeys(kind.words for kind in self.kinds))


@dataclass(frozen=True)
class ListOf(ValueKind[list[Tree]]):
    """A list; nothing at all is an empty one."""

    item: ValueKind[Any]
    least: int = 0

    def read(self, tree: Tree, name: str, say: Say) -> list[Tree]:
        if tree.value is None:
            return []
        if not isinstance(tree.value, list):
            say(tree.line, f"`{name}` is not a list", "")
            return []
        return tree.value

    def schema(self) -> Schema:
        if self.least:
            return {"type": "array", "minItems": self.least, "items": self.item.schema()}
        return {"type": ["array", "null"], "items": self.item.schema()}

    def places(self) -> Iterable[type[Keys]]:
        return self.item.places()

    @property
    def words(self) -> str:  # type: ignore[override]
        """The kind of its items."""
        return f"list of: {self.item.words}"


@dataclass(frozen=True)
class MapOf(ValueKind[list[tuple[str, Tree]]]):
    """A mapping of names that the plan chooses; nothing at all is an empty one."""

    item: ValueKind[Any]
    of: str  # what the names are of
    most: int | None = None

    def read(self, tree: Tree, name: str, say: Say) -> list[tuple[str, Tree]]:
        if tree.value is None:
            return []
        if not isinstance(tree.value, Mapping):
            say(tree.line, f"`{name}` is not a mapping", "")
            return []
        return list(tree.value.items())

    def schema(self) -> Schema:
        shape: Schema = {"type": ["object", "null"], "additionalProperties": self.item.schema()}
        return {**shape, "maxProperties": self.most} if self.most else shape

    def places(self) -> Iterable[type[Keys]]:
        return self.item.places()

    @property
    def words(self) -> str:  # type: ignore[override]
        """What the names stand for, and the kind of their values."""
        return f"mapping of {self.of} to: {self.item.words}"
