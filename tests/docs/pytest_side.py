"""docs/reference/pytest.md: what the plugin adds to pytest."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from pytest_rollout import hookspecs, plugin
from pytest_rollout.session import compose, fixtures
from tests.docs.tables import table

HEAD = """\
# Options, settings, marks, fixtures and hooks

What the plugin adds to pytest. Generated from the code; `python -m tests.docs` writes it anew.
"""
_OPTIONS = """\
Options are of one run. What a run asks and answers: [runs and environments](running.md).
"""
_SETTINGS = """\
Settings stand in `pytest.ini`, `pytest.toml`, or in `pyproject.toml` under `[tool.pytest]` or
`[tool.pytest.ini_options]`.
"""
_MARKS = """\
The names of a plan, of its phases and of what stands under `marks` are marks as well, so
`-m day3` asks for a phase.
"""
_FIXTURES = """\
All are session-scoped, and there once a plan was found. How they are used:
[write a suite](../how-to/write-a-suite.md).
"""
_HOOKS = """\
For a `conftest.py` or a plugin. An example: [extend](../how-to/extend.md).
"""


class _Recorded:
    """Takes what is added to a parser, as a group of options does too."""

    def __init__(self) -> None:
        self.options: list[tuple[str, dict[str, Any]]] = []
        self.settings: list[tuple[str, dict[str, Any]]] = []

    def getgroup(self, *_: object) -> _Recorded:
        return self

    def addoption(self, name: str, **given: Any) -> None:
        self.options.append((name, given))

    def addini(self, name: str, help: str, **given: Any) -> None:  # noqa: A002
        self.settings.append((name, {"help": help, **given}))


class _Config:
    """Takes the marks that are added."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def addinivalue_line(self, _: str, line: str) -> None:
        self.lines.append(line)


def text() -> str:
    """Return the whole page."""
    recorded = _Recorded()
    plugin.pytest_addoption(recorded)  # type: ignore[arg-type]
    sections = {
        "Options": (_OPTIONS, ("option", "meaning"), _options(recorded)),
        "Settings": (_SETTINGS, ("setting", "meaning", "without it"), _settings(recorded)),
        "Marks": (_MARKS, ("mark", "meaning"), _marks()),
        "Fixtures": (_FIXTURES, ("fixture", "gives"), _fixtures()),
        "Hooks": (_HOOKS, ("hook", "when, and what it returns"), _hooks()),
    }
    parts = (
        f"\n## {title}\n\n{intro}\n{table(head, rows)}"
        for title, (intro, head, rows) in sections.items()
    )
    return HEAD + "".join(parts)


def _options(recorded: _Recorded) -> Iterator[tuple[str, str]]:
    for name, given in recorded.options:
        if given["help"] is argparse.SUPPRESS:
            continue
        value = given.get("metavar") or "{" + ",".join(given["choices"]) + "}"
        again = "; may be given again" if given.get("action") == "append" else ""
        yield f"`{name} {value}`", given["help"] + again


def _settings(recorded: _Recorded) -> Iterator[tuple[str, str, str]]:
    for name, given in recorded.settings:
        default = given["default"]
        words = default if isinstance(default, str) else " ".join(default)
        yield f"`{name}`", given["help"], f"`{words}`"


def _marks() -> Iterator[tuple[str, str]]:
    config = _Config()
    compose._add_markers(config, SimpleNamespace(loaded=()))  # type: ignore[arg-type]
    for line in config.lines:
        name, _, meaning = line.partition(": ")
        yield f"`{name}`", meaning


def _fixtures() -> Iterator[tuple[str, str]]:
    for name, value in vars(fixtures).items():
        if type(value).__name__ == "FixtureFunctionDefinition":
            yield f"`{name}`", inspect.getdoc(value) or ""


def _hooks() -> Iterator[tuple[str, str]]:
    for name, hook in vars(hookspecs).items():
        if name.startswith("pytest_"):
            arguments = ", ".join(inspect.signature(hook).parameters)
            yield f"`{name}({arguments})`", inspect.getdoc(hook) or ""
