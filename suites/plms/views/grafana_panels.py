"""A Grafana as the suite sees it: panels with what they show, alert rules with their state."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
    datasource: str
    days: float  # the range that it shows
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

    @property
    def has_data(self) -> bool:
        """Whether any value came back."""
        return any(value is not None for _, value in self.series)


def panels(grafana: httpx.Client) -> dict[str, Panel]:
    """The panels of the dashboard by title, each asked now; none where it is not there."""
    answer = grafana.get(f"/api/dashboards/uid/{UID}")
    if not answer.is_success:
        return {}
    board = answer.json()["dashboard"]
    return {
        panel["title"]: _panel(grafana, panel, board["time"]["from"]) for panel in board["panels"]
    }


def _panel(grafana: httpx.Client, panel: Mapping[str, Any], since: str) -> Panel:
    (target,) = panel["targets"]
    days = _days(panel.get("timeFrom") or since)
    now = int(time.time() * 1000)
    span = {"from": str(now - int(days * 86_400_000)), "to": str(now)}
    answer = grafana.post("/api/ds/query", json={"queries": [target], **span}).json()
    result = answer["results"][target["refId"]]
    mappings = panel["fieldConfig"]["defaults"].get("mappings", [])
    return Panel(
        title=panel["title"],
        kind=panel["type"],
        datasource=target["datasource"]["uid"],
        days=days,
        stacked=(panel.get("options") or {}).get("stacking") == "normal",
        texts={key: text["text"] for each in mappings for key, text in each["options"].items()},
        series=tuple(map(_series, result["frames"])),
        error=result.get("error", ""),
    )


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


def rule_states(grafana: httpx.Client, datasource: str) -> dict[str, str]:
    """The state of each alert rule that is evaluated: inactive, pending or firing."""
    answer = grafana.get(f"/api/prometheus/{datasource}/api/v1/rules").raise_for_status().json()
    groups = answer["data"]["groups"]
    return {rule["name"]: rule["state"] for group in groups for rule in group["rules"]}


def wait_for(what: Callable[[], bool], seconds: float) -> bool:
    """Look ten times a second until something holds; whether it came to hold in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.1)
    return what()
