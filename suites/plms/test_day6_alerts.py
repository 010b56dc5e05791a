"""Day 6, what people are told and the way back: runway alerts, roll-back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from pytest_rollout import Observe
from suites.plms.scenarios.stress_test import (
    FORCED,
    PAIR,
    Alert,
    Forced,
    Stress,
    Withdrawn,
    crossed,
    runway_alerts,
)
from suites.plms.views.promises import cancelled_for_good

pytestmark = pytest.mark.day6


# Runway alerts: forced by drill projects, and those that the stress run itself crossed


@pytest.mark.parametrize(
    ("metric", "level", "service"),
    [
        pytest.param(metric, level, service, marks=pytest.mark.criterion(criterion))
        for metric, level, service, criterion in [
            ("t15_warnings", "warning", "slack", "warning-t15"),
            ("t5_critical_slack", "critical", "slack", "warning-t5-slack"),
            ("t5_pd_incidents", "critical", "pagerduty", "warning-t5-pagerduty"),
        ]
    ],
)
def test_crossing_a_limit_is_told(
    forced_runway: Forced,
    stress_run: Stress,
    observe: Observe,
    metric: str,
    level: str,
    service: str,
) -> None:
    for seen in (forced_runway, stress_run):
        alerts = [a for a in runway_alerts(seen.alerts) if a.service == service]
        for project, looks in seen.runways.items():
            mine = [a for a in alerts if a.project == project and a.severity == level]
            for at in [at for under, at in crossed(looks) if under == level]:
                observe(metric, _in_time(mine, at), at=at, project=project)


def _in_time(alerts: list[Alert], seen: datetime) -> int:
    """How many alerts came within a minute of a crossing."""
    begin, end = seen - timedelta(seconds=30), seen + timedelta(seconds=60)
    return sum(begin < alert.at <= end for alert in alerts)


@pytest.mark.criterion("warnings-ordered-once")
def test_each_crossing_is_told_once_and_in_order(forced_runway: Forced, observe: Observe) -> None:
    alerts = [one for one in runway_alerts(forced_runway.alerts) if one.service == "slack"]
    for project in FORCED:
        due = [level for level, _ in crossed(forced_runway.runways[project])]
        for number, alert in enumerate(a for a in alerts if a.project == project):
            amiss = number >= len(due) or alert.severity != due[number]
            observe("alert_amiss", amiss, at=alert.at, project=project, number=number)


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
    assert statuses == ["executing"], f"half a minute after its start the run is {statuses}"


@pytest.mark.criterion("rollback-team-alerted")
def test_rollback_is_announced(stress_rolled_back: Withdrawn) -> None:
    texts: list[Any] = [
        alert.body.get("text") or alert.body.get("payload", {}).get("summary")
        for alert in stress_rolled_back.alerts
    ]
    told = [text for text in texts if "rolled back" in str(text)]
    assert told, f"nobody was told of the roll-back; what arrived: {texts}"
