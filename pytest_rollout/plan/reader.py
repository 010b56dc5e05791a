"""Reading one mapping of a file by its keys: typed values, and every offence with its line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from pytest_rollout.model.errors import Problem
from pytest_rollout.model.spelling import nearest as nearest  # readers of plans suggest
from pytest_rollout.plan.spec.keys import Key, Keys
from pytest_rollout.plan.spec.kinds import Term, ValueKind, scalars
from pytest_rollout.plan.tree import Tree

T = TypeVar("T")


class Reader:
    """The keys of one mapping, taken one by one; :meth:`done` names what is left.

    ``what`` is the mapping's name in messages. A key that its place does not have is a mistake
    of the caller, and raises KeyError.
    """

    def __init__(
        self, tree: Tree, place: type[Keys], file: str, what: str, problems: list[Problem]
    ) -> None:
        self.file = file
        self.what = what
        self.line = tree.line
        self.problems = problems
        self.place = place
        self._taken: set[str] = set()
        self._tree: Mapping[str, Tree] = {}
        self.is_mapping = isinstance(tree.value, Mapping)
        if isinstance(tree.value, Mapping):
            self._tree = tree.value
        else:
            self.problem(tree.line, f"{what} is not a mapping of keys to values")

    def problem(self, line: int, problem: str, fix: str = "") -> None:
        """Note an offence."""
        self.problems.append(Problem(self.file, line, problem, fix))

    def say(self, line: int, problem: str, fix: str = "") -> None:
        """Note an offence of this mapping."""
        self.problem(line, f"{self.what}: {problem}", fix)

    def has(self, key: Key[Any]) -> bool:
        """Return whether the key is given."""
        return self._own(key).name in self._tree

    def states(self, key: Key[Any]) -> bool:
        """Return whether a key is given that the place may not have."""
        return key.name in self._tree

    def line_of(self, key: Key[Any]) -> int:
        """Return the line of a key, or of the mapping where it is absent."""
        return self._tree[key.name].line if self.has(key) else self.line

    def tree(self, key: Key[Any]) -> Tree | None:
        """Return the value of a key as it stands; say where a required one is missing."""
        mine = self._own(key)
        lacking = self.is_mapping and mine.name not in self._tree
        if mine.required and mine.missing and lacking and mine.name not in self._taken:
            self.problem(self.line, self._filled(mine.missing, mine), self._fix(mine))
        self._taken.add(mine.name)
        return None if mine.refused else self._tree.get(mine.name)

    def get(self, key: Key[T]) -> T:
        """Return the value of a key; what is usual where it is absent or broken."""
        mine = self._own(key)
        if not mine.required and mine.name not in self._tree:  # as most keys are
            self._taken.add(mine.name)
            return mine.usual  # type: ignore[no-any-return]
        tree = self.tree(key)
        value = None if tree is None else mine.kind.read(tree, mine.name, self.say)
        return mine.usual if value is None else value  # type: ignore[no-any-return]

    def get_as(self, key: Key[Any], kind: ValueKind[T]) -> T | None:
        """Return the value of a key that takes several kinds, read as one of them."""
        tree = self.tree(key)
        return None if tree is None else kind.read(tree, key.name, self.say)

    def parsed(self, key: Key[T | None], parse: Callable[[str], T]) -> T | None:
        """Return a term, read by a parser that knows more than that of its kind."""
        tree, kind = self.tree(key), self._own(key).kind
        assert isinstance(kind, Term)
        return None if tree is None else kind.parsed(tree, key.name, self.say, parse)

    def names(self, key: Key[Any], trees: Iterable[Tree]) -> tuple[str, ...]:
        """Return the scalars of a list that stands somewhere in the value of a key."""
        return scalars(trees, key.name, self.say)

    def inner(self, tree: Tree, place: type[Keys], what: str) -> Reader:
        """Return a reader of a mapping inside this one."""
        return Reader(tree, place, self.file, what, self.problems)

    def done(self, known: Iterable[str] = ()) -> None:
        """Say of every key that is refused or that nobody asked for what is wrong with it.

        ``known`` are names that belong to other places of the same sort, and are told of there.
        """
        names = {name for name in self._taken if not self.place.keys[name].refused}
        for name, tree in self._tree.items():
            key = self.place.keys.get(name)
            if key is not None and key.refused:
                self.problem(tree.line, self._filled(key.refused, key), self._fix(key))
            elif name not in names and name not in known:
                fix = nearest(name, {*names, *known})
                self.problem(tree.line, f"{self.what}: unknown key `{name}`", fix)

    def _own(self, key: Key[Any]) -> Key[Any]:
        """Return the key of that name of this place, which may have another default."""
        return self.place.keys[key.name]

    def _filled(self, text: str, key: Key[Any]) -> str:
        inside = self.what.rpartition(": ")[2]  # the key whose value this mapping is
        return text.format(what=self.what, key=key.name, inside=inside)

    def _fix(self, key: Key[Any]) -> str:
        return self._filled(key.fix, key) or key.kind.suggestion()
