"""A Grafana as the suite sees it: panels with what they show, alert rules with their state."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

UID = "plms-invariants"
DATASOURCE = "PLMS Ops API"
PANELS = (
    "Current Status",
    "Total Violations",
    "Success Rate",
    "Last Check Time",
    "Status History",
    "Violations by Type",
    "Mean Time to Fix",
    "Critical Checks",
)
_SPAN = re.compile(r"(?:now-)?(\d+)([hd])")
_HOURS = {"h": 1, "d": 24}


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel of a dashboard, and what its query was answered with."""

    title: str
    kind: str
    datasources: tuple[str, ...]  # uids that it asks
    days: float  # the range that it shows, which ends now
    ranged: bool  # it asks for a range, not for one moment
    unit: str
    stacked: bool
    texts: Mapping[str, str]  # what it writes for a value
    series: tuple[tuple[Mapping[str, str], float | None], ...]  # labels and last value
    error: str = ""

    @property
    def value(self) -> float | None:
        """The one value that it shows; None where it shows none or several."""
        return self.series[0][1] if len(self.series) == 1 else None

    @property
    def text(self) -> str | None:
        """What it writes for its value."""
        return None if self.value is None else self.texts.get(f"{self.value:g}")

    def by_label(self, label: str) -> dict[str | None, float | None]:
        """The values of its series by a label of them."""
        return {labels.get(label): value for labels, value in self.series}

    def texts_by_label(self, label: str) -> dict[str | None, str | None]:
        """What it writes for each series, by a label of them."""
        values = self.by_label(label).items()
        return {name: None if at is None else self.texts.get(f"{at:g}") for name, at in values}

    @property
    def has_data(self) -> bool:
        """Whether any value came back."""
        return any(value is not None for _, value in self.series)


def dashboard(grafana: httpx.Client) -> dict[str, Any]:
    """The dashboard as Grafana has it under its uid; empty where it is not there."""
    answer = grafana.get(f"/api/dashboards/uid/{UID}")
    return dict(answer.json()["dashboard"]) if answer.is_success else {}


def panels(grafana: httpx.Client, at: datetime | None = None) -> dict[str, Panel]:
    """The panels of the dashboard by title, asked of a moment; none where it is not there.

    Without a moment each is asked of now.
    """
    board = dashboard(grafana)
    since = board.get("time", {}).get("from", "")
    return {panel["title"]: _panel(grafana, panel, since, at) for panel in board.get("panels", ())}


def _panel(
    grafana: httpx.Client, panel: Mapping[str, Any], since: str, at: datetime | None
) -> Panel:
    targets = panel.get("targets") or [{"refId": "A", "expr": ""}]
    days = 0.0 if panel.get("timeShift") else _days(panel.get("timeFrom") or since)
    answer = grafana.post("/api/ds/query", json={"queries": targets, **_span(days, at)}).json()
    results = [answer.get("results", {}).get(target["refId"], {}) for target in targets]
    defaults = panel.get("fieldConfig", {}).get("defaults", {})
    mappings = defaults.get("mappings", [])
    return Panel(
        title=panel["title"],
        kind=panel["type"],
        datasources=tuple(sorted(_sources(panel, targets))),
        days=days,
        ranged=not any(target.get("instant") for target in targets),
        unit=defaults.get("unit", ""),
        stacked=(panel.get("options") or {}).get("stacking") == "normal",
        texts={key: text["text"] for each in mappings for key, text in each["options"].items()},
        series=tuple(_series(frame) for result in results for frame in result.get("frames", ())),
        error="; ".join(result["error"] for result in results if result.get("error")),
    )


def _span(days: float, at: datetime | None) -> dict[str, str]:
    """The days that end at a moment, now without one, as Grafana takes them."""
    end = int((at.timestamp() if at else time.time()) * 1000)
    return {"from": str(end - int(days * 86_400_000)), "to": str(end)}


def _sources(panel: Mapping[str, Any], targets: Sequence[Mapping[str, Any]]) -> set[str]:
    """The uids of all data sources that a panel names; empty text where a query names none."""
    own = panel.get("datasource") or {}
    named = {str((target.get("datasource") or own).get("uid", "")) for target in targets}
    return named | ({str(own["uid"])} if own.get("uid") else set())


def _series(frame: Mapping[str, Any]) -> tuple[Mapping[str, str], float | None]:
    values = frame["data"]["values"][1]
    return frame["schema"]["fields"][1].get("labels", {}), values[-1] if values else None


def _days(span: str) -> float:
    match = _SPAN.fullmatch(span)
    return int(match[1]) * _HOURS[match[2]] / 24 if match else 0.0


@dataclass(frozen=True, slots=True)
class Source:
    """A data source of Grafana."""

    uid: str
    health: str


def data_source(grafana: httpx.Client) -> Source | None:
    """The one that panels are to ask; None where there is none of its name."""
    answer = grafana.get(f"/api/datasources/name/{DATASOURCE}")
    if not answer.is_success:
        return None
    uid = answer.json()["uid"]
    return Source(uid, grafana.get(f"/api/datasources/uid/{uid}/health").json()["status"])


@dataclass(frozen=True, slots=True)
class Rule:
    """An alert rule as it is evaluated."""

    state: str  # inactive, pending or firing
    query: str
    waits_s: float  # for how long its condition must hold before it fires
    every_s: float  # how often it is looked at
    health: str  # ok, err or unknown
    firing: tuple[Mapping[str, str], ...]  # labels of each alert that fires
    looked_at: datetime  # when it was evaluated last


def evaluated_rules(grafana: httpx.Client, datasource: str) -> dict[str, Rule]:
    """The alert rules that are evaluated, by name; one that is paused is not among them."""
    answer = grafana.get(f"/api/prometheus/{datasource}/api/v1/rules").raise_for_status().json()
    return {
        rule["name"]: Rule(
            state=rule["state"],
            query=" ".join(rule["query"].split()),
            waits_s=float(rule["duration"]),
            every_s=float(group["interval"]),
            health=rule["health"],
            firing=tuple(alert["labels"] for alert in rule["alerts"] if alert["state"] == "firing"),
            looked_at=datetime.fromisoformat(rule["lastEvaluation"]),
        )
        for group in answer["data"]["groups"]
        for rule in group["rules"]
    }


def series(
    grafana: httpx.Client, datasource: str, expr: str, at: datetime | None = None
) -> list[tuple[dict[str, str], float]]:
    """Labels and value of each series that an expression gives at a moment, now without one."""
    query = {"refId": "A", "expr": expr, "instant": True}
    query["datasource"] = {"type": "prometheus", "uid": datasource}
    body = {"queries": [query], **_span(0, at)}
    frames = grafana.post("/api/ds/query", json=body).json()["results"]["A"]["frames"]
    all_series = [_series(frame) for frame in frames]
    return [(dict(labels), value) for labels, value in all_series if value is not None]


def wait_for(what: Callable[[], bool], seconds: float) -> bool:
    """Look ten times a second until something holds; whether it came to hold in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.1)
    return what()
