"""Every criterion that the plan's source states is there, is checked, and can be made to fail."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.plms.rehearsal import ROOT

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
    command = [sys.executable, "-m", "pytest_rollout.cli", "check", "pipeline", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return {row["id"]: row for row in json.loads(done.stdout)["criteria"]}


def test_every_stated_criterion_has_checks_or_is_answered_by_people(
    checked: dict[str, dict[str, Any]],
) -> None:
    assert len(stated()) > 150
    open_ = [one.id for one in stated() if not _answered(one, checked)]
    assert open_ == []


def _answered(one: Stated, checked: dict[str, dict[str, Any]]) -> bool:
    row = checked.get(one.id)
    if row is None:
        return False
    read = [f"pipeline.{name}" for name in row["rolls_up"]]
    through = bool(read) and all(checked.get(name, {}).get("items") for name in read)
    return bool(row["items"]) or through or bool(one.by_people == "manual" and row["attested"])


def test_every_stated_criterion_names_the_fault_that_must_flip_it(
    checked: dict[str, dict[str, Any]],
) -> None:
    silent = [
        (one.id, one.fault)
        for one in stated()
        if one.fault not in {name.partition(":")[0] for name in checked[one.id]["faults"]}
    ]
    assert silent == []
