"""Suites of trivial tests, and a plan that they are bound to."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

FILES = 100
CRITERIA = 300
PHASE = "many"

_INI = "[pytest]\nmarkers =\n  many\n  criterion\n"
_HEAD = "plan: cost\nphases:\n  - id: many\n    criteria:\n"
_CRITERION = "      - {id: cNUMBER, gate: GATE, kind: demo, says: Number NUMBER}\n"
_ENTRY = 3  # criteria of the gate that stands before the work


class Suite(Enum):
    """What stands in the files of a suite."""

    BARE = "bare"  # tests without marks
    MARKED = "marked"  # the marks of a plan, and no plan
    UNBOUND = "unbound"  # tests without marks beside a plan
    BOUND = "bound"  # marks and their plan


def lay(folder: Path, suite: Suite, tests: int) -> Path:
    """Write a suite with so many tests in a folder, and return it."""
    folder.mkdir(parents=True)
    marks = suite in (Suite.MARKED, Suite.BOUND)
    planned = suite in (Suite.UNBOUND, Suite.BOUND)
    (folder / "pytest.ini").write_text("[pytest]\n" if planned else _INI)
    if planned:
        (folder / "rollout.yaml").write_text(_plan())
    for file in range(FILES):
        numbers = range(file, tests, FILES)
        text = "".join(_test(number, marks=marks) for number in numbers)
        imports = "import pytest\n\npytestmark = pytest.mark.many\n" if marks else ""
        (folder / f"test_{file:03}.py").write_text(imports + text)
    return folder


def _plan() -> str:
    return _HEAD + "".join(
        _CRITERION.replace("NUMBER", str(number)).replace(
            "GATE", "entry" if number < _ENTRY else "exit"
        )
        for number in range(CRITERIA)
    )


def _test(number: int, *, marks: bool) -> str:
    mark = f'@pytest.mark.criterion("c{number % CRITERIA}")\n' if marks else ""
    return f"\n\n{mark}def test_{number}():\n    pass\n"
