"""Keys, and the places where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar, overload

from pytest_rollout.plan.spec.kinds import ValueKind
from pytest_rollout.plan.tree import Tree, read

T = TypeVar("T")
U = TypeVar("U")


class Key(Generic[T]):
    """A key of a place; T is what reading it gives, None where it is absent or broken.

    ``default`` and ``example`` are written as in the file. ``missing`` is said instead of "has no
    KEY", and nothing where it is empty, because a check across keys says it; ``{what}`` is the
    mapping's name. ``refused`` says why the key, which people may expect there, is not allowed.
    """

    name: str

    @overload
    def __init__(
        self: Key[U],
        kind: ValueKind[U],
        says: str,
        *,
        default: str,
        example: str = "",
    ) -> None: ...

    @overload
    def __init__(
        self: Key[U | None],
        kind: ValueKind[U],
        says: str,
        *,
        example: str = "",
        unless: str = "",
        required: bool = False,
        missing: str = "{what} has no `{key}`",
        fix: str = "",
        refused: str = "",
    ) -> None: ...

    def __init__(
        self,
        kind: ValueKind[Any],
        says: str,
        *,
        default: str = "",
        example: str = "",
        unless: str = "",
        required: bool = False,
        missing: str = "{what} has no `{key}`",
        fix: str = "",
        refused: str = "",
    ) -> None:
        self.kind = kind
        self.says = says
        self.default = default
        self.example = example
        self.unless = unless  # what holds where it is absent, in words, and no value stands for it
        self.required = required
        self.missing = missing
        self.fix = fix
        self.refused = refused

    def __set_name__(self, place: type[Keys], name: str) -> None:
        self.name = name.rstrip("_")  # from, as, for and pass are words of Python

    @cached_property
    def usual(self) -> T:
        """What holds where the key is absent."""
        value: Any = None
        if self.default:
            value = self.kind.read(written(self.default), self.name, _refuse)
        return value  # type: ignore[no-any-return]


def written(text: str) -> Tree:
    """Return a value as a file writes it."""
    tree, problems = read(f"value: {text}", "the specification")
    assert tree is not None, problems
    assert isinstance(tree.value, Mapping)
    return tree.value["value"]


def _refuse(line: int, problem: str, fix: str) -> None:
    raise ValueError(f"{problem} ({fix})")


class Keys:
    """A mapping of a file; its keys are attributes, and those of the places it inherits from."""

    name: ClassVar[str]
    title: ClassVar[str]  # how the reference calls it
    keys: ClassVar[Mapping[str, Key[Any]]]
    exactly_one: ClassVar[tuple[str, ...]] = ()  # of these keys one is given
    at_least_one: ClassVar[tuple[str, ...]] = ()  # of these keys one or more are given
    together: ClassVar[Mapping[str, tuple[str, ...]]] = {}  # a key, and those that it needs
    not_empty: ClassVar[bool] = False

    def __init_subclass__(cls, name: str = "", title: str = "") -> None:
        cls.name = name
        cls.title = title
        keys: dict[str, Key[Any]] = {}
        for base in cls.__mro__:
            for key in vars(base).values():
                if isinstance(key, Key):
                    keys.setdefault(key.name, key)
        cls.keys = keys

    @classmethod
    def anchor(cls) -> str:
        """Return where its heading of the reference is linked to, as GitHub and Sphinx name it."""
        return re.sub(r"[^\w-]", "", cls.title.lower().replace(" ", "-"))

    @classmethod
    def stated(cls) -> list[Key[Any]]:
        """Return the keys that may be written, without those that are refused."""
        return [key for key in cls.keys.values() if not key.refused]


def places(start: type[Keys]) -> Iterator[type[Keys]]:
    """Yield a place and each that stands inside of it, once, as they are met."""
    seen: dict[type[Keys], None] = {}
    ahead = [start]
    while ahead:
        place = ahead.pop(0)
        if place not in seen:
            seen[place] = None
            yield place
            ahead[:0] = [inner for key in place.stated() for inner in key.kind.places()]
