"""The drill of day 4: rows break an invariant, are told over every way, and are removed."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from pytest_rollout import Event, Message, Stage, read_inbox, scenario
from suites.plms.scenarios.monitoring import (
    ALERTS_S,
    FAILURE,
    MARKED,
    SOON_S,
    SOURCE,
    TRIED,
    Shown,
    deploy,
    rule_inbox,
    shown,
    told_of,
)
from suites.plms.scenarios.people_drill import SAYS, Drilled, Rows, drilled_by_people, project_runs
from suites.plms.views.answers import not_done, recorded
from suites.plms.views.grafana_panels import Source, dashboard, data_source, series, wait_for
from suites.plms.views.host import run
from suites.plms.views.portfolio import start
from suites.plms.views.tables import rows

WORK_S = 2400  # what the projects of the drill take, and the first one's budget lasts
RUNWAYS = {491: ("Narrative", 6_000), 492: ("Viz-Charts", 60_000)}  # lane, tokens of budget
_WIDTH = "ci_width_pct"
_WIDER = "Data-Schema"


@dataclass(frozen=True, slots=True)
class Drill:
    """What was seen before, while and after rows broke an invariant."""

    board: dict[str, Any]  # the dashboard as Grafana has it
    source: Source | None
    clean: Shown
    drilled: Drilled | None  # None: nobody planted a row
    rehearsed: bool  # else people drilled, and their records tell of it
    checks: tuple[str, ...]  # names of all checks of the checker
    widths: dict[str, float]  # of intervals, by lane, as they are exported
    counted_widths: dict[str, float]  # the same in percent, from the registry
    trials: tuple[Message, ...]  # alerts that only tried the routes
    rules: list[dict[str, Any]]
    routes: dict[str, list[str]]  # receivers of each rule's alert
    events: tuple[Event, ...]

    @property
    def drill(self) -> Drilled:
        """The drill; where there was none, what reads it is missing."""
        if self.drilled is None:
            not_done(
                "no row was planted and found by a run of the job that is a drill",
                recorded("day4", "change", SAYS),
            )
        return self.drilled

    @property
    def forced(self) -> bool:
        """Whether the runway of a project was forced below the limits, as a rehearsal does."""
        return self.rehearsed and self.drilled is not None


@scenario(effect="change", own_target=True)
def alert_drill(phase: Stage) -> Drill:
    """The monitoring is deployed; rows break an invariant, are told, and are removed."""
    grafana = phase.target("grafana").client
    deploy(phase)
    if phase.embedded:
        start_projects(phase)
        widen_intervals(phase.file("registry"))
    phase.operate("plms", "run-invariants")
    clean, routes = shown(phase), _routes(grafana)
    drilled = drill(phase, clean) if phase.embedded else drilled_by_people(phase, clean)
    phase.operate("plms", "close-shift")
    if not phase.embedded:  # who tells real people takes its time
        wait_for(lambda: set(routes) <= _tried_in_slack(phase, routes), ALERTS_S)
    registry = phase.file("registry")
    return Drill(
        board=dashboard(grafana),
        source=data_source(grafana),
        clean=clean,
        drilled=drilled,
        rehearsed=phase.embedded,
        checks=tuple(_checked(phase)),
        widths={labels.get("lane", ""): at for labels, at in series(grafana, SOURCE, _WIDTH)},
        counted_widths=interval_widths(registry),
        trials=rule_inbox(phase, trials=True),
        rules=_deployed(grafana),
        routes=routes,
        events=phase.events("change", "action"),
    )


def drill(phase: Stage, clean: Shown) -> Drilled | None:
    """Two rows are planted as a drill and removed; one more is a failure that is no drill.

    Meanwhile the runway of a project falls under each limit of the alert rules.
    """
    plms, before = phase.target("plms"), project_runs(phase.file("registry"))
    planted_rows = [_plant(phase), _plant(phase)]
    if None in planted_rows:
        return None
    planted, failed_by_plms, failed_at = _rows(phase), plms.clock.now(), datetime.now(UTC)
    began = time.monotonic()
    phase.operate("plms", "run-invariants", drill=True)
    wait_for(lambda: _failure_in_slack(phase), ALERTS_S)
    runner_s = time.monotonic() - began
    violations = sum(_checked(phase).values())
    wait_for(lambda: {"slack", "mail"} <= told_of(rule_inbox(phase), FAILURE), ALERTS_S)
    plms.clock.advance(600)
    broken = shown(phase, fires="runway-warning")
    for row in planted_rows:
        phase.operate("plms", "remove-row", row=row)
    plms.clock.advance(120)
    phase.operate("plms", "run-invariants")
    repaired = shown(phase, fires="runway-critical", rests=FAILURE)
    wait_for(lambda: "slack" in told_of(rule_inbox(phase), FAILURE, "resolved"), SOON_S)
    told, told_by_runner = rule_inbox(phase), read_inbox(phase.file("inbox"))
    after = project_runs(phase.file("registry"))
    failed = _failed_in_earnest(phase)
    end_projects(phase)
    ended = shown(phase, rests="runway-warning")
    added = set(planted) - set(before)
    return Drilled(
        ruled=clean.rule_state(FAILURE),
        broken=broken,
        repaired=repaired,
        failed=failed,
        ended=ended,
        failed_at=failed_at,
        failed_by_plms=failed_by_plms,
        runner_s=runner_s,
        told=told,
        told_by_runner=told_by_runner,
        planted=len(added),
        seen=violations,
        left=len(added & set(after)),
        lost=len(set(before) - set(after)),
    )


def _failed_in_earnest(phase: Stage) -> Shown:
    """What is shown of a failure that is no drill; its row is removed and the job runs again."""
    row = _plant(phase)
    phase.operate("plms", "run-invariants")
    failed = shown(phase, fires=FAILURE)
    phase.operate("plms", "remove-row", row=row)
    phase.operate("plms", "run-invariants")
    return failed


def start_projects(phase: Stage) -> None:
    """Start a project whose budget ends with its work, and one that has plenty; 24 minutes pass."""
    plms = phase.target("plms")
    for project, (lane, budget) in RUNWAYS.items():
        body = {"lane_name": lane, "tasks": 1, "task_seconds": WORK_S, "tags": "drill"}
        body |= {"budget_tokens": budget, "run_kind": "rehearsal"}
        start(plms.client, project, f"{phase.id}/{project}/1", **body)
        phase.record("action", f"drill: project {project} started")
    plms.clock.advance(24 * 60)


def widen_intervals(registry: Path) -> None:
    """Make the intervals of one lane wider: else no lane's width can be told from another's."""
    with closing(sqlite3.connect(registry)) as db, db:
        db.execute(
            "UPDATE project_runs SET tokens_ci_upper = tokens_ci_upper + 0.05 * tokens_mean"
            " WHERE status = 'completed' AND lane_name = ?",
            (_WIDER,),
        )


def end_projects(phase: Stage) -> None:
    """Cancel both."""
    for project in RUNWAYS:
        phase.target("plms").client.post(f"/api/projects/{project}/cancel").raise_for_status()


def _plant(phase: Stage) -> int | None:
    row = phase.operate("plms", "plant-row").get("row")
    phase.target("plms").clock.advance(1)
    return row


def _rows(phase: Stage) -> Rows:
    return project_runs(phase.file("registry"))


def _failure_in_slack(phase: Stage) -> bool:
    messages = read_inbox(phase.file("inbox"))
    return any(message.service == "slack" and "FAIL" in message.text for message in messages)


def _checked(phase: Stage) -> dict[str, int]:
    """Violations by check, as the checker of the release counts them in the registry now."""
    checker = phase.file("release") / "scripts/check_plms_invariants.py"
    done = run(checker, "--db", phase.file("registry"), "--strict", "--json")
    checks = json.loads(done.stdout).get("checks", {})
    return {name: int(check["violations"]) for name, check in checks.items()}


def _tried_in_slack(phase: Stage, rules: Iterable[str]) -> set[str]:
    """The rules whose trial alert has arrived in Slack."""
    trials = rule_inbox(phase, trials=True)
    return {rule for rule in rules if "slack" in told_of(trials, rule)}


def interval_widths(registry: Path) -> dict[str, float]:
    """The mean width of the intervals of completed runs, in percent of the estimate, by lane."""
    query = (
        "SELECT lane_name, AVG(100.0 * (tokens_ci_upper - tokens_ci_lower) / tokens_mean) AS width"
        " FROM project_runs WHERE status = 'completed' AND tokens_actual > 0 AND tokens_mean > 0"
        " GROUP BY lane_name"
    )
    return {row["lane_name"]: row["width"] for row in rows(registry, query)}


def _deployed(grafana: httpx.Client) -> list[dict[str, Any]]:
    answer = grafana.get("/api/v1/provisioning/alert-rules").raise_for_status()
    deployed: list[dict[str, Any]] = answer.json()
    return deployed


def _routes(grafana: httpx.Client) -> dict[str, list[str]]:
    """To whom Alertmanager sends the alert of each rule: tried with an alert of its labels."""
    path = f"/api/alertmanager/{SOURCE}/api/v2/alerts"
    trials = [
        {"labels": {**rule["labels"], "alertname": rule["title"], **dict.fromkeys(MARKED, TRIED)}}
        for rule in _deployed(grafana)
    ]
    grafana.post(path, json=trials).raise_for_status()
    receivers: dict[str, list[str]] = {}
    for alert in grafana.get(path).raise_for_status().json():
        if TRIED in map(alert["labels"].get, MARKED):
            names = sorted(receiver["name"] for receiver in alert["receivers"])
            receivers[alert["labels"]["alertname"]] = names
    return receivers
