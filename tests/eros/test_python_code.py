"""Which names a module of a target reads, and nobody defined."""

from __future__ import annotations

import pytest

from suites.eros.views.python_code import unknown_names

SOUND = '''"""v4."""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING, NamedTuple as Row
from warnings import deprecated

if TYPE_CHECKING:
    from somewhere import Item

LIMITS = {name: len(name) for name in ("a", "b")}


@deprecated("use v5")
def plan(items: list[Item], many: int = LIMITS["a"]) -> Item:
    return asked_when_it_is_called(items, many)


class Plan(Row):
    first: int = 1
    second: int = first


order = sorted(LIMITS, key=lambda name: not_before_it_is_called[name])
try:
    size = os.path.getsize(__file__)
except OSError as problem:
    print(problem)
'''


def test_a_module_that_loads_has_no_unknown_name() -> None:
    assert unknown_names(SOUND) == []


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ('"""v4."""\n', '"""v4."""\nXXXX\n', ["XXXX"]),
        ("from warnings import deprecated", "", ["deprecated"]),
        ("import os.path", "import sys", ["os"]),
        ("class Plan(Row)", "class Plan(Line)", ["Line"]),
        ('LIMITS["a"]', 'LIMIT["a"]', ["LIMIT"]),
    ],
)
def test_what_would_not_load_is_named(old: str, new: str, names: list[str]) -> None:
    assert old in SOUND
    assert unknown_names(SOUND.replace(old, new, 1)) == names


def test_names_that_come_with_a_star_are_known() -> None:
    assert unknown_names("from v4.parts import *\nprice_items\n") == []
