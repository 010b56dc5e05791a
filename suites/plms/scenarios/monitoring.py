"""The scenarios of day 4: the monitoring is deployed, drilled, and rolled back."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import yaml

from pytest_rollout import Event, Message, Stage, find_program, read_inbox, scenario
from suites.plms.views.grafana_panels import (
    Panel,
    Source,
    data_source,
    panels,
    rule_states,
    wait_for,
)
from suites.plms.views.portfolio import rows

HERE = Path(__file__).parents[1]
RULES_FILE = HERE / "alerts/rules.yml"
DASHBOARD = HERE / "grafana/plms_invariants_dashboard.json"
SOURCE = "plms-ops-api"
FAILURE = "invariants-failure"
_VIOLATIONS = "invariants_violations"
SHOWS_S, ALERTS_S = 30.0, 60.0  # how long a panel, and an alert, may take
_TRIED = "route-test"  # the project that trial alerts are about


@dataclass(frozen=True, slots=True)
class Drill:
    """What was seen before, while and after a row broke an invariant."""

    clean: dict[str, Panel]
    broken: dict[str, Panel]
    repaired: dict[str, Panel]
    failed_at: datetime  # when the check that found the row was started, by the wall
    failed_by_plms: datetime  # the same, by the target's clock
    states: dict[str, str]  # of the rules while the row was there
    states_after: dict[str, str]
    source: Source | None
    told: tuple[Message, ...]  # by Alertmanager
    trials: tuple[Message, ...]  # alerts that only tried the routes
    told_by_runner: tuple[Message, ...]
    rules: list[dict[str, Any]]
    routes: dict[str, list[str]]  # receivers of each rule's alert
    rows_left: int
    events: tuple[Event, ...]


@scenario(effect="change", own_target=True)
def alert_drill(phase: Stage) -> Drill:
    """The monitoring is deployed; a row breaks an invariant, is told, and is removed."""
    plms, grafana = phase.target("plms"), phase.target("grafana").client
    deploy(phase)
    phase.operate("plms", "run-invariants")
    checked = time.time()
    wait_for(lambda: (value(grafana, f"timestamp({_VIOLATIONS})") or 0) > checked, SHOWS_S)
    clean, routes = panels(grafana), _routes(grafana)
    failed_by_plms, failed_at = plms.clock.now(), datetime.now(UTC)
    row = phase.operate("plms", "plant-row").get("row")
    phase.operate("plms", "run-invariants", drill=True)
    wait_for(lambda: {"slack", "mail"} <= _told_of(rule_inbox(phase), FAILURE), ALERTS_S)
    wait_for(lambda: violations(grafana) == 1, SHOWS_S)
    broken, states = panels(grafana), rule_states(grafana, SOURCE)
    phase.operate("plms", "remove-row", row=row)
    phase.operate("plms", "run-invariants")
    wait_for(lambda: violations(grafana) == 0 and not firing(grafana), SHOWS_S)
    phase.operate("plms", "close-shift")
    return Drill(
        clean=clean,
        broken=broken,
        repaired=panels(grafana),
        failed_at=failed_at,
        failed_by_plms=failed_by_plms,
        states=states,
        states_after=rule_states(grafana, SOURCE),
        source=data_source(grafana),
        told=rule_inbox(phase),
        trials=rule_inbox(phase, trials=True),
        told_by_runner=read_inbox(phase.file("inbox")),
        rules=_deployed(grafana),
        routes=routes,
        rows_left=_planted_rows(phase),
        events=phase.events("change", "action"),
    )


def deploy(phase: Stage) -> None:
    """Have the operator start the monitoring and bring dashboard and rules into it."""
    if phase.embedded:
        find_program(("prometheus",), "prometheus")
        find_program(("alertmanager", "prometheus-alertmanager"), "prometheus-alertmanager")
    phase.operate("grafana", "start-monitoring", scrape=phase.target("plms").url)
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    rules = RULES_FILE.read_text(encoding="utf-8")
    for step, what in (
        ("import-dashboard", {"dashboard": dashboard}),
        ("load-rules", {"rules": rules}),
    ):
        for change in phase.operate("grafana", step, **what).get("changes", []):
            phase.record("change", change)


def violations(grafana: httpx.Client) -> float | None:
    """How many violations of the last check Prometheus knows of."""
    return value(grafana, _VIOLATIONS)


def value(grafana: httpx.Client, expr: str) -> float | None:
    """What the data source answers now; None where it has no series."""
    source: Mapping[str, str] = {"type": "prometheus", "uid": SOURCE}
    query = {"refId": "A", "expr": expr, "instant": True, "datasource": source}
    body = {"queries": [query], "from": "0", "to": "1000"}
    frames = grafana.post("/api/ds/query", json=body).json()["results"]["A"]["frames"]
    return frames[0]["data"]["values"][1][-1] if frames else None


def firing(grafana: httpx.Client) -> list[str]:
    """The rules that fire."""
    states = rule_states(grafana, SOURCE)
    return [name for name, state in states.items() if state == "firing"]


def rule_inbox(phase: Stage, *, trials: bool = False) -> tuple[Message, ...]:
    """What Alertmanager sent: of trials, or of everything else."""
    messages = read_inbox(phase.file("rule-inbox"))
    return tuple(
        message for message in messages if (_TRIED in json.dumps(dict(message.body))) is trials
    )


def _told_of(messages: Iterable[Message], rule: str) -> set[str]:
    return {message.service for message in messages if rule in json.dumps(dict(message.body))}


def _deployed(grafana: httpx.Client) -> list[dict[str, Any]]:
    answer = grafana.get("/api/v1/provisioning/alert-rules").raise_for_status()
    deployed: list[dict[str, Any]] = answer.json()
    return deployed


def _routes(grafana: httpx.Client) -> dict[str, list[str]]:
    """To whom Alertmanager sends the alert of each rule: tried with an alert of its labels."""
    path = f"/api/alertmanager/{SOURCE}/api/v2/alerts"
    trials = [
        {"labels": {**rule["labels"], "alertname": rule["title"], "project": _TRIED}}
        for rule in _deployed(grafana)
    ]
    grafana.post(path, json=trials).raise_for_status()
    told: dict[str, list[str]] = {}
    for alert in grafana.get(path).raise_for_status().json():
        if alert["labels"].get("project") == _TRIED:
            names = sorted(receiver["name"] for receiver in alert["receivers"])
            told[alert["labels"]["alertname"]] = names
    return told


def _planted_rows(phase: Stage) -> int:
    query = "SELECT rowid FROM project_runs WHERE project_id = 999 AND run_kind = 'INVALID_KIND'"
    return len(rows(phase.file("registry"), query))


def promtool(*words: str) -> subprocess.CompletedProcess[str]:
    """Run Prometheus' tool for rules; raises MissingToolError where it is not installed."""
    command = [find_program(("promtool",), "prometheus"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def tried(rules: list[dict[str, Any]], tests: str) -> subprocess.CompletedProcess[str]:
    """Unit tests of the rules, run against the conditions as they are deployed.

    Labels are those of the repository: whom an alert is for is no matter of its condition.
    """
    written = yaml.safe_load(RULES_FILE.read_text(encoding="utf-8"))
    deployed = {rule["title"]: rule["data"][0]["model"]["expr"] for rule in rules}
    for group in written["groups"]:
        for rule in group["rules"]:
            assert rule["alert"] in deployed, f"rule {rule['alert']} is not deployed"
            rule["expr"] = deployed[rule["alert"]]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "rules.yml").write_text(yaml.safe_dump(written), encoding="utf-8")
        shutil.copy(HERE / "alerts" / tests, folder)
        return promtool("test", "rules", str(Path(folder, tests)))


@dataclass(frozen=True, slots=True)
class MonitoringTakenBack:
    """What is left of the monitoring after its roll-back, while a row breaks an invariant."""

    dashboard: int  # HTTP status of asking for it
    firing: list[str]
    told: tuple[Message, ...]


@scenario(effect="disrupt", own_target=True)
def monitoring_rolled_back(phase: Stage) -> MonitoringTakenBack:
    """The monitoring is rolled back; then a row breaks an invariant."""
    grafana = phase.target("grafana").client
    deploy(phase)
    wait_for(lambda: violations(grafana) == 0, SHOWS_S)
    for change in phase.operate("grafana", "roll-back-monitoring").get("changes", []):
        phase.record("change", change)
    wait_for(lambda: not firing(grafana), SHOWS_S)
    before = len(rule_inbox(phase))  # a rule that is wrong may have told before
    phase.operate("plms", "plant-row")
    phase.operate("plms", "run-invariants", drill=True)
    wait_for(lambda: violations(grafana) == 1, SHOWS_S)
    # A rule that still is evaluated has fired four looks later, and Alertmanager tells at once.
    wait_for(lambda: len(rule_inbox(phase)) > before, 1.5)
    dashboard = grafana.get("/api/dashboards/uid/plms-invariants").status_code
    return MonitoringTakenBack(dashboard, firing(grafana), rule_inbox(phase)[before:])
