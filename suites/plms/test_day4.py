"""Day 4, the dashboard: what is imported, what each panel shows, when, and how back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from pytest_rollout import Observe, Stage
from suites.plms.scenarios.alert_drill import Drill
from suites.plms.scenarios.monitoring import DASHBOARD, FAILURE, RULES_FILE, Shown, promtool
from suites.plms.scenarios.monitoring_rollback import MonitoringTakenBack
from suites.plms.views.answers import not_done
from suites.plms.views.formats import PAGE
from suites.plms.views.grafana_panels import DATASOURCE, PANELS, UID, Panel
from suites.plms.views.invariants_recount import amiss
from suites.plms.views.listed import listed
from suites.plms.views.portfolio import observe_slot, rows

pytestmark = pytest.mark.day4

KINDS = {
    "Success Rate": "gauge",
    "Status History": "timeseries",
    "Violations by Type": "barchart",
    "Critical Checks": "table",
}
OF_CHECKS = ("Violations by Type", "Critical Checks")  # which have a series for each check
ADDED = ("id", "version", "pluginVersion")  # what Grafana adds to what it imports


# Entry: may the monitoring be changed?


@pytest.mark.criterion("registry-clean")
def test_no_row_of_a_drill_is_left(registry: Path) -> None:
    query = "SELECT rowid FROM project_runs WHERE run_kind = 'INVALID_KIND'"
    left = rows(registry, query)
    assert not left, f"rows of a drill are left: {listed(row['rowid'] for row in left)}"


@pytest.mark.criterion("alert-rules-valid")
def test_alert_rules_can_be_loaded() -> None:
    done = promtool("check", "rules", str(RULES_FILE))
    assert done.returncode == 0, f"promtool: {' '.join((done.stdout + done.stderr).split())}"


# The dashboard


@pytest.mark.criterion("dashboard-imported")
def test_dashboard_is_the_one_of_the_release(alert_drill: Drill) -> None:
    assert alert_drill.board, f"Grafana has no dashboard {UID}"
    titles = [panel.get("title") for panel in alert_drill.board.get("panels", ())]
    assert titles == list(PANELS), f"the dashboard has the panels {listed(titles)}"
    written = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    assert written["uid"] == UID, f"the file has the uid {written['uid']}"
    others = list(_others(written, alert_drill.board))
    assert not others, f"what was imported is not what the file says: {'; '.join(others)}"


def _others(written: Mapping[str, Any], there: Mapping[str, Any]) -> Iterator[str]:
    """Where a dashboard is another than the file: its title, and each part of each panel."""
    if written["title"] != there.get("title"):
        yield f"its title is {there.get('title')}"
    for panel, shown in zip(written["panels"], there["panels"], strict=True):
        names = sorted({*panel, *shown} - {*ADDED, "targets", "timeFrom"})
        for name in names:
            if panel.get(name) != shown.get(name):
                yield f"{name} of {panel['title']} is {shown.get(name)}, not {panel.get(name)}"


@pytest.mark.criterion("datasource-plms-ops-api")
@pytest.mark.parametrize("title", PANELS)
def test_panel_asks_the_data_source(alert_drill: Drill, title: str) -> None:
    source = alert_drill.source
    assert source is not None, f"Grafana has no data source {DATASOURCE}"
    assert source.health == "OK", f"data source {DATASOURCE} is {source.health}"
    asked = panel_of(alert_drill.clean, title).datasources
    assert asked == (source.uid,), (
        f"panel {title} asks {listed(asked)}, {DATASOURCE} is {source.uid}"
    )


@pytest.mark.criterion("datasource-plms-ops-api")
def test_the_ops_api_tells_of_the_newest_run_of_the_job(alert_drill: Drill) -> None:
    for when, shown in looks(alert_drill).items():
        newest, latest = shown.counted, shown.latest
        if latest is None or newest is None:
            # The plan names no such address, so a service may do without it; what ours has, works.
            assert not alert_drill.rehearsed, f"{when} the API tells of no run of the job"
            continue
        told = f"{latest.get('status')} with {latest.get('violations')} violations"
        due = f"{newest.status} with {newest.violations} violations"
        assert told == due, f"{when} the API says the newest run of the job is {told}, not {due}"
        ended = datetime.fromisoformat(str(latest["timestamp"]))
        words = f"{when} the API says the newest run of the job ended at {ended}"
        assert ended == newest.ended_at, f"{words}, its history has {newest.ended_at}"


@pytest.mark.criterion("dashboard-renders")
def test_no_panel_has_an_error(alert_drill: Drill, observe: Observe) -> None:
    for title, panel in alert_drill.clean.panels.items():
        observe("panel_error", bool(panel.error), panel=title)
    errors = [
        f"{title}: {panel.error}"
        for title, panel in alert_drill.clean.panels.items()
        if panel.error
    ]
    assert not errors, f"panels whose query is answered with an error: {'; '.join(errors)}"


def panel_of(shown: Shown, title: str) -> Panel:
    """A panel as it was shown at one moment."""
    there = shown.panels
    assert title in there, f"the dashboard has no panel {title}; it has {listed(set(there))}"
    return there[title]


def looks(drill: Drill) -> dict[str, Shown]:
    """The moments at which the dashboard was looked at."""
    if drill.drilled is None:  # nobody drills: there is the one look
        return {"in the clean state": drill.clean}
    seen = {
        "in the clean state": drill.clean,
        "while the planted rows are there": drill.drill.broken,
        "after they were removed": drill.drill.repaired,
    }
    if drill.drill.failed is not None:
        seen["while a failure is there that is no drill"] = drill.drill.failed
    return seen


def wrong(drill: Drill, title: str) -> list[str]:
    """Where a panel shows something else than the job's history says, at any of the looks."""
    if title in OF_CHECKS and not drill.checks:
        not_done("the checker does not tell its checks", f"{PAGE}#the-release")
    problems = []
    for when, shown in looks(drill).items():
        assert shown.counted is not None, "the job has no run on record"
        problem = amiss(panel_of(shown, title), shown.counted, drill.checks)
        problems += [f"{when} {problem}"] if problem else []
    return problems


@pytest.mark.criterion("all-panels-have-data")
@pytest.mark.parametrize("title", PANELS)
def test_every_panel_has_its_data(alert_drill: Drill, title: str, observe: Observe) -> None:
    panel = panel_of(alert_drill.clean, title)
    observe("panel_has_data", panel.has_data, panel=title)
    kind = KINDS.get(title, "stat")
    assert panel.kind == kind, f"panel {title} is a {panel.kind}, not a {kind}"
    problems = wrong(alert_drill, title)
    assert not problems, f"panel {title}: {'; '.join(problems)}"


@pytest.mark.criterion("panel-1-current-status")
def test_status_is_that_of_the_last_check(alert_drill: Drill) -> None:
    problems = wrong(alert_drill, "Current Status")
    assert not problems, f"panel Current Status: {'; '.join(problems)}"


@pytest.mark.criterion("panel-2-total-violations")
def test_no_violation_is_shown(alert_drill: Drill) -> None:
    value = panel_of(alert_drill.clean, "Total Violations").value
    assert value == 0, f"the panel shows {value} violations, not 0"
    problems = wrong(alert_drill, "Total Violations")
    assert not problems, f"panel Total Violations: {'; '.join(problems)}"


@pytest.mark.criterion("panel-3-success-rate")
def test_success_rate_is_whole(alert_drill: Drill) -> None:
    panel = panel_of(alert_drill.clean, "Success Rate")
    assert panel.kind == "gauge", f"the panel is a {panel.kind}, not a gauge"
    assert panel.value == 100, f"the gauge is at {panel.value}, not at 100"
    problems = wrong(alert_drill, "Success Rate")
    assert not problems, f"panel Success Rate: {'; '.join(problems)}"


@pytest.mark.criterion("panel-4-last-check-time")
def test_last_check_is_young(alert_drill: Drill, observe: Observe) -> None:
    hours = panel_of(alert_drill.clean, "Last Check Time").value
    if hours is not None:
        observe("last_check_age", hours * 3600)
    problems = wrong(alert_drill, "Last Check Time")
    assert not problems, f"panel Last Check Time: {'; '.join(problems)}"


@pytest.mark.criterion("panel-5-status-history")
def test_history_covers_a_month(alert_drill: Drill, observe: Observe) -> None:
    panel = panel_of(alert_drill.clean, "Status History")
    assert panel.kind == "timeseries", f"the panel is a {panel.kind}, not a time series"
    assert panel.ranged, "the panel asks for one moment, not for its range"
    observe("history_days", panel.days)


@pytest.mark.criterion("panel-6-violations-by-type")
def test_violations_are_stacked_by_type(alert_drill: Drill) -> None:
    panel = panel_of(alert_drill.clean, "Violations by Type")
    assert panel.kind == "barchart", f"the panel is a {panel.kind}, not a bar chart"
    assert panel.stacked, "the bars are not stacked"
    checks = [labels.get("check") for labels, _ in panel.series]
    assert checks, "the panel has no series"
    assert len(set(checks)) == len(checks), f"series are not one a check: {checks}"
    problems = wrong(alert_drill, "Violations by Type")
    assert not problems, f"panel Violations by Type: {'; '.join(problems)}"


@pytest.mark.criterion("panel-7-mean-time-to-fix")
def test_time_to_fix_is_known(alert_drill: Drill, observe: Observe) -> None:
    panel = panel_of(alert_drill.clean, "Mean Time to Fix")
    assert panel.unit == "d", f"the panel shows a unit of {panel.unit or 'nothing'}, not of days"
    if panel.value is not None:
        observe("mean_time_to_fix_days", panel.value)
        problems = wrong(alert_drill, "Mean Time to Fix")
        assert not problems, f"panel Mean Time to Fix: {'; '.join(problems)}"


@pytest.mark.criterion("panel-8-critical-checks")
def test_critical_checks_are_listed(alert_drill: Drill) -> None:
    panel = panel_of(alert_drill.clean, "Critical Checks")
    assert panel.kind == "table", f"the panel is a {panel.kind}, not a table"
    assert panel.series, "the table has no rows"
    problems = wrong(alert_drill, "Critical Checks")
    assert not problems, f"panel Critical Checks: {'; '.join(problems)}"


# When, and how back


@pytest.mark.criterion("in-window")
def test_work_stays_in_the_slot(alert_drill: Drill, phase: Stage, observe: Observe) -> None:
    observe_slot(phase, alert_drill.events, observe)


@pytest.mark.criterion("rollback-dashboard-removed")
def test_rollback_removes_the_dashboard(monitoring_rolled_back: MonitoringTakenBack) -> None:
    before, status = monitoring_rolled_back.dashboard_before, monitoring_rolled_back.dashboard
    assert before == httpx.codes.OK, f"before the roll-back the dashboard answers {before}"
    assert status == httpx.codes.NOT_FOUND, f"the dashboard answers {status}, not 404"


@pytest.mark.criterion("rollback-alerts-silenced")
def test_rollback_silences_every_rule(monitoring_rolled_back: MonitoringTakenBack) -> None:
    seen = monitoring_rolled_back
    assert seen.violations, "no violation was known after the roll-back, so none could alert"
    assert not seen.firing, f"still firing: {listed(seen.firing)}"
    told = [message.service for message in seen.told]
    assert not told, f"alerts were told after the rollback, by {listed(told)}"
    fires = seen.resumed
    assert FAILURE in fires, f"once the rules were resumed {fires or 'none'} fire, not {FAILURE}"


@pytest.mark.criterion("rollback-alerts-silenced")
def test_rollback_pauses_every_rule_for_a_time(monitoring_rolled_back: MonitoringTakenBack) -> None:
    seen = monitoring_rolled_back
    going = f"after the rollback rules are still evaluated: {listed(seen.looked_at)}"
    assert not seen.looked_at, going
    asleep = sorted(set(seen.rules) - set(seen.again))
    assert not asleep, f"once the rules were resumed {listed(asleep)} are not evaluated"
