"""The roll-back of the monitoring: what is left of it, and what comes back with the rules."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_rollout import Message, Stage, scenario
from suites.plms.grafana.pause_rules import set_paused
from suites.plms.scenarios.monitoring import (
    FAILURE,
    SHOWS_S,
    SOON_S,
    SOURCE,
    deploy,
    firing,
    rule_inbox,
    violations,
)
from suites.plms.views.grafana_panels import UID, evaluated_rules, wait_for


@dataclass(frozen=True, slots=True)
class MonitoringTakenBack:
    """What is left of the monitoring after its roll-back, while a row breaks an invariant."""

    rules: list[str]  # that were evaluated before
    dashboard_before: int  # HTTP status of asking for it
    dashboard: int  # the same after the roll-back
    violations: float | None  # that Prometheus knows of while the row is there
    firing: list[str]
    told: tuple[Message, ...]
    looked_at: list[str]  # rules that are evaluated all the same, also those that have no cause
    resumed: list[str]  # rules that fire once they were resumed
    again: list[str]  # and those that are evaluated then


@scenario(effect="disrupt", own_target=True)
def monitoring_rolled_back(phase: Stage) -> MonitoringTakenBack:
    """The monitoring is rolled back; then a row breaks an invariant; then the rules go on."""
    grafana = phase.target("grafana").client
    deploy(phase)
    wait_for(lambda: violations(grafana) == 0, SHOWS_S)
    path = f"/api/dashboards/uid/{UID}"
    rules = list(evaluated_rules(grafana, SOURCE))
    before = grafana.get(path).status_code
    for change in phase.operate("grafana", "roll-back-monitoring").get("changes", []):
        phase.record("change", change)
    wait_for(lambda: not firing(grafana), SHOWS_S)
    heard = len(rule_inbox(phase))  # a rule that is wrong may have told before
    phase.operate("plms", "plant-row")
    phase.operate("plms", "run-invariants", drill=True)
    wait_for(lambda: violations(grafana) == 1, SHOWS_S)
    # A rule that still is evaluated has fired four looks later, and Alertmanager tells at once.
    wait_for(lambda: len(rule_inbox(phase)) > heard, 1.5)
    left = grafana.get(path).status_code
    quiet = firing(grafana), rule_inbox(phase)[heard:]
    known, looked_at = violations(grafana), list(evaluated_rules(grafana, SOURCE))
    set_paused(grafana, paused=False)  # the roll-back silences them for a time
    wait_for(lambda: FAILURE in firing(grafana), SOON_S)
    return MonitoringTakenBack(
        rules,
        before,
        left,
        known,
        *quiet,
        looked_at=looked_at,
        resumed=firing(grafana),
        again=list(evaluated_rules(grafana, SOURCE)),
    )
