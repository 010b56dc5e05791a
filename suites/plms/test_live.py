"""The whole week: hard stops, thresholds, windows, stand-ups, escalation and channels."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pytest_rollout import Observe, Stage
from suites.plms.scenarios.live_week import (
    APPROVED,
    OVERRUN,
    QUARANTINED,
    Budgets,
    Quarantine,
    Week,
)
from suites.plms.views import run_figures

pytestmark = pytest.mark.live

ZONE = ZoneInfo("America/New_York")
DAYS = range(10, 15)  # working days of the rollout, in November
ROUTES = {
    "ops issue": {"Operations lead"},
    "estimation issue": {"Engineering lead"},
    "kpi gate failure": {"PM", "Engineering"},
    "incident": {"Operations lead", "Engineering lead", "PM", "#plms-rollout"},
}
CHANNELS = {
    "#plms-rollout": {"daily update", "question", "incident"},
    "plms-ops@company.com": {"critical incident"},
    "pagerduty": {"invariants failure", "budget depletion"},
}


# Hard stops


@pytest.mark.criterion("budget-overrun-pauses")
def test_a_run_over_its_budget_is_paused(overrunning: Budgets, observe: Observe) -> None:
    for reading in overrunning.readings:
        if reading.overrun > OVERRUN and reading.project != APPROVED:
            goes_on = reading.status != "paused"
            observe("overrun_goes_on", goes_on, at=reading.at, project=reading.project)


@pytest.mark.criterion("budget-overrun-boundary")
@pytest.mark.parametrize(("project", "paused"), [(951, False), (952, True)], ids=["at", "over"])
def test_the_limit_itself_is_allowed(overrunning: Budgets, project: int, *, paused: bool) -> None:
    last = [reading for reading in overrunning.readings if reading.project == project][-1]
    assert (last.overrun > OVERRUN) is paused, f"{project} overruns by {last.overrun}"
    assert (last.status == "paused") is paused, f"{last.status} at an overrun of {last.overrun}"


@pytest.mark.criterion("budget-overrun-pm-override")
def test_only_the_pm_lets_an_overrun_go_on(overrunning: Budgets) -> None:
    over = {reading.project for reading in overrunning.readings if reading.overrun > OVERRUN}
    last = {reading.project: reading.status for reading in overrunning.readings}
    going = {project for project in over if last[project] == "executing"}
    assert APPROVED in going, f"{APPROVED} was approved and is {last[APPROVED]}"
    given = [approval for approval in overrunning.approvals if approval.kind == "approval"]
    by_pm = {
        one.says["project"]
        for one in given
        if one.says["role"] == "pm" and one.says["by"] and one.says["reason"]
    }
    assert going <= by_pm, f"{sorted(going - by_pm)} go on without an approval of the PM"


@pytest.mark.parametrize(
    "project",
    [
        pytest.param(961, marks=pytest.mark.criterion("quarantine-kpi-fail")),
        pytest.param(962, marks=pytest.mark.criterion("quarantine-sandbox")),
    ],
)
def test_a_run_that_may_not_teach_teaches_nothing(
    quarantined: Quarantine, project: int, observe: Observe
) -> None:
    assert project in quarantined.ended, f"project {project} has no run"
    assert quarantined.ended[project] in ("completed", "needs_review"), "the run has not ended"
    observe("reached_priors", quarantined.taught[project], why=QUARANTINED[project])


@pytest.mark.criterion("canary-autobump")
def test_a_rehearsal_that_is_too_small_is_raised(canary: Mapping[str, Any]) -> None:
    asked, drawn = canary["requested_pct"], canary["actual_pct"]
    assert drawn > asked, f"{asked:.1%} do not cover every stratum, {drawn:.1%} were drawn"
    assert canary["auto_bumped"] is True, f"auto_bumped is {canary['auto_bumped']}"


@pytest.mark.criterion("canary-bump-cap")
def test_it_is_raised_to_five_percent_at_most(canary: Mapping[str, Any], observe: Observe) -> None:
    observe("rehearsed_share", canary["actual_pct"])


@pytest.mark.criterion("canary-uncovered-at-cap")
def test_it_covers_every_stratum(canary: Mapping[str, Any], observe: Observe) -> None:
    observe("strata_coverage", canary["strata_coverage"])


# Thresholds, lane by lane


@pytest.mark.criterion("mae-not-critical", "mae-not-warning")
def test_estimation_error(live_week: Week, observe: Observe) -> None:
    for run in run_figures.completed(live_week.registry):
        found = run_figures.error(run)
        if found is not None:
            observe("abs_error_share", found, at=_ended(run), lane=run["lane_name"])


@pytest.mark.criterion("ci-width-not-critical", "ci-width-not-warning")
def test_interval_width(live_week: Week, observe: Observe) -> None:
    for run in run_figures.completed(live_week.registry):
        found = run_figures.width(run)
        if found is not None:
            observe("ci_width", found, at=_ended(run), lane=run["lane_name"])


@pytest.mark.criterion("kpi-pass-rate-not-critical", "kpi-pass-rate-not-warning")
def test_kpi_pass_rate(live_week: Week, observe: Observe) -> None:
    for run in run_figures.finished(live_week.registry):
        passed = bool(run["validation_pass"])
        observe("kpi_passed", passed, at=_ended(run), lane=run["lane_name"])


@pytest.mark.criterion("invariants-failures-not-critical", "invariants-failures-not-warning")
def test_invariants_failures(live_week: Week, observe: Observe) -> None:
    last = max(datetime.fromisoformat(run["ended_at"]) for run in live_week.checks)
    for run in live_week.checks:
        if datetime.fromisoformat(run["ended_at"]) <= last - timedelta(days=7):
            continue
        at, failed = datetime.fromisoformat(run["ended_at"]), run["status"] != "OK"
        observe("invariants_failures", failed, at=at, drill=bool(run["drill"]))


@pytest.mark.criterion("runway-not-critical", "runway-not-warning")
def test_budget_runway(live_week: Week, observe: Observe) -> None:
    for entry in live_week.of("runway"):
        says = entry.says
        labels = {"project": says["project"], "drill": says["drill"]}
        observe("runway", says["minutes"], at=entry.at, **labels)


@pytest.mark.criterion("threshold-breach-has-action")
def test_a_breach_is_answered(live_week: Week, observe: Observe) -> None:
    answers = {(one.says["of"], one.says["project"]) for one in live_week.of("answer")}
    for breach in live_week.of("breach"):
        what = (breach.says["of"], breach.says["project"])
        observe("breach_unanswered", what not in answers, at=breach.at, of=what[0])


def _ended(run: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(run["completed_at"])


# Windows


@pytest.mark.criterion("change-window-weekdays")
def test_changes_on_weekdays_are_in_the_window(live_week: Week, observe: Observe) -> None:
    for change in live_week.of("change"):
        local = change.at.astimezone(ZONE)
        if local.weekday() < 5:
            inside = local.weekday() < 4 and time(9) <= local.time() < time(16)
            observe("change_outside", not inside, at=change.at, what=change.says["what"])


@pytest.mark.criterion("change-window-weekend")
def test_changes_at_weekends_are_of_low_risk(live_week: Week, observe: Observe) -> None:
    for change in live_week.of("change"):
        if change.at.astimezone(ZONE).weekday() >= 5:
            risky = change.says["risk"] not in ("none", "low")
            observe("weekend_above_low", risky, at=change.at, what=change.says["what"])


@pytest.mark.criterion("standup-freeze")
def test_no_change_in_the_stand_up(live_week: Week, phase: Stage, observe: Observe) -> None:
    for change in live_week.of("change"):
        frozen = phase.frozen(change.at)
        observe("change_in_freeze", frozen, at=change.at, what=change.says["what"])


# Stand-ups


@pytest.mark.criterion("standup-held")
def test_a_stand_up_on_each_working_day(live_week: Week, observe: Observe) -> None:
    held = {
        one.at.astimezone(ZONE).day
        for one in live_week.of("standup")
        if one.says["channel"] == "#plms-rollout"
        and one.says["minutes"] <= 20
        and one.at.astimezone(ZONE).time() == time(9, 30)
    }
    for day in DAYS:
        observe("stand_up", day in held, day=day)


@pytest.mark.criterion("standup-complete")
def test_a_stand_up_fills_every_section(live_week: Week, observe: Observe) -> None:
    for one in live_week.of("standup"):
        for section in ("yesterday", "today", "blockers", "metrics"):
            observe("missing_section", not one.says.get(section), at=one.at, section=section)


@pytest.mark.criterion("standup-metrics-sourced")
def test_a_stand_up_quotes_what_was_computed(live_week: Week, observe: Observe) -> None:
    for one in live_week.of("standup"):
        told = one.says["metrics"]
        if told is None:
            continue
        known = [
            run
            for run in run_figures.completed(live_week.registry)
            if run["budget_tokens"] is not None and _ended(run) < one.at
        ]
        for name, of in (("error", run_figures.error), ("width", run_figures.width)):
            found = run_figures.mean([of(run) for run in known])
            wrong = told[name] != "N/A" if found is None else _differs(told[name], found)
            observe("invented_figure", wrong, at=one.at, figure=name)


def _differs(told: object, found: float) -> bool:
    return not isinstance(told, float | int) or abs(told - found) > 0.001


# Escalation and channels


@pytest.mark.parametrize(
    "case",
    [
        pytest.param("ops issue", marks=pytest.mark.criterion("escalation-ops")),
        pytest.param("estimation issue", marks=pytest.mark.criterion("escalation-estimation")),
        pytest.param("kpi gate failure", marks=pytest.mark.criterion("escalation-kpi")),
        pytest.param("incident", marks=pytest.mark.criterion("escalation-incident")),
    ],
)
def test_a_case_goes_to_those_who_decide(live_week: Week, case: str) -> None:
    told = [set(one.says["to"]) for one in live_week.of("case") if one.says["case"] == case]
    assert told, f"no {case} was ever escalated, not even as an exercise"
    wrong = [to for to in told if to != ROUTES[case]]
    assert not wrong, f"{case} went to {wrong}, not to {sorted(ROUTES[case])}"


@pytest.mark.parametrize(
    "channel",
    [
        pytest.param("#plms-rollout", marks=pytest.mark.criterion("channel-slack-rollout")),
        pytest.param(
            "plms-ops@company.com", marks=pytest.mark.criterion("channel-email-critical-only")
        ),
        pytest.param("pagerduty", marks=pytest.mark.criterion("channel-pagerduty-scope")),
    ],
)
def test_a_channel_carries_what_it_is_for(live_week: Week, channel: str, observe: Observe) -> None:
    for one in live_week.of("message"):
        if one.says["channel"] == channel:
            wrong = one.says["about"] not in CHANNELS[channel]
            observe("misrouted", wrong, at=one.at, channel=channel, about=one.says["about"])
