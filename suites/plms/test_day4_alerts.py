"""Day 4, the alerts: the rules as they are deployed, and a drill through every way."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from pytest_rollout import Message, Observe
from suites.plms.scenarios.alert_drill import RUNWAYS, WORK_S, Drill
from suites.plms.scenarios.monitoring import FAILURE, Shown, is_about, tried
from suites.plms.scenarios.people_drill import Drilled
from suites.plms.views.answers import not_done
from suites.plms.views.listed import listed

pytestmark = pytest.mark.day4

RULES = {
    "runway-warning": ("budget_runway_minutes < 15", "warning", ["slack"]),
    "runway-critical": ("budget_runway_minutes < 5", "critical", ["pagerduty", "slack"]),
    "invariants-failure": ('invariants_status{status="OK"} != 1', "critical", ["email", "slack"]),
    "ci-width-spike": ("ci_width_pct > 50", "warning", ["slack"]),
}
CHANNELS = {"slack": "#plms-ops", "mail": "plms-ops@company.com"}
WITHIN_S = 60  # an alert fires, however long its rule waits and however seldom it is looked at
PLANTED = 2  # rows of the drill


# The rules


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.criterion(f"alert-{n}-configured")) for n in RULES],
)
def test_rule_is_configured(alert_drill: Drill, name: str) -> None:
    condition, severity, receivers = RULES[name]
    there = {rule["title"]: rule for rule in alert_drill.rules}
    assert name in there, f"there is no rule {name}; there are {listed(set(there))}"
    expr = " ".join(there[name]["data"][0]["model"]["expr"].split())
    assert expr == condition, f"{name} asks {expr}, not {condition}"
    labels = there[name]["labels"]
    assert labels["severity"] == severity, f"{name} has severity {labels['severity']}"
    told = alert_drill.routes.get(name)
    assert told == receivers, f"{name} is sent to {listed(told or ())}, not to {listed(receivers)}"
    astray = [
        f"by {message.service} to {message.channel}"
        for message in alert_drill.trials
        if is_about(message, name)
        and message.channel != CHANNELS.get(message.service, message.channel)
    ]
    assert not astray, f"an alert of {name} went {', '.join(astray)}"


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.criterion(f"alert-{n}-configured")) for n in RULES],
)
def test_rule_is_evaluated_in_time(alert_drill: Drill, name: str, observe: Observe) -> None:
    rule = alert_drill.clean.rules.get(name)
    if rule is not None:
        observe("false_alarm", rule.state != "inactive", rule=name)
    paused = [configured["title"] for configured in alert_drill.rules if configured.get("isPaused")]
    if rule is None or name in paused:
        # Whether the rule of the drill fires is asked by the drill.
        assert name == FAILURE, f"{name} is not evaluated; paused are {paused}"
        return
    assert rule.health == "ok", f"evaluating {name} is {rule.health}"
    condition = RULES[name][0]
    assert rule.query == condition, f"{name} is evaluated as {rule.query}, not {condition}"
    waits = rule.waits_s + 2 * rule.every_s
    assert waits <= WITHIN_S, f"{name} fires {waits:g} s after its condition holds at the earliest"
    assert rule.state == "inactive", f"in the clean state {name} is {rule.state}"


FIRES = {  # at 16, 6 and 4 minutes of runway, and after the end
    "runway-warning": (False, True, True, False),
    "runway-critical": (False, False, True, False),
}


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.criterion(f"alert-{n}-configured")) for n in FIRES],
)
def test_a_runway_that_shrinks_is_alerted(alert_drill: Drill, name: str) -> None:
    if not alert_drill.forced:
        return  # a runway is forced in rehearsals only; how the rule is configured is asked above
    drill, (forced, _) = alert_drill.drill, RUNWAYS
    assert drill.ended is not None
    moments: tuple[Shown, ...] = (alert_drill.clean, drill.broken, drill.repaired, drill.ended)
    for shown, fires in zip(moments, FIRES[name], strict=True):
        minutes = shown.runways.get(str(forced))
        firing = [labels.get("project") for labels in shown.rules[name].firing]
        due = [str(forced)] if fires else []
        fires_for = ", ".join(f"project {project or '(no project label)'}" for project in firing)
        left = "no" if minutes is None else f"{minutes:.1f}"
        assert firing == due, (
            f"with {left} minutes left of project {forced}, {name} fires for"
            f" {fires_for or 'no project'}; due is {'that project' if fires else 'none'}"
        )
    nameless = [
        message.service for message in drill.told if is_about(message, name) and not names(message)
    ]
    assert not nameless, (
        f"an alert of {name} by {nameless[0]} does not say which project: its label is missing"
    )
    told = {
        message.service
        for message in drill.told
        if is_about(message, name) and str(forced) in message.text
    }
    for_people = {"mail" if service == "email" else service for service in RULES[name][2]}
    spare = {"pagerduty"} if "pagerduty" in for_people else set()  # which is optional
    assert told - spare == for_people - spare, (
        f"{name} of project {forced} was told over {listed(told, 'no channel')},"
        f" due are {listed(for_people - spare)}"
    )


def names(message: Message) -> bool:
    """Whether a message shows which of the drill's projects it is about; a link is not shown."""
    hidden = ("fallback", "title_link")
    parts = [message.body, *message.body.get("attachments", [])]
    shown = [{k: v for k, v in p.items() if k not in (*hidden, "attachments")} for p in parts]
    said = json.dumps(shown)
    return any(str(project) in said for project in RUNWAYS)


@pytest.mark.criterion("alert-runway-warning-configured")
def test_the_runway_is_exported_in_minutes(alert_drill: Drill) -> None:
    if not alert_drill.forced:
        return  # as above
    forced, plenty = map(str, RUNWAYS)
    left = WORK_S / 60 - 24  # the budget ends with the work, of which 24 minutes are done
    shown = alert_drill.clean.runways
    assert set(shown) == {forced, plenty}, (
        f"a runway is exported of the projects {listed(set(shown))}"
    )
    assert abs(shown[forced] - left) < 0.5, f"{shown[forced]:.1f} minutes are exported of {left}"
    assert shown[plenty] > 60, f"{shown[plenty]:.1f} minutes are exported of a full budget"


@pytest.mark.criterion("alert-ci-width-spike-configured")
def test_interval_widths_are_exported_in_percent(alert_drill: Drill) -> None:
    shown, counted = alert_drill.widths, alert_drill.counted_widths
    assert counted, "no lane has a completed run with an interval"
    assert set(shown) == set(counted), (
        f"exported are {listed(set(shown))}, runs are in {listed(set(counted))}"
    )
    for lane, width in counted.items():
        assert abs(shown[lane] - width) < 0.01, (
            f"{lane}: {shown[lane]:g} is exported, the registry says {width:g} percent"
        )


@pytest.mark.parametrize(
    "tests",
    [
        *(pytest.param(n, marks=pytest.mark.criterion(f"alert-{n}-boundary")) for n in RULES),
        pytest.param("ci-width-per-lane", marks=pytest.mark.criterion("alert-ci-width-per-lane")),
    ],
)
def test_rule_fires_where_it_should_and_nowhere_else(alert_drill: Drill, tests: str) -> None:
    done = tried(alert_drill.rules, f"{tests}.test.yml")
    assert done.returncode == 0, f"promtool: {' '.join((done.stdout + done.stderr).split())}"


# The drill


@pytest.mark.criterion("drill-panel-shows-fail")
def test_status_panel_shows_the_failure(alert_drill: Drill) -> None:
    panel = alert_drill.drill.broken.panels.get("Current Status")
    text = panel.text if panel else "nothing"
    assert text == "FAIL", f"the panel shows {text} while the planted rows are there"


@pytest.mark.criterion("drill-slack-within-60s")
def test_slack_is_told_within_a_minute(alert_drill: Drill, observe: Observe) -> None:
    drill = alert_drill.drill
    for first in by_rule(drill, "slack")[:1]:
        observe("alert_latency", (first.at - drill.failed_at).total_seconds(), path="rule")
    for first in by_runner(drill, "slack")[:1]:
        late = (first.at - drill.failed_by_plms).total_seconds()
        # What arrives late by the wall is late, although the clock of the target stands.
        observe("alert_latency", max(late, drill.runner_s), path="runner")


def by_rule(drill: Drilled, service: str) -> list[Message]:
    """What Alertmanager told of the failure since it is there, over one service."""
    told = [
        message
        for message in drill.told
        if message.service == service and is_about(message, FAILURE)
    ]
    return [message for message in told if message.at >= drill.failed_at]


def by_runner(drill: Drilled, service: str) -> list[Message]:
    """What the job told of the failure, over one service."""
    told = [
        message
        for message in drill.told_by_runner
        if message.service == service and "FAIL" in message.text
    ]
    return [message for message in told if message.at >= drill.failed_by_plms]


@pytest.mark.criterion("drill-pagerduty")
def test_the_job_opens_an_incident(alert_drill: Drill) -> None:
    incidents = by_runner(alert_drill.drill, "pagerduty")
    assert len(incidents) == 1, f"the job opened {len(incidents)} incidents, not one"
    payload = incidents[0].body.get("payload", {})
    assert payload.get("severity") == "critical", f"its severity is {payload.get('severity')}"


@pytest.mark.criterion("test-alert-fires")
def test_the_rule_fires(alert_drill: Drill) -> None:
    drill = alert_drill.drill
    assert drill.ruled == "inactive", f"{FAILURE} is {drill.ruled} before a row is planted"
    state = drill.broken.rule_state(FAILURE)
    assert state == "firing", f"{FAILURE} is {state} while the planted rows are there"
    early = [
        message
        for message in drill.told
        if is_about(message, FAILURE) and message.at < drill.failed_at
    ]
    assert not early, f"{FAILURE} was told before a row was planted"


@pytest.mark.criterion("slack-channel-works")
@pytest.mark.parametrize("path", ["rule", "runner"])
def test_slack_is_told_in_the_channel_of_operations(alert_drill: Drill, path: str) -> None:
    told = (by_rule if path == "rule" else by_runner)(alert_drill.drill, "slack")
    channels = sorted({message.channel for message in told})
    assert channels == ["#plms-ops"], f"Slack was told in {listed(channels, 'no channel')}"
    assert len(told) == 1, f"Slack was told {len(told)} times of one failure"
    missing = [word for word in due_words(path) if word not in told[0].text]
    assert not missing, f"the message does not say {listed(missing)}: {told[0].text}"


@pytest.mark.criterion("email-channel-works")
@pytest.mark.parametrize("path", ["rule", "runner"])
def test_mail_arrives_over_both_paths(alert_drill: Drill, path: str) -> None:
    told = (by_rule if path == "rule" else by_runner)(alert_drill.drill, "mail")
    assert told, f"no mail of the {path} arrived"
    boxes = sorted({message.channel for message in told})
    assert boxes == [CHANNELS["mail"]], f"mail of the {path} went to {listed(boxes)}"
    assert len(told) == 1, f"{len(told)} mails of one failure arrived"
    missing = [word for word in due_words(path) if word not in told[0].text]
    assert not missing, f"the mail does not say {listed(missing)}: {told[0].text}"


def due_words(path: str) -> Iterator[str]:
    """What a message must say of the failure: the alert and how bad, or which rows."""
    yield from (FAILURE, "critical") if path == "rule" else ("FAIL", "999", "INVALID_KIND")


@pytest.mark.criterion("pagerduty-channel-works")
def test_pagerduty_takes_the_trial(alert_drill: Drill) -> None:
    taken = [trial for trial in alert_drill.trials if trial.service == "pagerduty"]
    assert taken, "PagerDuty got no event of the rule runway-critical"
    others = [trial.text for trial in taken if not is_about(trial, "runway-critical")]
    assert not others, f"PagerDuty got an event of another rule: {listed(others)}"


@pytest.mark.criterion("drill-cleanup-complete")
def test_the_planted_rows_are_gone_and_nothing_else(alert_drill: Drill) -> None:
    drill = alert_drill.drill
    due = PLANTED if alert_drill.rehearsed else max(1, drill.planted)  # people plant one or more
    assert drill.planted == due, f"{drill.planted} rows were planted, not {due}"
    assert drill.seen == due, f"the check found {drill.seen} violations, planted were {due} rows"
    assert not drill.left, f"{drill.left} planted rows are left"
    if drill.lost is None:
        not_done("there is no backup of the registry to compare with", "back it up, as on day 0")
    assert not drill.lost, f"the clean-up took {drill.lost} rows that the drill had not planted"


@pytest.mark.criterion("status-recovers")
def test_panel_and_alert_recover(alert_drill: Drill) -> None:
    drill = alert_drill.drill
    panel, state = drill.repaired.panels.get("Current Status"), drill.repaired.rule_state(FAILURE)
    text = panel.text if panel else "nothing"
    assert text == "OK", f"after the clean-up the panel shows {text}"
    assert state == "inactive", f"after the clean-up {FAILURE} is {state}"
    ends = [message for message in drill.told if is_about(message, FAILURE, "resolved")]
    assert {message.service for message in ends} >= {"slack"}, (
        f"Slack was not told that {FAILURE} is over"
    )
    last = next(
        (message.text for message in drill.told_by_runner[::-1] if message.service == "slack"),
        "none",
    )
    assert "OK" in last, f"the last word of the job in Slack is {last}"
