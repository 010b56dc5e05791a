"""Daily summaries, weekly reports, dashboards, and what week 5 leaves."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fixtures.pipeline.core.days import day
from fixtures.pipeline.core.vocabulary import ASSIGNED, COPILOT, STAKEHOLDERS, TRIAGE
from fixtures.pipeline.core.world import World
from fixtures.pipeline.reports.dashboard import PANELS
from tests.pipeline.lived import items_of, kept, lines, lived, records_of, shop_of


def _summary(world: World) -> dict[str, Any]:
    """The summary of the last daily run that is over."""
    runs = [run for run in world.actions.history if run.file == "ops-daily-operations.yml"]
    texts = [a.files["summary.json"] for run in runs for a in run.artifacts if "summary" in a.name]
    summary: dict[str, Any] = json.loads(texts[0])
    return summary


def test_the_summary_counts_what_there_is(tmp_path: Path) -> None:
    for fault, over in (("", 0), ("summary-miscounts", 1)):
        world = lived(tmp_path / (fault or "healthy"), day(8, "06:50"), fault)
        summary = _summary(world)
        at = day(8, "06:30")
        recent = [
            event
            for event in world.tracker.events
            if event.kind == "labeled" and day(7, "06:40") < event.at <= day(8, "06:50")
        ]
        labels = Counter(event.label for event in recent)
        figures = summary["figures"]
        assert summary["live"] == ["monitoring"]
        assert figures["copilot_backlog"] == len(world.tracker.open_with(COPILOT))
        assert figures["assigned_24h"] == labels[ASSIGNED] + over
        assert figures["discovered_24h"] == labels[TRIAGE]
        assert at < world.now


@pytest.mark.parametrize(
    ("fault", "figure"),
    [("backlog-missing", "copilot_backlog"), ("completeness-missing", "guidance_complete")],
)
def test_a_fault_leaves_a_figure_out(tmp_path: Path, fault: str, figure: str) -> None:
    assert figure not in _summary(lived(tmp_path, day(2), fault))["figures"]


@pytest.mark.parametrize(("fault", "minutes"), [("", 15), ("slow-16min", 16), ("slow-31min", 31)])
def test_a_daily_run_takes_so_long(tmp_path: Path, fault: str, minutes: int) -> None:
    world = lived(tmp_path, day(2, "08:00"), fault)
    runs = [run for run in world.actions.history if run.file == "ops-daily-operations.yml"]
    took = (runs[0].updated - (runs[0].started or 0)) / 60
    assert took < minutes if not fault else minutes < took < minutes + 0.5


@pytest.fixture(scope="module")
def fourth_week(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two days of week 4."""
    return lived(tmp_path_factory.mktemp("week4"), day(24))


def _rows(world: World, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(world.folder / "dashboard" / "telemetry.db")) as db:
        return db.execute(query).fetchall()


@pytest.mark.slow
def test_each_panel_has_data_and_all_is_ingested(fourth_week: World) -> None:
    world = fourth_week
    board = json.loads((world.folder / "dashboard" / "pipeline.json").read_text())
    assert [panel["title"] for panel in board["panels"]] == list(PANELS)
    for panel in board["panels"]:
        assert _rows(world, panel["targets"][0]["expr"]), panel["title"]
    ((count,),) = _rows(world, "SELECT count(*) FROM records")
    assert count == len(records_of(world))
    flow = dict(_rows(world, PANELS["Issue flow"]))
    assert flow["processing"] == len({r["issue"] for r in items_of(world, "processing")})


@pytest.mark.slow
def test_the_report_of_a_week_is_committed_and_mailed(fourth_week: World) -> None:
    text = fourth_week.main.read("docs/metrics/2026-W05.md") or ""
    assert "- discovered: 280" in text
    mails = [m for m in lines(fourth_week, "inbox.jsonl") if m["channel"] == STAKEHOLDERS]
    assert [m["body"]["subject"] for m in mails] == ["Pipeline metrics, week 3"]


@pytest.mark.parametrize(
    "fault",
    ["panel-errors-missing", "ingest-drops-malformed", "mail-missing", "metrics-not-committed",
     "weekly-report-missing"],
)  # fmt: skip
@pytest.mark.slow
def test_a_fault_leaves_something_out(tmp_path: Path, fault: str) -> None:
    fault = fault.replace("panel-errors", "panel-error-rates")
    world = lived(tmp_path, day(23), fault)
    board = world.folder / "dashboard" / "pipeline.json"
    mails = [m for m in lines(world, "inbox.jsonl") if m["channel"] == STAKEHOLDERS]
    missing = {
        "weekly-report-missing": not board.exists() and not mails,
        "mail-missing": not mails,
        "metrics-not-committed": world.main.read("docs/metrics/2026-W05.md") is None,
    }
    if board.exists():
        ((count,),) = _rows(world, "SELECT count(*) FROM records")
        missing["ingest-drops-malformed"] = count < len(records_of(world))
        missing["panel-error-rates-missing"] = "Errors" not in board.read_text()
    assert missing[fault]


@pytest.mark.slow
def test_week_5_leaves_reports_with_its_figures(tmp_path: Path) -> None:
    world = lived(tmp_path, day(35, "12:00"))
    report = world.main.read("docs/reports/rollout-post-mortem.md") or ""
    shares = dict(line[2:].split(": ") for line in report.splitlines() if line.startswith("- "))
    assert float(shares["flow_through"]) > 0.95
    assert float(shares["copilot_completed_48h"]) > 0.8
    assert float(shares["label_quality"]) == float(shares["specialist_signal"]) == 1
    scores = (world.folder / "records" / "survey.csv").read_text().splitlines()[1:]
    assert sum(int(row.rpartition(",")[2]) for row in scores) / len(scores) > 4
    assert len(kept(world, "minutes.yaml")["agenda"]) == 4
    themes = kept(world, "feedback-themes.yaml")["themes"]
    assert all(each["issues"] for each in themes)
    assert shop_of(world).ledger.blockers
