"""What `rollout explain` knows of demands that no plan states."""

from __future__ import annotations

import re
from pathlib import Path

import pytest_rollout
from pytest_rollout.cli.explain_demand import DEMANDS

_GIVEN = re.compile(r'(?:Finding|Condition|_finding)\(\s*"([a-z]+\.[a-z-]+)"')
_NAMED = re.compile(r'name = "((?:run|gate|phase|clearance)\.[a-z]+)"')


def test_every_demand_of_the_judge_can_be_explained() -> None:
    judge = Path(pytest_rollout.__file__).parent / "judge"
    texts = [path.read_text("utf-8") for path in judge.glob("*.py")]
    given = {name for text in texts for name in (*_GIVEN.findall(text), *_NAMED.findall(text))}
    assert given == set(DEMANDS)
