"""The week in which v5 serves alexia: who is served, how well, how steadily, what people did."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import pytest

from pytest_rollout import NoValueError, Observe, Stage, recount
from suites.eros.checks.timed import test_times_are_told_as_they_were
from suites.eros.scenarios.live_cases import Happened, demand_seen
from suites.eros.scenarios.weeks import Lived
from suites.eros.views import figures
from suites.eros.views.checks import (
    demand_deliveries,
    demand_flag,
    demand_varied,
    observe_conditions,
    observe_pipelines,
    observe_served,
    observe_so_far,
    observe_steadiness,
    observe_task,
)
from suites.eros.views.conditions import p95
from suites.eros.views.journal import exact
from suites.eros.views.limit_cases import CANARY, observe_cases
from suites.eros.views.records import noted
from suites.eros.views.service import Service

__all__ = ["test_times_are_told_as_they_were"]

pytestmark = pytest.mark.canary

CREATOR = "alexia"
DAILY = {"schedule-quality", "dashboard", "revenue", "anomalies"}


@pytest.mark.criterion("shadow-issues-closed")
def test_no_issue_of_shadow_mode_is_open(phase: Stage, arrived: Mapping[str, Any]) -> None:
    issues = [
        issue for issue in noted(phase.file("records"), "issue") if issue.text("label") == "shadow"
    ]
    gates = [
        gate for gate in noted(phase.file("records"), "gate") if gate.text("phase") == "shadow"
    ]
    if not issues and not gates:
        raise NoValueError("nobody wrote down an issue of shadow mode, nor its gate")
    newest = {issue.text("id"): issue for issue in issues}
    left = [name for name, issue in newest.items() if issue.text("state") != "closed"]
    assert not left, f"open: {', '.join(left)}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param(name, value, marks=pytest.mark.criterion(f"config-{slug}"), id=slug)
        for slug, name, value in (
            ("enabled", "EROS_V5_ENABLED", True),
            ("shadow-mode", "EROS_V5_SHADOW_MODE", False),
            ("percentage", "EROS_V5_PERCENTAGE", 0),
            ("creators", "EROS_V5_CREATORS", [CREATOR]),
        )
    ],
)
def test_a_flag_stays_as_configured(canary_week: Lived, name: str, expected: object) -> None:
    demand_flag(canary_week, name, expected)


@pytest.mark.criterion("only-alexia-on-v5")
def test_v5_serves_alexia_alone(canary_week: Lived, observe: Observe) -> None:
    due = {True: "v5", False: "v4"}
    observe_pipelines(canary_week, observe, "wrong_pipeline", lambda name: due[name == CREATOR])
    for line in canary_week.log("eros.router", "decision"):
        name, target = line.text("creator"), line.text("target")
        assert target == due[name == CREATOR], f"the router sent {name} to {target}"
    ran = {run.creator for run in canary_week.runs if run.pipeline == "v5"}
    assert ran == {CREATOR}, f"v5 ran for {sorted(ran)}"


@pytest.mark.criterion("canary-profile")
def test_alexia_is_a_typical_creator(service: Service) -> None:
    creator = {member.text("name"): member for member in service.roster}[CREATOR]
    profile = (creator.text("tier"), creator.text("page_type"), creator.text("volume"))
    assert profile == ("STANDARD", "paid", "moderate")


@pytest.mark.criterion("canary-low-revenue")
def test_alexia_does_not_earn_the_most(phase: Stage, service: Service) -> None:
    ranks = {creator.text("name"): creator.whole("revenue_rank") for creator in service.roster}
    assert sorted(ranks.values()) == list(range(1, len(ranks) + 1)), "ranks are not 1, 2, …"
    top = ceil(len(ranks) / 4)
    assert ranks[CREATOR] > top, f"rank {ranks[CREATOR]} of {len(ranks)} is within the top {top}"
    path = phase.file("revenue")
    if path.is_file():  # the figures themselves, where there are any
        earned: dict[str, float] = defaultdict(float)
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                earned[row["creator"]] += float(row["revenue"])
        more = sum(sum_ > earned[CREATOR] for sum_ in earned.values())
        assert CREATOR not in earned or more >= top, f"only {more} creators earn more"


@pytest.mark.criterion("success-rate")
@pytest.mark.criterion("latency-p95")
@pytest.mark.criterion("quality-avg")
@pytest.mark.criterion("hard-gate-violations")
@pytest.mark.criterion("enough-runs")
def test_runs_of_the_canary(canary_week: Lived, observe: Observe) -> None:
    observe_served(canary_week, observe)


@pytest.mark.criterion("quality-avg")
def test_scores_are_no_constant(canary_week: Lived) -> None:
    demand_varied(canary_week.served)


@pytest.mark.criterion("success-rate")
def test_monitoring_says_what_ran(canary_week: Lived) -> None:
    runs = canary_week.served
    said = canary_week.service.get(
        "/monitoring", since=canary_week.begun, until=canary_week.ended, creator=CREATOR
    )
    good = sum(run.ok for run in runs) / len(runs)
    slow = float(p95([exact(run.seconds) for run in runs]))
    broken = sum(bool(canary_week.broken(run)) for run in runs)
    scores = figures.quality(runs)
    compared = [
        ("quality", said.number_or_none("quality"), None if scores is None else float(scores)),
        ("runs", said.number("runs"), len(runs)),
        ("success", said.number("success"), good),
        ("duration_s_p95", said.number("duration_s_p95"), slow),
        ("violations", said.number("violations"), broken),
    ]
    recount("monitoring of the canary", compared, within=0.051).demand(at_least=5)
    demand_deliveries(canary_week)


@pytest.mark.criterion("seven-days-stable")
def test_seven_days_are_stable(canary_week: Lived, observe: Observe) -> None:
    observe_steadiness(canary_week, observe, CREATOR)


@pytest.mark.criterion("no-rollback-trigger")
def test_no_condition_held(canary_week: Lived, observe: Observe) -> None:
    outcomes = canary_week.outcomes()
    observe_so_far(canary_week, observe, outcomes)
    observe_conditions(canary_week, observe, outcomes, first=10)


@pytest.mark.criterion("trigger-boundary")
def test_both_sides_of_the_limits_of_the_canary(service: Service, observe: Observe) -> None:
    observe_cases(service, observe, "canary", CANARY)


@pytest.mark.criterion("trigger-boundary")
def test_the_controller_sees_what_happens(
    both_sides: Sequence[Happened], canary_week: Lived
) -> None:
    demand_seen(both_sides, canary_week)


@pytest.mark.parametrize(
    "task",
    [pytest.param(name, marks=pytest.mark.criterion(f"daily-{name}")) for name in sorted(DAILY)],
)
def test_a_daily_task_is_done(canary_week: Lived, observe: Observe, task: str) -> None:
    observe_task(canary_week, observe, task)
