"""The demos against the service that answers wrongly on purpose, and against an honest one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_rollout import DemoOutput
from suites.plms.scenarios.demos import DEMOS
from suites.plms.scenarios.lying_service import HONEST, LIES, against, unrefused

SCRIPTS = Path(__file__).parents[2] / "suites" / "plms" / "demos"
RISKY = LIES["the risk is at its limit"]


@pytest.mark.parametrize("demo", DEMOS)
def test_an_honest_service_is_accepted(demo: str, tmp_path: Path) -> None:
    shown = against(HONEST, SCRIPTS / DEMOS[demo], tmp_path / "honest")
    assert shown.status == 0, shown.text


def test_a_lie_is_refused_by_its_name(tmp_path: Path) -> None:
    shown = against(RISKY.says, SCRIPTS / DEMOS[RISKY.demo], tmp_path / "lie")
    assert unrefused(RISKY, shown) == ""


@pytest.mark.parametrize(
    ("status", "text", "wrong"),
    [
        (0, "✓ Risk score 0.2, below 2\n", "exits 0: it can no longer fail"),
        (1, "Traceback\n", "exits 1 and says 'Traceback', not what is wrong (0.2)"),
        (1, "✗ the coverage is 0.9\n", "exits 1 and says '✗ the coverage is 0.9'"),
        (2, "✗ 0.2 is not below 0.2\n", "exits 2"),
        (1, "✗ 0.2 is not below 0.2\n", ""),
    ],
)
def test_only_a_named_refusal_is_one(status: int, text: str, wrong: str) -> None:
    said = unrefused(RISKY, DemoOutput(status, text))
    assert said.startswith(wrong)
    assert bool(said) is bool(wrong)
