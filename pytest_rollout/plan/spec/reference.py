"""docs/reference/plan.md: every key with its meaning, values, default and example."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_rollout.plan.spec.equivalent_keys import EquivalentsKeys
from pytest_rollout.plan.spec.keys import Key, Keys, places
from pytest_rollout.plan.spec.people_keys import PeopleKeys
from pytest_rollout.plan.spec.plan_keys import PlanKeys
from pytest_rollout.plan.spec.waiver_keys import StandInsKeys, WaiversKeys

_FILES = (PlanKeys, WaiversKeys, StandInsKeys, PeopleKeys, EquivalentsKeys)
_HEAD = """\
# Every key of a plan

Generated from `pytest_rollout/plan/spec/`; `python -m pytest_rollout.plan.spec` writes it anew.
The guide is [How do I write a plan?](../how-to/write-a-plan.md) A key in **bold** must be given.
Files are read as YAML 1.2: `no` and `10:00` are text. Each example is tried by a test,
in a plan that loads.
"""
_TABLE = """
| key | meaning | value | without it | example |
| --- | --- | --- | --- | --- |
"""


def text() -> str:
    """Return the whole page."""
    seen: set[type[Keys]] = set()
    parts = [_HEAD]
    for start in _FILES:
        for place in places(start):
            if place not in seen:
                seen.add(place)
                parts.append(section(place, file=place is start))
    return "\n".join(parts)


def section(place: type[Keys], *, file: bool) -> str:
    """Return the table of a mapping's keys."""
    level, title = ("##", f"`{place.title}`") if file else ("###", _capital(place.title))
    rows = "".join(f"| {' | '.join(_cells(key))} |\n" for key in place.stated())
    notes = "".join(f"\n{note}" for note in _notes(place))
    return f"{level} {title}\n\n{place.__doc__}{notes}\n{_TABLE}{rows}"


def _capital(title: str) -> str:
    return title[:1].upper() + title[1:]


def _cells(key: Key[Any]) -> Iterator[str]:
    yield f"**`{key.name}`**" if key.required else f"`{key.name}`"
    yield _cell(key.says)
    yield _cell(key.kind.words)
    yield f"`{key.default}`" if key.default else _cell(key.unless)
    yield f"`{_cell(f'{key.name}: {key.example}')}`"


def _cell(words: str) -> str:
    return words.replace("|", "\\|")


def _notes(place: type[Keys]) -> Iterator[str]:
    """Return in words which keys go together."""
    if place.exactly_one:
        yield f"Exactly one of {_listed(place.exactly_one)} is given."
    if place.at_least_one:
        yield f"At least one of {_listed(place.at_least_one)} is given."
    for name, needs in place.together.items():
        yield f"`{name}` goes with {_listed(needs)}."
    if place.not_empty:
        yield "At least one key is given."


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
