"""Day 2: the three demos as they run when nobody watches, and what they leave behind."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_rollout import (
    BeforeAfter,
    Demo,
    DemoOutput,
    Event,
    KpiReceipt,
    RanTests,
    Stage,
    StepChange,
    scenario,
)
from suites.plms.views.portfolio import ENDED, rows
from suites.plms.views.snapshots import snapshot
from suites.plms.views.tables import run_row

DEMOS = {
    "demo1": "demo_1_idempotent_start.sh",
    "demo2": "demo_2_representative_canary.sh",
    "demo3": "demo_3_kpi_gated_completion.sh",
}
MASKS = {
    "run": r"(?<=run_id=)[^\s,:]+",
    "tokens": r"\d+(?= tokens)",
    "risk": r"(?<=Risk score )[\d.]+",
}
PROJECTS = {"demo1": 941, "demo2": 942, "demo3": 943}
_LIMIT_S = 900  # on a clock that nobody steps demo 3 waits for two runs of a minute each
# Where a lasting change would stand; the first three hold rows of demos as well.
_OF_RUNS = ("project_runs", "kpi_receipts", "estimate_versions")
_LASTING = (*_OF_RUNS, "lane_configs", "system_config")


@dataclass(frozen=True, slots=True)
class GatedRun:
    """One of the two runs of demo 3: as it is stored, its receipts, and what was learnt of it."""

    id: str
    status: str
    validated: bool  # its validation_pass
    receipts: tuple[KpiReceipt, ...]
    thresholds: Mapping[str, float | None]  # what each receipt was held against, by its KPI
    priors: tuple[Mapping[str, Any], ...]
    row: Mapping[str, Any]

    @property
    def completed(self) -> Mapping[str, str]:
        """Its lane by its id, where it is completed."""
        return {self.id: "Code-API"} if self.status == "completed" else {}

    def value(self, kpi: str) -> float | None:
        """The value of a KPI, None without a receipt."""
        return next((receipt.value for receipt in self.receipts if receipt.kpi == kpi), None)

    def passed(self, kpi: str) -> bool:
        """Whether its receipt says that the KPI passed."""
        return any(receipt.passed for receipt in self.receipts if receipt.kpi == kpi)


@dataclass(frozen=True, slots=True)
class Demonstrated:
    """What was seen of the demos."""

    shown: Mapping[str, DemoOutput]
    kept: Mapping[str, str]  # what was stored of each, "" where nothing was
    archive: str
    tests: Mapping[str, RanTests]  # by phase of demo 3, of those that left a report
    gated: tuple[GatedRun, ...]  # the runs of demo 3 in their order
    started: Mapping[str, list[str]]  # the runs that each demo made, in their order
    of_demos: frozenset[str]  # every run of the demos' projects since the phase began
    changed: list[str]  # what is lasting and has changed, in words
    events: tuple[Event, ...]


@scenario(effect="change")
def demonstrated(phase: Stage) -> Demonstrated:
    """The demos are checked out, run one after the other, and what they say is kept."""
    scripts = checked_out(phase)
    registry = phase.file("registry")
    before = snapshot(registry)
    known = {name: _run_ids(registry, project) for name, project in PROJECTS.items()}
    with tempfile.TemporaryDirectory(prefix="demos-") as folder:
        shown = {name: _run(phase, name, script, folder) for name, script in scripts.items()}
        tests = dict(_tests(Path(folder), shown["demo3"].text))
    texts = {name: demo.text for name, demo in shown.items()}
    phase.operate("plms", "keep-transcripts", said=texts)
    lasting = _lasting(BeforeAfter.between(before, snapshot(registry)))
    started = {
        name: [run for run in _run_ids(registry, project) if run not in known[name]]
        for name, project in PROJECTS.items()
    }
    gated = tuple(gated_run(registry, run) for run in started["demo3"])
    phase.operate("plms", "close-shift")
    return Demonstrated(
        shown=shown,
        kept={name: _text(phase.file("transcripts") / f"{name}_output.txt") for name in DEMOS},
        archive=_text(phase.file("documents") / f"PLMS_Demo_Results_{_day(phase)}.txt"),
        tests=tests,
        gated=gated,
        started=started,
        of_demos=_since(registry, phase),
        changed=lasting,
        events=phase.events("change", "action"),
    )


def checked_out(phase: Stage) -> dict[str, Path]:
    """Where each demo is to be, once the demos are checked out."""
    phase.operate("plms", "check-out-demos")
    return {name: phase.file("demos") / script for name, script in DEMOS.items()}


def _run(phase: Stage, name: str, script: Path, reports: str) -> DemoOutput:
    # By this target's clock: that of a scenario with a target of its own may be days ahead.
    phase.record("action", f"{name} runs", at=phase.target("plms").clock.now())
    given = {
        "PLMS_URL": phase.target("plms").url,
        "PLMS_REGISTRY": str(phase.file("registry").resolve()),
        "PLMS_DIALECT": "" if phase.embedded else os.environ.get("PLMS_DIALECT", ""),
        "DEMO_REPORTS": reports,
        "PYTHON": sys.executable,
    }
    return Demo(script, MASKS, _LIMIT_S).run(given)


def _tests(folder: Path, said: str) -> list[tuple[str, RanTests]]:
    """What the tests of each phase of demo 3 came to, with the exit status that it tells."""
    told = re.findall(r"^Phase (\d): .*, exit (\d+)$", said, re.MULTILINE)
    reports = {number: folder / f"phase{number}.xml" for number, _ in told}
    return [
        (number, RanTests.read(reports[number], int(status)))
        for number, status in told
        if reports[number].is_file()
    ]


def _run_ids(registry: Path, project: int) -> list[str]:
    query = "SELECT run_id FROM project_runs WHERE project_id = ? ORDER BY rowid"
    return [row["run_id"] for row in rows(registry, query, project)]


def _since(registry: Path, phase: Stage) -> frozenset[str]:
    """The runs of the demos' projects that started since the phase began."""
    query = "SELECT run_id, started_at FROM project_runs WHERE project_id IN (?, ?, ?)"
    runs = rows(registry, query, *PROJECTS.values())
    started = {run["run_id"]: run["started_at"] for run in runs if run["started_at"]}
    begin = phase.window[0]
    return frozenset(run for run, at in started.items() if _moment(at) >= begin)


def _moment(text: str) -> datetime:
    """A time of the registry; one without a zone is UTC's, as SQLite writes it."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def gated_run(registry: Path, run: str) -> GatedRun:
    """A run as it is stored, with its receipts and what was learnt of it."""
    row = run_row(registry, run)
    receipts = rows(registry, "SELECT * FROM kpi_receipts WHERE run_id = ?", run)
    priors = rows(registry, "SELECT * FROM estimate_versions WHERE run_id = ?", run)
    return GatedRun(
        run,
        row["status"],
        bool(row["validation_pass"]),
        tuple(
            KpiReceipt(run, receipt["kpi_name"], receipt["value"], passed=bool(receipt["passed"]))
            for receipt in receipts
        ),
        {receipt["kpi_name"]: receipt["threshold"] for receipt in receipts},
        tuple(priors),
        row,
    )


def _lasting(step: BeforeAfter) -> list[str]:
    """What changed besides rows of demos, and of runs that were under way."""
    demos = {
        row["run_id"]
        for change in step.changes
        for row in (change.before, change.after)
        if change.place.table == "project_runs" and row.get("tags") == "demo"
    }
    return [
        str(change)
        for change in step.changes
        if change.place.table in _LASTING and not _is_expected(change, demos)
    ]


def _is_expected(change: StepChange, demos: set[object]) -> bool:
    if change.place.table not in _OF_RUNS:
        return False
    row = change.after or change.before
    under_way = change.before.get("status", ENDED[0]) not in ENDED
    return row.get("run_id") in demos or (bool(change.after) and under_way)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _day(phase: Stage) -> str:
    return f"{phase.window[0]:%Y%m%d}"
