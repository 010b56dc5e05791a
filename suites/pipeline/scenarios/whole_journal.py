"""Everything that happened so far, as the guardrails of the rollback read it."""

from __future__ import annotations

import pytest

from pytest_rollout import RolloutError, Stage, scenario
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.schedules import DAILY, PROCESS
from suites.pipeline.views.series import Sources

_DAYS = 11  # longer than any other scenario of the phase: what is judged is the latest time
_TIME_FOR_A_RUN = 0.014  # days: 20 minutes


@scenario(effect="change")
def two_runs_of_each(phase: Stage) -> None:
    """Days pass; then processing and the daily run are started by hand, twice.

    By schedule six hours hold less than two of their runs, and their failure rate is not judged.
    """
    phase.operate("github", "days", days=_DAYS)
    hub = Hub.of(phase)
    for _ in range(2):
        for name in (DAILY, PROCESS):
            answer = hub.ask("POST", f"/actions/workflows/{name}/dispatches", json={"ref": "main"})
            if not answer.is_success:
                raise RolloutError(f"{name} was not started by hand: {answer.status_code}")
            phase.operate("github", "days", days=_TIME_FOR_A_RUN)


@pytest.fixture(scope="session")
def first_days_lived(phase: Stage, request: pytest.FixtureRequest) -> None:
    """The first days, in a rehearsal only: elsewhere they pass by themselves."""
    if phase.embedded:
        request.getfixturevalue("two_runs_of_each")


@scenario(effect="observe")
def lived(phase: Stage, first_days_lived: None) -> Sources:
    """All that is on record."""
    files = phase.file("telemetry"), phase.file("records")
    return Sources(Hub.of(phase), *files, phase.now(), phase.file("checkout"))
