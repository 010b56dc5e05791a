"""The executable steps of the roll-backs: each check says no before its step, and yes after."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from pytest_rollout.checks.expect import unmet
from pytest_rollout.checks.http import ask
from pytest_rollout.model.check import Check
from pytest_rollout.model.rollback import RollbackStep
from pytest_rollout.plan.load import load
from pytest_rollout.targets.launch import launch
from pytest_rollout.targets.reference import Setting

ROOT = Path(__file__).parents[2]
BEGUN = datetime(2026, 1, 5, 9, tzinfo=UTC)
SERVING = ("canary", "early_adopters", "percent25", "percent50", "percent75", "cutover")
LIVE = {"EROS_V5_ENABLED": "true", "EROS_V5_CREATORS": "alexia"}
SHADOW = {"EROS_V5_ENABLED": "true", "EROS_V5_SHADOW_MODE": "true"}


def steps(phase: str) -> list[RollbackStep]:
    """The steps of a phase that a machine does and sees done."""
    plan = load(ROOT / "suites/eros/rollout.yaml", "suites/eros/rollout.yaml").plan
    assert plan is not None
    (stated,) = [one for one in plan.phases if one.id == phase]
    return [step for step in stated.rollback.steps if step.action and step.check]


@pytest.fixture
def eros(tmp_path: Path) -> Iterator[httpx.Client]:
    """The service, with a clock that nobody moves."""
    served = launch("fixtures.eros:app", Setting(tmp_path / "eros", BEGUN), ROOT)
    try:
        with httpx.Client(base_url=served.url, timeout=20) as client:
            yield client
    finally:
        served.stop()


def holds(check: Check, client: httpx.Client) -> bool:
    """Whether the check of a step holds."""
    return not unmet(check, ask(check, client))


def target_of(client: httpx.Client, creator: str) -> str:
    """Which pipeline the very next request of a creator goes to."""
    said = client.post("/decide", json={"creator": creator}).raise_for_status().json()
    return str(said["target"])


@pytest.mark.parametrize("phase", SERVING)
def test_each_phase_that_serves_goes_back_in_two_steps(phase: str) -> None:
    assert [step.action.text for step in steps(phase) if step.action] == ["/flags", "/rollback"]


@pytest.mark.parametrize(("phase", "flags"), [("canary", LIVE), ("shadow", SHADOW)])
def test_a_check_holds_once_its_step_is_done(
    eros: httpx.Client, phase: str, flags: dict[str, str]
) -> None:
    eros.post("/flags", json=flags).raise_for_status()
    for step in steps(phase):
        assert step.action is not None
        assert step.check is not None
        assert not holds(step.check, eros), step.says
        assert not unmet(step.action, ask(step.action, eros)), step.says
        assert holds(step.check, eros), step.says
    assert target_of(eros, "alexia") == "v4"


def test_v5_stays_off_and_the_on_call_engineer_is_told(eros: httpx.Client, tmp_path: Path) -> None:
    eros.post("/flags", json=LIVE).raise_for_status()
    assert target_of(eros, "alexia") == "v5"
    for step in steps("canary"):
        assert step.action is not None
        ask(step.action, eros)
    assert eros.post("/flags", json=LIVE).status_code == 409, "the latch is lifted by people"
    told = (tmp_path / "eros/inbox.jsonl").read_text(encoding="utf-8")
    assert "@on-call" in told
    assert "CRITICAL" in told
