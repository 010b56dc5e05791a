"""The monitoring of day 4: how it is deployed, what it shows, and whom its rules tell."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import yaml

from pytest_rollout import Message, Stage, find_program, read_inbox
from suites.plms.views.answers import read
from suites.plms.views.grafana_panels import (
    Panel,
    Rule,
    evaluated_rules,
    panels,
    series,
    wait_for,
)
from suites.plms.views.invariants_recount import Recount, recount

HERE = Path(__file__).parents[1]
RULES_FILE = HERE / "alerts/rules.yml"
DASHBOARD = HERE / "grafana/plms_invariants_dashboard.json"
SOURCE = "plms-ops-api"
FAILURE = "invariants-failure"
_VIOLATIONS = "invariants_violations"
SHOWS_S, ALERTS_S = 30.0, 60.0  # how long a panel, and an alert, may take
SOON_S = 15.0  # within which a rule is looked at again
TRIED = "route-test"  # what trial alerts are about
MARKED = ("project", "lane", "trial")  # labels that say so: a message may leave some out


@dataclass(frozen=True, slots=True)
class Shown:
    """The monitoring at one moment, and what an independent count says of that moment."""

    panels: dict[str, Panel]
    counted: Recount | None
    rules: dict[str, Rule]
    runways: dict[str, float]  # minutes by project, as they are exported
    latest: Mapping[str, Any] | None  # the newest run of the job by the API; None: nobody asked

    def rule_state(self, name: str) -> str:
        """The state of a rule: inactive, pending or firing; one that is not evaluated is paused."""
        rule = self.rules.get(name)
        return rule.state if rule else "paused"


def shown(phase: Stage, fires: str = "", rests: str = "") -> Shown:
    """What is shown once the target was looked at anew, and named rules came to fire or rest."""
    grafana, since = phase.target("grafana").client, time.time()
    wait_for(lambda: (value(grafana, "min(timestamp(up))") or 0) > since, SHOWS_S)

    scraped = datetime.now(UTC)

    def settled() -> bool:
        rules = evaluated_rules(grafana, SOURCE)
        now = {name for name, rule in rules.items() if rule.state == "firing"}
        looked = all(rule.looked_at > scraped for rule in rules.values())
        return looked and (not fires or fires in now) and rests not in now

    wait_for(settled, SOON_S)
    return Shown(
        panels=panels(grafana),
        counted=recount(phase.file("history"), phase.target("plms").clock.now()),
        rules=evaluated_rules(grafana, SOURCE),
        runways=_runways(grafana),
        latest=_latest(phase),
    )


def shown_at(phase: Stage, at: datetime) -> Shown:
    """What was shown at a moment that has passed, as the data source keeps it."""
    grafana = phase.target("grafana").client
    fired = series(grafana, SOURCE, 'ALERTS{alertstate="firing"}', at)
    alerts: dict[str, list[Mapping[str, str]]] = {}
    for labels, _ in fired:
        alerts.setdefault(labels.get("alertname", ""), []).append(labels)
    return Shown(
        panels=panels(grafana, at),
        counted=recount(phase.file("history"), at),
        rules={
            name: replace(
                rule,
                state="firing" if name in alerts else "inactive",
                firing=tuple(alerts.get(name, ())),
            )
            for name, rule in evaluated_rules(grafana, SOURCE).items()
        },
        runways=_runways(grafana, at),
        latest=None,
    )


def _latest(phase: Stage) -> Mapping[str, Any] | None:
    """What the Ops API says of the job's newest run; None where it has no such address."""
    answer = phase.target("plms").client.get("/api/ops/invariants/latest")
    return None if answer.status_code == httpx.codes.NOT_FOUND else read(answer, "invariants")


def _runways(grafana: httpx.Client, at: datetime | None = None) -> dict[str, float]:
    runways = series(grafana, SOURCE, "budget_runway_minutes", at)
    return {labels.get("project", ""): minutes for labels, minutes in runways}


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
    answers = series(grafana, SOURCE, expr)
    return answers[0][1] if answers else None


def firing(grafana: httpx.Client) -> list[str]:
    """The rules that fire."""
    rules = evaluated_rules(grafana, SOURCE)
    return [name for name, rule in rules.items() if rule.state == "firing"]


def rule_inbox(phase: Stage, *, trials: bool = False) -> tuple[Message, ...]:
    """What Alertmanager sent: of trials, or of everything else."""
    messages = read_inbox(phase.file("rule-inbox"))
    return tuple(
        message for message in messages if (TRIED in json.dumps(dict(message.body))) is trials
    )


def told_of(messages: Iterable[Message], rule: str, status: str = "firing") -> set[str]:
    """The services that were told of a rule's alert in one of its states."""
    return {message.service for message in messages if is_about(message, rule, status)}


def is_about(message: Message, rule: str, status: str = "firing") -> bool:
    """Whether a message of Alertmanager is of a rule's alert in one of its states."""
    if message.service == "pagerduty":
        details = message.body.get("payload", {}).get("custom_details", {})
        return bool(details.get("alertname") == rule and details.get("status") == status)
    return f"{status}: {rule}" in message.text


def promtool(*words: str) -> subprocess.CompletedProcess[str]:
    """Run Prometheus' tool for rules; raises MissingToolError where it is not installed."""
    command = [find_program(("promtool",), "prometheus"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def tried(rules: list[dict[str, Any]], tests: str) -> subprocess.CompletedProcess[str]:
    """Unit tests of the rules, run against conditions and waiting times as they are deployed.

    Labels are those of the repository: whom an alert is for is no matter of its condition.
    """
    written = yaml.safe_load(RULES_FILE.read_text(encoding="utf-8"))
    deployed = {rule["title"]: rule for rule in rules}
    for group in written["groups"]:
        for rule in group["rules"]:
            assert rule["alert"] in deployed, f"rule {rule['alert']} is not deployed"
            mine = deployed[rule["alert"]]
            rule |= {"expr": mine["data"][0]["model"]["expr"], "for": mine.get("for", "0s")}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "rules.yml").write_text(yaml.safe_dump(written), encoding="utf-8")
        shutil.copy(HERE / "alerts" / tests, folder)
        return promtool("test", "rules", str(Path(folder, tests)))
