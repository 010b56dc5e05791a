"""The week in which v5 serves three creators: each by itself, and all together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest

from pytest_rollout import NoValueError, Observe, recount
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
from suites.eros.views.limit_cases import ADOPTERS as CASES
from suites.eros.views.limit_cases import observe_cases
from suites.eros.views.oracle import paid_items
from suites.eros.views.routing import ADOPTERS
from suites.eros.views.service import Service

__all__ = ["test_times_are_told_as_they_were"]

pytestmark = pytest.mark.early_adopters

DAILY = ("three-schedules", "cross-tier", "free-vs-paid", "tier-issues")
PROFILES = {
    "alexia": ("STANDARD", "paid"),
    "grace_bennett": ("HIGH_VALUE", "paid"),
    "luna_free": ("STANDARD", "free"),
}
VOLUMES = ("low", "moderate", "high")


@pytest.mark.criterion("no-rollback-in-force")
def test_nothing_was_taken_back_before(service: Service, arrived: Mapping[str, Any]) -> None:
    assert not service.get("/rollback").flag("active")
    assert service.get("/flags").flag("EROS_V5_ENABLED"), "v5 was switched off after the canary"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param(name, value, marks=pytest.mark.criterion(f"config-{slug}"), id=slug)
        for slug, name, value in (
            ("enabled", "EROS_V5_ENABLED", True),
            ("shadow-mode", "EROS_V5_SHADOW_MODE", False),
            ("percentage", "EROS_V5_PERCENTAGE", 0),
            ("creators", "EROS_V5_CREATORS", sorted(ADOPTERS)),
        )
    ],
)
def test_a_flag_stays_as_configured(adopters_week: Lived, name: str, expected: object) -> None:
    demand_flag(adopters_week, name, expected)


@pytest.mark.criterion("only-three-on-v5")
def test_v5_serves_the_three_alone(adopters_week: Lived, observe: Observe) -> None:
    def due(name: str) -> str:
        return "v5" if name in ADOPTERS else "v4"

    observe_pipelines(adopters_week, observe, "wrong_pipeline", due)
    for line in adopters_week.log("eros.router", "decision"):
        name, target = line.text("creator"), line.text("target")
        assert target == due(name), f"the router sent {name} to {target}"
    ran = {run.creator for run in adopters_week.runs if run.pipeline == "v5"}
    assert ran == set(ADOPTERS), f"v5 ran for {sorted(ran)}"


# Who they are


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.criterion(f"profile-{name.replace('_', '-')}"))
        for name in PROFILES
    ],
)
def test_an_adopter_is_registered_as_described(service: Service, name: str) -> None:
    roster = {member.text("name"): member for member in service.roster}
    creator, alexia = roster[name], roster["alexia"]
    assert (creator.text("tier"), creator.text("page_type")) == PROFILES[name]
    if name == "grace_bennett":  # more revenue, and more volume
        assert creator.whole("revenue_rank") < alexia.whole("revenue_rank")
        volumes = [VOLUMES.index(member.text("volume")) for member in (alexia, creator)]
        assert volumes[0] < volumes[1], "grace_bennett posts no more than alexia"


@pytest.mark.criterion("covers-page-types")
def test_the_three_cover_the_roster(service: Service, observe: Observe, moment: datetime) -> None:
    roster = {creator.text("name"): creator for creator in service.roster}
    for kind in ("tier", "page_type"):
        there = {creator.text(kind) for creator in roster.values()}
        covered = {roster[name].text(kind) for name in ADOPTERS}
        for value in sorted(there):
            observe("not_covered", value not in covered, at=moment, kind=kind, value=value)


# How well they are served


@pytest.mark.criterion("success-rate")
@pytest.mark.criterion("success-rate-alexia")
@pytest.mark.criterion("success-rate-grace-bennett")
@pytest.mark.criterion("success-rate-luna-free")
@pytest.mark.criterion("latency-p95")
@pytest.mark.criterion("quality-avg")
@pytest.mark.criterion("hard-gate-violations")
def test_runs_of_the_adopters(adopters_week: Lived, observe: Observe) -> None:
    observe_served(adopters_week, observe)


@pytest.mark.criterion("quality-avg")
def test_scores_are_no_constant(adopters_week: Lived) -> None:
    demand_varied(adopters_week.served)


@pytest.mark.criterion("success-rate")
def test_monitoring_says_what_ran(adopters_week: Lived) -> None:
    stretch = {"since": adopters_week.begun, "until": adopters_week.ended}
    said = adopters_week.service.get("/monitoring", **stretch).inner("creators")
    compared = []
    for name in ADOPTERS:
        runs = [run for run in adopters_week.served if run.creator == name]
        shown = said.inner(name)
        good = sum(run.ok for run in runs) / len(runs)
        slow = float(p95([exact(run.seconds) for run in runs]))
        scores, broken = figures.quality(runs), sum(bool(adopters_week.broken(run)) for run in runs)
        compared += [
            (f"{name}, runs", shown.number("runs"), len(runs)),
            (f"{name}, success", shown.number("success"), good),
            (f"{name}, duration_s_p95", shown.number("duration_s_p95"), slow),
            (f"{name}, violation_rate", shown.number("violation_rate"), broken / len(runs)),
            (f"{name}, quality", shown["quality"], None if scores is None else float(scores)),
        ]
    recount("monitoring of the adopters", compared, within=0.051).demand(at_least=15, varied=True)
    demand_deliveries(adopters_week)


@pytest.mark.criterion("seven-days-all-stable")
def test_the_same_seven_days_are_stable(adopters_week: Lived, observe: Observe) -> None:
    for name in ADOPTERS:
        observe_steadiness(adopters_week, observe, name)


@pytest.mark.criterion("no-rollback-trigger")
def test_no_condition_held(adopters_week: Lived, observe: Observe) -> None:
    if not set(ADOPTERS) <= set(adopters_week.baseline):
        raise NoValueError("the week of shadow mode left no scores of v4 to compare with")
    for run in adopters_week.v4_before:
        if run.creator in ADOPTERS and run.quality is not None:
            labels = {"creator": run.creator, "pipeline": "v4"}
            observe("quality_score", run.quality, at=run.ended, **labels)
    outcomes = adopters_week.outcomes()
    observe_so_far(adopters_week, observe, outcomes)
    observe_conditions(adopters_week, observe, outcomes, first=30)


@pytest.mark.criterion("trigger-boundary")
def test_both_sides_of_the_limits_of_the_adopters(service: Service, observe: Observe) -> None:
    observe_cases(service, observe, "early_adopters", CASES)


@pytest.mark.criterion("trigger-boundary")
def test_the_controller_sees_what_happens(
    both_sides: Sequence[Happened], adopters_week: Lived
) -> None:
    demand_seen(both_sides, adopters_week)


@pytest.mark.criterion("free-vs-paid-rules")
def test_free_and_paid_pages_get_their_own(adopters_week: Lived, observe: Observe) -> None:
    of_v5 = {run.run_id for run in adopters_week.served}
    paid = dict.fromkeys(ADOPTERS, 0)
    for draft in adopters_week.drafts.values():
        name = draft.text("creator")
        if draft.text("run_id") in of_v5 and name in paid:
            many = paid_items(draft.each("draft"))
            free = adopters_week.roster[name].text("page_type") == "free"
            broken = many if free else int(many == 0)
            observe("page_rule_broken", broken, at=adopters_week.ended, creator=name)
            paid[name] += many
    assert paid["alexia"], "no paid page got a paid item, so the rule shows nothing"


@pytest.mark.parametrize(
    "task", [pytest.param(name, marks=pytest.mark.criterion(f"daily-{name}")) for name in DAILY]
)
def test_a_daily_task_is_done(adopters_week: Lived, observe: Observe, task: str) -> None:
    observe_task(adopters_week, observe, task)
