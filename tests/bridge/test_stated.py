"""Every criterion that the plan's source states is there, is checked, and can be made to fail."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
LISTED = Path(__file__).with_name("stated.txt")


class Stated(NamedTuple):
    """One line of the list."""

    id: str
    fault: str
    by_people: str


def stated() -> list[Stated]:
    """The list, in the order of the source."""
    lines = LISTED.read_text(encoding="utf-8").splitlines()
    return [Stated(*(*line.split(), "")[:3]) for line in lines if not line.startswith("#")]


@pytest.fixture(scope="module")
def checked() -> dict[str, dict[str, Any]]:
    """What `rollout check` says of each criterion and guardrail, by full id."""
    command = [sys.executable, "-m", "pytest_rollout.cli", "check", "bridge", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return {row["id"]: row for row in json.loads(done.stdout)["criteria"]}


def test_every_stated_criterion_has_checks_or_is_answered_by_people(
    checked: dict[str, dict[str, Any]],
) -> None:
    assert len(stated()) == 121
    unanswered = [line.id for line in stated() if not _answered(line, checked)]
    assert unanswered == []


def _answered(line: Stated, checked: dict[str, dict[str, Any]]) -> bool:
    row = checked.get(line.id)
    if row is None:
        return False
    read = [f"bridge.{name}" for name in row["rolls_up"]]
    through = bool(read) and all(_read(name, checked) for name in read)
    by_people = line.by_people == "manual" and row["attested"]
    return bool(row["items"] or through or row["group"] or by_people)  # a group: by its members


def _read(name: str, checked: dict[str, dict[str, Any]]) -> bool:
    """Whether what is rolled up has checks: a criterion's own, or those of a whole gate."""
    if name.endswith(("/exit", "/entry")):
        phase = name.rpartition("/")[0]
        return any(row["items"] for full, row in checked.items() if full.startswith(f"{phase}."))
    return bool(checked.get(name, {}).get("items"))


def test_every_stated_criterion_names_the_fault_that_must_flip_it(
    checked: dict[str, dict[str, Any]],
) -> None:
    silent = [
        (line.id, line.fault)
        for line in stated()
        if line.id not in checked
        or line.fault not in {name.partition(":")[0] for name in checked[line.id]["faults"]}
    ]
    assert silent == []
