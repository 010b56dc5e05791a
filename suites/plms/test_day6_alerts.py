"""Day 6, the way back, and who is told of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from suites.plms.scenarios.stress_test import PAIR, Withdrawn
from suites.plms.views.promises import cancelled_for_good

pytestmark = pytest.mark.day6


# The way back


@pytest.mark.criterion("rollback-projects-cancelled")
@pytest.mark.parametrize("project", PAIR)
def test_rollback_cancels_the_project(stress_rolled_back: Withdrawn, project: int) -> None:
    left = stress_rolled_back
    cancelled_for_good(left.before, left.later, project, PAIR[project])


@pytest.mark.criterion("rollback-submissions-paused")
def test_rollback_pauses_submissions(stress_rolled_back: Withdrawn) -> None:
    answer, switch = stress_rolled_back.refused, stress_rolled_back.switch
    assert switch == "false", f"accept_new_projects is {switch!r} after the roll-back, not 'false'"
    assert answer in (409, 423, 503), f"a start after the roll-back answers {answer}"
    left = stress_rolled_back.left
    assert not left, f"the refused start left a run: {[dict(run) for run in left]}"


@pytest.mark.criterion("rollback-submissions-resumed")
def test_submissions_are_resumed(stress_rolled_back: Withdrawn) -> None:
    again = stress_rolled_back.reopened
    assert again.status == httpx.codes.OK, f"a start after that answers {again.status}, not 200"
    statuses = [run["status"] for run in stress_rolled_back.running]
    runs = ", ".join(f"{run['run_id']} is {run['status']}" for run in stress_rolled_back.running)
    said = f"half a minute after one start of project 301 it has {len(statuses)} open runs"
    assert len(statuses) == 1, f"{said}, not one: {runs or 'none'}"
    assert statuses == ["executing"], f"half a minute after its start {runs}, not executing"


@pytest.mark.criterion("rollback-team-alerted")
def test_rollback_is_announced(stress_rolled_back: Withdrawn) -> None:
    texts: list[Any] = [
        alert.body.get("text") or alert.body.get("payload", {}).get("summary")
        for alert in stress_rolled_back.alerts
    ]
    told = [text for text in texts if "rolled back" in str(text) and "cancelled" in str(text)]
    assert told, f"nobody was told of the roll-back; what arrived: {texts}"
