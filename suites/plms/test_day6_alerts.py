"""Day 6, the way back, and who is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from suites.plms.scenarios.stress_test import PAIR, Withdrawn

pytestmark = pytest.mark.day6


# The way back


@pytest.mark.criterion("rollback-projects-cancelled")
@pytest.mark.parametrize("project", PAIR)
def test_rollback_cancels_the_project(stress_rolled_back: Withdrawn, project: int) -> None:
    found = {one.status for one in stress_rolled_back.later.projects if one.id == project}
    assert found == {"cancelled"}, f"half a minute later project {project} is {found}"


@pytest.mark.criterion("rollback-submissions-paused")
def test_rollback_pauses_submissions(stress_rolled_back: Withdrawn) -> None:
    answer = stress_rolled_back.refused
    assert answer in (409, 423, 503), f"a start after the roll-back answers {answer}"


@pytest.mark.criterion("rollback-team-alerted")
def test_rollback_is_announced(stress_rolled_back: Withdrawn) -> None:
    texts: list[Any] = [
        alert.body.get("text") or alert.body.get("payload", {}).get("summary")
        for alert in stress_rolled_back.alerts
    ]
    told = [text for text in texts if "rolled back" in str(text) and "cancelled" in str(text)]
    assert told, f"nobody was told of the roll-back; what arrived: {texts}"
