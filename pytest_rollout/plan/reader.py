"""Reading one mapping of a plan: typed values, unknown keys, every offence with its line."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import TypeVar

from pytest_rollout.model.errors import Problem
from pytest_rollout.plan.tree import Tree

T = TypeVar("T")
E = TypeVar("E", bound=Enum)


def nearest(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """``did you mean x?`` for the nearest known word, else ``otherwise`` or the known words."""
    words = sorted(set(known))
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    if otherwise:
        return otherwise
    return f"known: {', '.join(words)}" if words else "none is defined"


def label_text(tree: Tree) -> str:
    """A scalar as labels of observations have it: true and false are yes and no."""
    if isinstance(tree.value, bool):
        return "yes" if tree.value else "no"
    return tree.text


class Reader:
    """The keys of one mapping, taken one by one; :meth:`done` names what is left."""

    def __init__(self, tree: Tree, file: str, what: str, problems: list[Problem]) -> None:
        self.file = file
        self.what = what  # the mapping's name in messages
        self.line = tree.line
        self.problems = problems
        self._known: list[str] = []
        self._later: dict[str, str] = {}
        self._taken: set[str] = set()
        self._tree: Mapping[str, Tree] = {}
        if isinstance(tree.value, Mapping):
            self._tree = tree.value
        else:
            self.problem(tree.line, f"{what} is not a mapping of keys to values")

    def problem(self, line: int, what: str, fix: str = "") -> None:
        """Note an offence."""
        self.problems.append(Problem(self.file, line, what, fix))

    def has(self, key: str) -> bool:
        """Whether the key is given."""
        return key in self._tree

    def line_of(self, key: str) -> int:
        """The line of a key, or of the mapping where it is absent."""
        return self._tree[key].line if key in self._tree else self.line

    def tree(self, key: str) -> Tree | None:
        """The value of a key as it stands."""
        self._known.append(key)
        self._taken.add(key)
        return self._tree.get(key)

    def later(self, *keys: str) -> None:
        """Keys of the plan language that this version does not judge: named, not ignored."""
        for key in keys:
            if self.tree(key) is not None:
                self.problem(
                    self.line_of(key),
                    f"{self.what}: `{key}` is not judged by this version of pytest-rollout",
                    "the gate would be decided without it, so leave it out on purpose",
                )

    def text(self, key: str, default: str = "") -> str:
        """A text value; numbers and booleans are offences, not text."""
        tree = self.tree(key)
        if tree is None:
            return default
        if not isinstance(tree.value, str):
            self.problem(tree.line, f"{self.what}: `{key}` is not a text", "put it in quotes")
            return default
        return tree.value

    def word(self, key: str) -> str | None:
        """A scalar as it is written, or None."""
        tree = self.tree(key)
        if tree is None:
            return None
        if isinstance(tree.value, (list, Mapping)) or tree.value is None:
            self.problem(tree.line, f"{self.what}: `{key}` is not a single value")
            return None
        return tree.text

    def choice(self, key: str, kind: type[E], default: E) -> E:
        """A member of an enum by its value."""
        word = self.word(key)
        if word is None:
            return default
        values = {str(member.value): member for member in kind}
        if word not in values:
            self.problem(
                self.line_of(key), f"{self.what}: unknown {key} `{word}`", nearest(word, values)
            )
            return default
        return values[word]

    def optional(self, key: str, kind: type[E]) -> E | None:
        """A member of an enum by its value, or None where the key is absent."""
        default = next(iter(kind))
        chosen = self.choice(key, kind, default)
        return chosen if self.has(key) else None

    def words(self, key: str) -> tuple[str, ...]:
        """A list of scalars, or one scalar as a list of one."""
        tree = self.tree(key)
        if tree is None:
            return ()
        items = tree.value if isinstance(tree.value, list) else [tree]
        return self.texts(key, items)

    def texts(self, key: str, items: Iterable[Tree]) -> tuple[str, ...]:
        """Scalars of a list as labels have them; what is empty or no scalar is an offence."""
        found = []
        for item in items:
            if isinstance(item.value, (list, Mapping)) or item.value in (None, ""):
                self.problem(item.line, f"{self.what}: `{key}` holds something other than names")
            else:
                found.append(label_text(item))
        return tuple(found)

    def whole(self, key: str, *, least: int = 1) -> int | None:
        """A whole number of at least ``least``."""
        tree = self.tree(key)
        if tree is None:
            return None
        if not isinstance(tree.value, int) or isinstance(tree.value, bool) or tree.value < least:
            self.problem(tree.line, f"{self.what}: `{key}` is not a whole number >= {least}")
            return None
        return tree.value

    def pairs(self, key: str) -> dict[str, str]:
        """A mapping of names to scalars."""
        tree = self.tree(key)
        if tree is None:
            return {}
        if not isinstance(tree.value, Mapping):
            self.problem(tree.line, f"{self.what}: `{key}` is not a mapping of names to values")
            return {}
        found = {}
        for name, value in tree.value.items():
            if isinstance(value.value, (list, Mapping)) or value.value is None:
                what = f"{self.what}: `{key}`: `{name}` is not a single value"
                self.problem(value.line, what)
            else:
                found[name] = label_text(value)
        return found

    def items(self, key: str) -> list[Tree]:
        """A list of anything; absent is empty."""
        tree = self.tree(key)
        if tree is None or tree.value is None:
            return []
        if not isinstance(tree.value, list):
            self.problem(tree.line, f"{self.what}: `{key}` is not a list")
            return []
        return tree.value

    def entries(self, key: str) -> list[tuple[str, Tree]]:
        """A mapping of names to anything; absent is empty."""
        tree = self.tree(key)
        if tree is None or tree.value is None:
            return []
        if not isinstance(tree.value, Mapping):
            self.problem(tree.line, f"{self.what}: `{key}` is not a mapping")
            return []
        return list(tree.value.items())

    def reader(self, tree: Tree, what: str) -> Reader:
        """A reader of a mapping inside this one."""
        return Reader(tree, self.file, what, self.problems)

    def parsed(self, key: str, parse: Callable[[str], T]) -> T | None:
        """A scalar through a parser that raises ValueError with the rule."""
        word = self.word(key)
        if word is None:
            return None
        try:
            return parse(word)
        except ValueError as error:
            self.problem(self.line_of(key), f"{self.what}: `{key}`: {error}")
            return None

    def done(self) -> None:
        """Name every key that nobody asked for."""
        for key, tree in self._tree.items():
            if key not in self._taken:
                self.problem(
                    tree.line, f"{self.what}: unknown key `{key}`", nearest(key, self._known)
                )
