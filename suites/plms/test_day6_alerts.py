"""Day 6, the way back, and who is told of it."""

from __future__ import annotations

import httpx
import pytest

from suites.plms.scenarios.stress_test import PAIR, Withdrawn
from suites.plms.views.promises import cancelled_for_good
from suites.plms.views.runway_alerts import words_of

pytestmark = pytest.mark.day6
WHEN = ("after the roll-back", "half an hour after the roll-back")
BEGUN_AGAIN = "of project 301, which the roll-back cancelled,"


# The way back


@pytest.mark.criterion("rollback-projects-cancelled")
@pytest.mark.parametrize("project", PAIR)
def test_rollback_cancels_the_project(stress_rolled_back: Withdrawn, project: int) -> None:
    left = stress_rolled_back
    cancelled_for_good(left.before, left.later, project, PAIR[project])


@pytest.mark.criterion("rollback-submissions-paused")
def test_rollback_pauses_submissions(stress_rolled_back: Withdrawn) -> None:
    seen = stress_rolled_back
    for when, switch in zip(WHEN, seen.switches, strict=True):
        assert switch == "false", f"accept_new_projects is {switch!r} {when}, not 'false'"
    for when, answer in zip((*WHEN, BEGUN_AGAIN), seen.refused, strict=True):
        assert answer in (409, 423, 503), f"a start {when} answers {answer}"
    left = ", ".join(f"{run['run_id']} ({run['status']})" for run in seen.left)
    assert not left, f"starts that were refused left runs: {left}"


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
    trouble = stress_rolled_back.trouble
    assert not trouble, f"the roll-back broke off before PagerDuty was told: {trouble}"
    counts = {"slack": 0, "pagerduty": 0}
    for alert in stress_rolled_back.alerts:
        told = "rolled back" in words_of(alert) and "cancelled" in words_of(alert)
        counts[alert.service] = counts.get(alert.service, 0) + told
    arrived = "; ".join(
        f"{alert.service}: {words_of(alert)}" for alert in stress_rolled_back.alerts
    )
    silent = [service for service, count in counts.items() if not count]
    words = f"nobody was told of the roll-back over {' and '.join(silent)}"
    assert not silent, f"{words}; what arrived: {arrived or 'nothing'}"
