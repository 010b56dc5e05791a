"""The whole week: windows, stand-ups, escalation and channels."""

from __future__ import annotations

import re
from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from pytest_rollout import Observe, Stage
from suites.plms.scenarios.live_week import (
    Week,
)
from suites.plms.views import run_figures
from suites.plms.views.listed import listed
from suites.plms.views.settings import in_words

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


# What the plan does at the weekend: it deploys the job and the API that watch, and tries them.
WATCHING = re.compile(
    r"\b(?:monitor\w*|test\w*|tried|trial|demos?|drill\w*|rehears\w*|dry run|check\w*|invariants"
    r"|timer|dashboard|alert\w*|ops api|plms-ops-api|health\w*|prob(?:e|es|ing))\b",
    re.IGNORECASE,
)
SETTING = re.compile(
    r"\b(?:lanes?|caps?|schedul\w*|config\w*|reconfig\w*|settings?|calibration\w*|alpha|thresholds?"
    r"|kpis?|budgets?|lane_configs|system_config|accept_new_projects)\b",
    re.IGNORECASE,
)


# Windows: of what the diary holds, and of what the phase has on record


def changes(week: Week) -> list[tuple[datetime, str]]:
    """When something was changed, and what."""
    told = [(change.at, str(change.says["what"])) for change in week.of("change")]
    recorded = [(event.at, event.says) for event in week.changes]
    return told + [change for change in recorded if change not in told]


@pytest.mark.criterion("change-window-weekdays")
def test_changes_on_weekdays_are_in_the_window(live_week: Week, observe: Observe) -> None:
    for at, what in changes(live_week):
        local = at.astimezone(ZONE)
        if local.weekday() < 5:
            inside = local.weekday() < 4 and time(9) <= local.time() < time(16)
            observe("change_outside", not inside, at=at, what=what)
    silent = {name: pair for at, name, pair in live_week.unrecorded() if not _weekend(at)}
    assert not silent, f"changed without a record in diary or ledger: {in_words(silent)}"


@pytest.mark.criterion("change-window-weekend")
def test_changes_at_weekends_are_of_low_risk(live_week: Week, observe: Observe) -> None:
    risks = {
        (change.at, str(change.says["what"])): change.says["risk"]
        for change in live_week.of("change")
    }
    for at, what in changes(live_week):
        if _weekend(at):
            risk = risks.get((at, what), "low")
            known = WATCHING.search(what) and not SETTING.search(what)
            risky = risk not in ("none", "low") or not known
            observe("weekend_above_low", risky, at=at, what=what, risk=risk)
            assert known, (
                f"{what!r} at a weekend is neither monitoring nor testing ({risk} is told)"
            )
    set_then = {name: pair for at, name, pair in live_week.settings_set() if _weekend(at)}
    assert not set_then, f"settings were changed at a weekend: {in_words(set_then)}"


def _weekend(at: datetime) -> bool:
    return at.astimezone(ZONE).weekday() >= 5


@pytest.mark.criterion("standup-freeze")
def test_no_change_in_the_stand_up(live_week: Week, phase: Stage, observe: Observe) -> None:
    for at, what in changes(live_week):
        observe("change_in_freeze", phase.frozen(at), at=at, what=what)


# Stand-ups


@pytest.mark.criterion("standup-held")
def test_a_stand_up_on_each_working_day(live_week: Week, observe: Observe) -> None:
    held = {
        standup.at.astimezone(ZONE).day
        for standup in live_week.of("standup")
        if standup.says["channel"] == "#plms-rollout"
        and 10 <= standup.says["minutes"] <= 20
        and standup.at.astimezone(ZONE).time() == time(9, 30)
    }
    for day in DAYS:
        observe("stand_up", day in held, day=day)


@pytest.mark.criterion("standup-complete")
def test_a_stand_up_fills_every_section(live_week: Week, observe: Observe) -> None:
    for standup in live_week.of("standup"):
        for section in ("yesterday", "today", "blockers", "metrics"):
            told = standup.says.get(section)
            if section == "metrics" and told:  # each of the three figures of the snapshot
                told = all(name in told for name in ("error", "width", "incidents"))
            observe("missing_section", not told, at=standup.at, section=section)


@pytest.mark.criterion("standup-metrics-sourced")
def test_a_stand_up_quotes_what_was_computed(live_week: Week, observe: Observe) -> None:
    for standup in live_week.of("standup"):
        metrics = standup.says["metrics"]
        if metrics is None:
            continue
        runs = [
            run
            for run in run_figures.completed(live_week.registry)
            if run["budget_tokens"] is not None
            and datetime.fromisoformat(run["completed_at"]) < standup.at
        ]
        for name, of in (("error", run_figures.error), ("width", run_figures.width)):
            computed = run_figures.mean([of(run) for run in runs])
            wrong = (
                metrics[name] != "N/A" if computed is None else _differs(metrics[name], computed)
            )
            observe("invented_figure", wrong, at=standup.at, figure=name)


def _differs(told: object, computed: float) -> bool:
    return not isinstance(told, float | int) or abs(told - computed) > 0.001


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
    told = [
        set(escalation.says["to"])
        for escalation in live_week.of("case")
        if escalation.says["case"] == case
    ]
    assert told, f"no {case} was ever escalated, not even as an exercise"
    wrong = [to for to in told if to != ROUTES[case]]
    assert not wrong, (
        f"{case} went to {'; '.join(map(listed, wrong))}, not to {listed(ROUTES[case])}"
    )


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
    for message in live_week.of("message"):
        if message.says["channel"] == channel:
            wrong = message.says["about"] not in CHANNELS[channel]
            observe("misrouted", wrong, at=message.at, channel=channel, about=message.says["about"])
