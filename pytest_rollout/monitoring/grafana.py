"""What the stand-in for Grafana holds; its data come from a real Prometheus. Nothing is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

import yaml

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.monitoring.alertmanager import Alertmanager
from pytest_rollout.monitoring.frames import frames
from pytest_rollout.monitoring.grafana_flaws import GrafanaFlaws
from pytest_rollout.monitoring.prometheus import Prometheus, rules_of


@dataclass(slots=True)
class Grafana:
    """What a Grafana holds: one data source, dashboards, and the alert rules with their pauses."""

    datasource: str  # its name
    prometheus: Prometheus
    alertmanager: Alertmanager
    uid: str = "prometheus"  # of the data source
    flaws: GrafanaFlaws = field(default_factory=GrafanaFlaws)
    dashboards: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: list[dict[str, Any]] = field(default_factory=list)
    paused: set[str] = field(default_factory=set)
    channels: dict[str, bool] = field(default_factory=lambda: {"1": True, "2": True})
    _first: dict[str, Any] = field(default_factory=dict)

    def provision(self, rules: str) -> None:
        """Take up the alert rules of a rules file."""
        self.rules = rules_of(rules)
        self._load()

    def pause(self, name: str, *, paused: bool) -> None:
        """Have a rule evaluated no longer, or again."""
        (self.paused.add if paused else self.paused.discard)(name)
        self._load()

    def _load(self) -> None:
        active = [rule for rule in self.rules if rule["alert"] not in self.paused]
        groups = [{"name": "grafana", "rules": active}] if active else []
        self.prometheus.load(yaml.safe_dump({"groups": groups}, sort_keys=False))

    def query(self, query: Mapping[str, Any], start: float, end: float) -> dict[str, Any]:
        """The result of one query of a panel, as ``/api/ds/query`` gives it."""
        if query.get("datasource", {}).get("uid") != self.uid:
            return {"error": "data source not found", "status": 404, "frames": []}
        expr = str(query["expr"])
        if self._stale(expr) and expr in self._first:
            return dict(self._first[expr])
        answer = frames(self.prometheus, query, start, end)
        self._first.setdefault(expr, answer)
        return answer

    def _stale(self, expr: str) -> bool:
        titles = {
            panel["title"]: [target.get("expr") for target in panel.get("targets", [])]
            for dashboard in self.dashboards.values()
            for panel in dashboard.get("panels", [])
        }
        return expr in titles.get(self.flaws.remembers, [])
