"""Day 6, runway alerts: forced by drill projects, and those that the stress run itself crossed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from pytest_rollout import Observe
from suites.plms.scenarios.stress_test import FORCED, PAIR, Forced, Looks, Stress
from suites.plms.views.answers import not_done, recorded
from suites.plms.views.listed import listed
from suites.plms.views.runway_alerts import (
    EARLY,
    LIMITS,
    Crossing,
    RunwayAlert,
    alerts_of,
    crossings_of,
)

pytestmark = pytest.mark.day6

CHANNEL = "#plms-ops"
TOLD = {  # criterion: its series, the level of the limit, and the service
    "warning-t15": ("t15_warnings", "warning", "slack"),
    "warning-t5-slack": ("t5_critical_slack", "critical", "slack"),
    "warning-t5-pagerduty": ("t5_pd_incidents", "critical", "pagerduty"),
}
LOOK = timedelta(seconds=30)
KNOWN = {*PAIR, *FORCED}
each_criterion = pytest.mark.parametrize(
    ("metric", "level", "service"),
    [
        pytest.param(*told, marks=pytest.mark.criterion(name), id=name)
        for name, told in TOLD.items()
    ],
)


def crossed(looks: Looks) -> list[Crossing]:
    """When the runway fell under each limit, in order."""
    runway = [(at, answer.number_or_none("budget_runway_minutes")) for at, answer in looks.answers]
    return sorted(crossings_of(runway), key=lambda crossing: crossing.at)


def told(alerts: list[RunwayAlert], project: int, level: str, service: str) -> list[RunwayAlert]:
    """The alerts of one project and level over one service; each must say what it is of."""
    of = [alert for alert in alerts if (alert.project, alert.service) == (project, service)]
    mine = [alert for alert in of if alert.severity == level]
    for alert in mine:
        limit = rf"(?<![\d.]){LIMITS[level]}(?![\d.]*\d)"
        assert re.search(limit, alert.text), f"an alert does not say the limit: {alert.text}"
        named = {int(number) for number in re.findall(r"(?<![\d.])\d+(?![\d.]*\d)", alert.text)}
        assert project in named, f"an alert of project {project} does not say so: {alert.text}"
        others = sorted(named & (KNOWN - {project}))
        assert not others, f"an alert of project {project} also names {others[0]}: {alert.text}"
        if service == "slack":
            assert alert.channel == CHANNEL, f"an alert went to {alert.channel}, not to {CHANNEL}"
    return mine


def _looks(short: Forced, project: int) -> Looks:
    """What was told of a project whose budget ends with its work; missing where nobody ran it."""
    looks = short.runways.get(project)
    if looks is None:
        not_done(
            f"project {project} ran in no drill that used up its budget",
            recorded("day6", "change", f"drill: project {project} started, its budget ends"),
        )
    return looks


@each_criterion
def test_a_forced_crossing_is_told(
    short_runways: Forced, observe: Observe, metric: str, level: str, service: str
) -> None:
    alerts = alerts_of(short_runways.alerts)
    for project in FORCED:
        looks = _looks(short_runways, project)
        due = [crossing for crossing in crossed(looks) if crossing.level == level]
        assert len(due) == 1, f"project {project} crossed {LIMITS[level]} minutes {len(due)} times"
        (crossing,) = due
        # The budget ends with the work, so the clock says how long it lasted.
        end = looks.answers[-1][0] + LOOK / 2
        limit = timedelta(minutes=LIMITS[level])
        assert abs(end - limit - crossing.at) <= 2 * LOOK, (
            f"project {project} is told to have {LIMITS[level]} minutes left at {crossing.at},"
            f" and its budget ended at {end}"
        )
        mine = told(alerts, project, level, service)
        early = [alert.at for alert in mine if crossing.early(alert)]
        assert not early, (
            f"project {project} was told of before it crossed the limit, at {listed(early)}"
        )
        for alert in mine:
            left = [
                answer["budget_runway_minutes"] for at, answer in looks.answers if at == alert.at
            ]
            exact = f"project {project} was told to have less than {LIMITS[level]} minutes left"
            for minutes in left:  # as it was told at the same moment
                few = minutes is not None and minutes < LIMITS[level]
                assert few, f"{exact} while it had {minutes}: the limit itself is no breach"
        in_time = sum(map(crossing.in_time, mine))
        observe(metric, in_time, at=crossing.at, project=project)


@each_criterion
def test_what_the_stress_run_crosses_is_told(
    stress_run: Stress, observe: Observe, metric: str, level: str, service: str
) -> None:
    alerts = alerts_of(stress_run.alerts)
    for project, looks in stress_run.runways.items():
        due = [crossing for crossing in crossed(looks) if crossing.level == level]
        mine = told(alerts, project, level, service)
        early = [alert.at for alert in mine if not due or due[0].early(alert)]
        assert not early, (
            f"project {project} was told of and had not crossed the limit, at {listed(early)}"
        )
        for crossing in due:
            in_time = sum(map(crossing.in_time, mine))
            observe(metric, in_time, at=crossing.at, project=project)


@pytest.mark.criterion("warning-t15")
@pytest.mark.parametrize("project", FORCED)
def test_a_warning_opens_no_incident(short_runways: Forced, project: int) -> None:
    limits = {crossing.level: crossing.at for crossing in crossed(_looks(short_runways, project))}
    assert set(limits) == set(LIMITS), f"project {project} crossed {', '.join(limits) or 'nothing'}"
    paged = [
        alert
        for alert in alerts_of(short_runways.alerts)
        if (alert.project, alert.service) == (project, "pagerduty")
    ]
    early = [alert for alert in paged if alert.at < limits["critical"] - EARLY]
    said = "; ".join(f"{alert.at:%H:%M:%S} {alert.text}" for alert in early)
    assert not early, f"PagerDuty was called before {LIMITS['critical']} minutes were left: {said}"


@pytest.mark.criterion("warning-t5-pagerduty")
def test_an_incident_is_critical(short_runways: Forced) -> None:
    paged = [alert for alert in alerts_of(short_runways.alerts) if alert.service == "pagerduty"]
    mild = [f"{alert.severity}: {alert.text}" for alert in paged if alert.severity != "critical"]
    assert not mild, f"incidents are not critical: {'; '.join(mild)}"


@pytest.mark.criterion("warnings-ordered-once")
def test_each_crossing_is_told_once_and_in_order(short_runways: Forced, observe: Observe) -> None:
    alerts = [alert for alert in alerts_of(short_runways.alerts) if alert.service == "slack"]
    for project in FORCED:
        due = [crossing.level for crossing in crossed(_looks(short_runways, project))]
        for number, alert in enumerate(a for a in alerts if a.project == project):
            amiss = number >= len(due) or alert.severity != due[number]
            observe("alert_amiss", amiss, at=alert.at, project=project, number=number)
