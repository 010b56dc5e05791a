"""People are told of a night that is no GO in a real environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_rollout.cli.night_notice import notice, told
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.plan import Plan
from pytest_rollout.plan.load import parse
from tests.cli.conftest import Project
from tests.cli.watched import PLAN, serving
from tests.evidence.runs import EXIT, Writer


@pytest.fixture
def plan() -> Plan:
    found = parse(PLAN, Path("rollout.yaml"), "rollout.yaml").plan
    assert found is not None
    return found


@pytest.fixture
def hold(project: Project) -> Decision:
    with project.ledger() as ledger:
        return Writer(ledger, "r1", "prod", PLAN, gates=(EXIT,)).good().decisions[0]


def test_the_channel_hears_the_answer_and_why(
    plan: Plan, hold: Decision, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = notice(plan, "demo.canary", "prod", [hold], "")
    with serving() as service:
        monkeypatch.setenv("DEMO_HOOK", f"{service.url}/hook")
        assert told(plan, message) == ["slack: told"]
        ((path, said),) = service.posted
    assert path == "/hook"
    assert said["text"].startswith("*HOLD: demo.canary in prod*\n")
    assert "demo.canary.lag: " in said["text"]  # the guardrail that nobody watched


def test_a_run_without_a_decision_is_told_as_a_hold(plan: Plan) -> None:
    message = notice(plan, "demo.canary", "prod", [], "pytest ended with status 3")
    assert message is not None
    assert (message.title, message.text) == (
        "HOLD: demo.canary in prod",
        "pytest ended with status 3",
    )


def test_nobody_is_told_of_rehearsals_and_of_a_go(plan: Plan, hold: Decision) -> None:
    assert notice(plan, "demo.canary", "embedded", [hold], "") is None
    assert notice(plan, "demo.canary", "prod", [], "") is None
    assert told(plan, None) == []
