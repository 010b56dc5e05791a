"""The target as it is served: clock, steps, what a phase finds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from fixtures.pipeline.core.days import day
from fixtures.pipeline.rest.links import REPOSITORY
from fixtures.pipeline.serving import served
from pytest_rollout.model.fault import Fault
from pytest_rollout.targets.reference import IDENTITY_HEADER, Setting
from tests.pipeline.worlds import URL, AtOnce

UNDER = f"/repos/{REPOSITORY}"
Served = Callable[..., httpx.Client]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    """Serve the target as the harness would."""

    def begin(on: int, fault: str = "") -> httpx.Client:
        now = datetime.fromtimestamp(day(on), UTC)
        setting = Setting(tmp_path, now, Fault.parse(fault) if fault else None)
        for name, value in setting.to_environ().items():
            monkeypatch.setenv(name, value)
        return httpx.Client(transport=AtOnce(served()), base_url=URL)

    return begin


def _operate(client: httpx.Client, step: str, **arguments: object) -> dict[str, object]:
    answer = client.post(f"/reference/operator/{step}", json=arguments)
    assert answer.is_success, answer.text
    said: dict[str, object] = answer.json()
    return said


def _runs(client: httpx.Client, file: str) -> list[dict[str, str]]:
    answer = client.get(f"{UNDER}/actions/runs", params={"per_page": 100})
    runs: list[dict[str, str]] = answer.json()["workflow_runs"]
    return [run for run in runs if run["path"].endswith(file) and run["event"] == "schedule"]


def test_the_first_day_begins_with_nothing_scheduled(serve: Served) -> None:
    client = serve(1)
    assert client.get(f"{UNDER}/labels").headers[IDENTITY_HEADER] == "pipeline"
    assert client.get("/reference/clock").json() == {"now": "2026-01-12T00:00:00+00:00"}
    assert not _runs(client, "ops-workflow-assignment.yml")
    said = _operate(client, "days", days=0.5)
    assert said["result"] == {"now": "2026-01-12T12:00:00+00:00"}
    changes = said["actions"]
    assert changes == [
        {"at": f"2026-01-12T00:{at}:00+00:00", "kind": "change", "what": what}
        for at, what in (
            ("00", "enable the assignment schedule"),
            ("02", "enable the processing schedule"),
        )
    ]
    assert len(_runs(client, "ops-workflow-assignment.yml")) == 6
    assert len(_runs(client, "ops-issue-processing.yml")) == 3
    prepared = client.get(
        f"{UNDER}/contents/.github/workflows/ops-issue-processing.yml",
        params={"ref": "rollout/week1"},
    )
    merged = client.get(f"{UNDER}/contents/.github/workflows/ops-issue-processing.yml")
    assert prepared.json()["content"] == merged.json()["content"]


def test_steps_change_what_is_asked_of_them(serve: Served) -> None:
    client = serve(2)
    _operate(client, "days", days=0.01)
    _operate(client, "coordinate-schedules")
    file = "ops-workflow-assignment.yml"
    _operate(client, "fail-runs", workflow=file, count=1, ok_first=1)
    _operate(client, "days", days=0.5)
    newest_last = _runs(client, file)[::-1]
    ended = [run["conclusion"] for run in newest_last][-3:]
    assert ended == ["success", "failure", "success"]
    pipeline = {"authorization": "Bearer github-actions[bot]"}
    _operate(client, "rate", remaining=17)
    rate = client.get("/rate_limit", headers=pipeline).json()["resources"]["core"]
    assert rate["remaining"] == 17
    _operate(client, "refuse", status=429, kind="secondary")
    assert client.get(f"{UNDER}/labels", headers=pipeline).status_code == 429
    alert = _operate(client, "security-alert", kind="dependabot", path="requirements.txt")
    assert alert["result"] == {"number": 1}
    alerts = f"{UNDER}/dependabot/alerts"
    assert len(client.get(alerts, params={"state": "open"}).json()) == 1
    _operate(client, "close-alert", kind="dependabot", number=1)
    assert client.get(alerts, params={"state": "open"}).json() == []


@pytest.mark.parametrize(
    ("step", "arguments"),
    [("days", {"days": -1}), ("days", {"days": "many"}), ("close-alert", {"kind": "x"})],
)
def test_a_step_that_cannot_be_done_is_refused(
    serve: Served, step: str, arguments: dict[str, object]
) -> None:
    client = serve(1)
    answer = client.post(f"/reference/operator/{step}", json=arguments)
    assert answer.status_code in (400, 404)


def test_a_workflow_is_disabled_when_the_phase_begins(serve: Served) -> None:
    client = serve(1, "workflow-disabled:file=ops-issue-processing.yml")
    workflow = client.get(f"{UNDER}/actions/workflows/ops-issue-processing.yml").json()
    assert workflow["state"] == "disabled_manually"


def test_nobody_says_what_remains(serve: Served) -> None:
    client = serve(1, "github-503")
    assert client.get("/rate_limit").status_code == 503
    assert client.get(f"{UNDER}/labels").is_success


def test_an_issue_carries_two_states_when_the_phase_begins(serve: Served) -> None:
    client = serve(1, "two-states-before")
    asked = {"labels": "state::assigned,state::copilot"}
    (issue,) = client.get(f"{UNDER}/issues", params=asked).json()
    events = client.get(f"{UNDER}/issues/{issue['number']}/timeline").json()
    assert events[-1]["actor"]["type"] == "User"
