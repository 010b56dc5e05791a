"""Day 4: the dashboard and the alerts. Panels, rules, a drill through the real path, rollback."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from pytest_rollout import Message, Observe, Stage
from suites.plms.scenarios.monitoring import (
    FAILURE,
    RULES_FILE,
    Drill,
    MonitoringTakenBack,
    promtool,
    tried,
)
from suites.plms.views.grafana_panels import DATASOURCE, PANELS, UID, Panel
from suites.plms.views.portfolio import observe_slot, rows

pytestmark = pytest.mark.day4

RULES = {
    "runway-warning": ("budget_runway_minutes < 15", "warning", ["slack"]),
    "runway-critical": ("budget_runway_minutes < 5", "critical", ["pagerduty", "slack"]),
    "invariants-failure": ('invariants_status{status="OK"} != 1', "critical", ["email", "slack"]),
    "ci-width-spike": ("ci_width_pct > 50", "warning", ["slack"]),
}


# Entry: may the monitoring be changed?


@pytest.mark.criterion("registry-clean")
def test_no_row_of_a_drill_is_left(registry: Path) -> None:
    query = "SELECT rowid FROM project_runs WHERE run_kind = 'INVALID_KIND'"
    left = rows(registry, query)
    assert not left, f"rows of a drill are left: {left}"


@pytest.mark.criterion("alert-rules-valid")
def test_alert_rules_can_be_loaded() -> None:
    done = promtool("check", "rules", str(RULES_FILE))
    assert done.returncode == 0, f"promtool: {' '.join((done.stdout + done.stderr).split())}"


# The dashboard


@pytest.mark.criterion("dashboard-imported")
def test_dashboard_is_there(alert_drill: Drill) -> None:
    assert alert_drill.clean, f"Grafana has no dashboard {UID}"


@pytest.mark.criterion("datasource-plms-ops-api")
@pytest.mark.parametrize("title", PANELS)
def test_panel_asks_the_data_source(alert_drill: Drill, title: str) -> None:
    source = alert_drill.source
    assert source is not None, f"Grafana has no data source {DATASOURCE}"
    assert source.health == "OK", f"data source {DATASOURCE} is {source.health}"
    asked = shown(alert_drill.clean, title).datasource
    assert asked == source.uid, f"panel {title} asks {asked}, {DATASOURCE} is {source.uid}"


@pytest.mark.criterion("dashboard-renders")
def test_no_panel_has_an_error(alert_drill: Drill, observe: Observe) -> None:
    for title, panel in alert_drill.clean.items():
        observe("panel_error", bool(panel.error), panel=title)


@pytest.mark.criterion("all-panels-have-data")
def test_every_panel_has_data(alert_drill: Drill, observe: Observe) -> None:
    for title, panel in alert_drill.clean.items():
        observe("panel_has_data", panel.has_data, panel=title)


def shown(found: dict[str, Panel], title: str) -> Panel:
    assert title in found, f"the dashboard has no panel {title}; it has {sorted(found)}"
    return found[title]


@pytest.mark.criterion("panel-1-current-status")
@pytest.mark.parametrize(("when", "status"), [("clean", "OK"), ("broken", "FAIL")])
def test_status_is_that_of_the_last_check(alert_drill: Drill, when: str, status: str) -> None:
    panel = shown(getattr(alert_drill, when), "Current Status")
    assert panel.text == status, f"the panel shows {panel.text} after a check that was {status}"


@pytest.mark.criterion("panel-2-total-violations")
def test_no_violation_is_shown(alert_drill: Drill) -> None:
    value = shown(alert_drill.clean, "Total Violations").value
    assert value == 0, f"the panel shows {value} violations, not 0"


@pytest.mark.criterion("panel-3-success-rate")
def test_success_rate_is_whole(alert_drill: Drill) -> None:
    panel = shown(alert_drill.clean, "Success Rate")
    assert panel.kind == "gauge", f"the panel is a {panel.kind}, not a gauge"
    assert panel.value == 100, f"the gauge is at {panel.value}, not at 100"


@pytest.mark.criterion("panel-4-last-check-time")
def test_last_check_is_young(alert_drill: Drill, observe: Observe) -> None:
    hours = shown(alert_drill.clean, "Last Check Time").value
    if hours is not None:
        observe("last_check_age", hours * 3600)


@pytest.mark.criterion("panel-5-status-history")
def test_history_covers_a_month(alert_drill: Drill, observe: Observe) -> None:
    panel = shown(alert_drill.clean, "Status History")
    assert panel.kind == "timeseries", f"the panel is a {panel.kind}, not a time series"
    observe("history_days", panel.days)


@pytest.mark.criterion("panel-6-violations-by-type")
def test_violations_are_stacked_by_type(alert_drill: Drill) -> None:
    panel = shown(alert_drill.clean, "Violations by Type")
    assert panel.kind == "barchart", f"the panel is a {panel.kind}, not a bar chart"
    assert panel.stacked, "the bars are not stacked"
    checks = [labels.get("check") for labels, _ in panel.series]
    assert checks, "the panel has no series"
    assert len(set(checks)) == len(checks), f"series are not one a check: {checks}"
    assert None not in checks, "a series has no check"


@pytest.mark.criterion("panel-7-mean-time-to-fix")
def test_time_to_fix_is_known(alert_drill: Drill, observe: Observe) -> None:
    days = shown(alert_drill.clean, "Mean Time to Fix").value
    if days is not None:
        observe("mean_time_to_fix_days", days)


@pytest.mark.criterion("panel-8-critical-checks")
def test_critical_checks_are_listed(alert_drill: Drill) -> None:
    panel = shown(alert_drill.clean, "Critical Checks")
    assert panel.kind == "table", f"the panel is a {panel.kind}, not a table"
    assert panel.series, "the table has no rows"


# The rules


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.criterion(f"alert-{n}-configured")) for n in RULES],
)
def test_rule_is_configured(alert_drill: Drill, name: str) -> None:
    condition, severity, receivers = RULES[name]
    found = {rule["title"]: rule for rule in alert_drill.rules}
    assert name in found, f"there is no rule {name}; there are {sorted(found)}"
    expr = " ".join(found[name]["data"][0]["model"]["expr"].split())
    assert expr == condition, f"{name} asks {expr}, not {condition}"
    labels = found[name]["labels"]
    assert labels["severity"] == severity, f"{name} has severity {labels['severity']}"
    told = alert_drill.routes.get(name)
    assert told == receivers, f"{name} is sent to {told}, not to {receivers}"


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
    text = shown(alert_drill.broken, "Current Status").text
    assert text == "FAIL", f"the panel shows {text} while the planted row is there"


@pytest.mark.criterion("drill-slack-within-60s")
def test_slack_is_told_within_a_minute(alert_drill: Drill, observe: Observe) -> None:
    for path, since, messages in (
        ("rule", alert_drill.failed_at, by_rule(alert_drill, "slack")),
        ("runner", alert_drill.failed_by_plms, by_runner(alert_drill, "slack")),
    ):
        for first in messages[:1]:
            observe("alert_latency", (first.at - since).total_seconds(), path=path)


def by_rule(drill: Drill, service: str) -> list[Message]:
    """What Alertmanager told of the failure, over one service."""
    mine = [one for one in drill.told if one.service == service]
    return [one for one in mine if f"firing: {FAILURE}" in json.dumps(dict(one.body))]


def by_runner(drill: Drill, service: str) -> list[Message]:
    """What the job told of the failure, over one service."""
    mine = [one for one in drill.told_by_runner if one.service == service]
    return [one for one in mine if "FAIL" in json.dumps(dict(one.body))]


@pytest.mark.criterion("drill-pagerduty")
def test_the_job_opens_an_incident(alert_drill: Drill) -> None:
    assert by_runner(alert_drill, "pagerduty"), "the job opened no incident"


@pytest.mark.criterion("test-alert-fires")
def test_the_rule_fires(alert_drill: Drill) -> None:
    state = alert_drill.states.get(FAILURE)
    assert state == "firing", f"{FAILURE} is {state} while the planted row is there"


@pytest.mark.criterion("slack-channel-works")
def test_slack_is_told_in_the_channel_of_operations(alert_drill: Drill) -> None:
    channels = {one.channel for one in by_rule(alert_drill, "slack")}
    assert channels == {"#plms-ops"}, f"Slack was told in {sorted(channels) or 'no channel'}"


@pytest.mark.criterion("email-channel-works")
def test_mail_arrives_over_both_paths(alert_drill: Drill) -> None:
    assert by_rule(alert_drill, "mail"), f"no mail of rule {FAILURE} arrived"
    assert by_runner(alert_drill, "mail"), "no mail of the job arrived"


@pytest.mark.criterion("pagerduty-channel-works")
def test_pagerduty_takes_the_trial(alert_drill: Drill) -> None:
    taken = [trial for trial in alert_drill.trials if trial.service == "pagerduty"]
    assert taken, "PagerDuty got no event of the rule runway-critical"


@pytest.mark.criterion("drill-cleanup-complete")
def test_the_planted_row_is_gone(alert_drill: Drill) -> None:
    left = alert_drill.rows_left
    assert left == 0, f"{left} planted rows are left"


@pytest.mark.criterion("status-recovers")
def test_panel_and_alert_recover(alert_drill: Drill) -> None:
    text = shown(alert_drill.repaired, "Current Status").text
    assert text == "OK", f"after the clean-up the panel shows {text}"
    state = alert_drill.states_after.get(FAILURE)
    assert state == "inactive", f"after the clean-up {FAILURE} is {state}"


# When, and how back


@pytest.mark.criterion("in-window")
def test_work_stays_in_the_slot(alert_drill: Drill, phase: Stage, observe: Observe) -> None:
    observe_slot(phase, alert_drill.events, observe)


@pytest.mark.criterion("rollback-dashboard-removed")
def test_rollback_removes_the_dashboard(monitoring_rolled_back: MonitoringTakenBack) -> None:
    status = monitoring_rolled_back.dashboard
    assert status == httpx.codes.NOT_FOUND, f"the dashboard answers {status}, not 404"


@pytest.mark.criterion("rollback-alerts-silenced")
def test_rollback_silences_every_rule(monitoring_rolled_back: MonitoringTakenBack) -> None:
    assert not monitoring_rolled_back.firing, f"still firing: {monitoring_rolled_back.firing}"
    told = [one.service for one in monitoring_rolled_back.told]
    assert not told, f"alerts were told after the rollback, by {told}"
