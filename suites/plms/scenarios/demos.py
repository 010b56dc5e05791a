"""Day 2: the three demos as they run when nobody watches, and what they leave behind."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_rollout import Demo, DemoOutput, Event, Kpi, KpiReceipt, RanTests, Stage, scenario
from suites.plms.views.portfolio import rows

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
PROMISES = {"Code-API": (Kpi("test_pass_rate", 0.95), Kpi("build_success", 1))}
_GATED = 943  # the project of demo 3
_LIMIT_S = 900  # on a clock that nobody steps demo 3 waits for two runs of a minute each
# What a table holds besides the rows of demos.
_LASTING = {
    "project_runs": "SELECT run_id, status FROM project_runs WHERE COALESCE(tags, '') <> 'demo'",
    "kpi_receipts": "SELECT k.run_id, k.kpi_name FROM kpi_receipts k"
    " LEFT JOIN project_runs r USING (run_id) WHERE COALESCE(r.tags, '') <> 'demo'",
    "estimate_versions": "SELECT v.id FROM estimate_versions v"
    " LEFT JOIN project_runs r USING (run_id) WHERE COALESCE(r.tags, '') <> 'demo'",
    "lane_configs": "SELECT * FROM lane_configs",
    "system_config": "SELECT * FROM system_config",
}


@dataclass(frozen=True, slots=True)
class GatedRun:
    """One of the two runs of demo 3: as it is stored, its receipts, and what was learnt of it."""

    id: str
    status: str
    receipts: tuple[KpiReceipt, ...]
    priors: int

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
    changed: list[str]  # what is lasting and has changed
    events: tuple[Event, ...]


@scenario(effect="change")
def demonstrated(phase: Stage) -> Demonstrated:
    """The demos are checked out, run one after the other, and what they say is kept."""
    scripts = checked_out(phase)
    registry = phase.file("registry")
    before, known = _lasting(registry), _run_ids(registry)
    with tempfile.TemporaryDirectory(prefix="demos-") as folder:
        shown = {name: _run(phase, name, script, folder) for name, script in scripts.items()}
        tests = dict(_tests(Path(folder), shown["demo3"].text))
    said = {name: demo.text for name, demo in shown.items()}
    phase.operate("plms", "keep-transcripts", said=said)
    after = _lasting(registry)
    gated = tuple(_gated(registry, run) for run in _run_ids(registry) if run not in known)
    phase.operate("plms", "close-shift")
    return Demonstrated(
        shown=shown,
        kept={name: _text(phase.file("transcripts") / f"{name}_output.txt") for name in DEMOS},
        archive=_text(phase.file("documents") / f"PLMS_Demo_Results_{_day(phase)}.txt"),
        tests=tests,
        gated=gated,
        changed=[table for table in _LASTING if before[table] != after[table]],
        events=phase.events("change", "action"),
    )


def checked_out(phase: Stage) -> dict[str, Path]:
    """Where each demo is to be, once the demos are checked out."""
    phase.operate("plms", "check-out-demos")
    return {name: phase.file("demos") / script for name, script in DEMOS.items()}


def _run(phase: Stage, name: str, script: Path, reports: str) -> DemoOutput:
    phase.record("action", f"{name} runs")
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


def _run_ids(registry: Path) -> list[str]:
    query = "SELECT run_id FROM project_runs WHERE project_id = ? ORDER BY rowid"
    return [row["run_id"] for row in rows(registry, query, _GATED)]


def _gated(registry: Path, run: str) -> GatedRun:
    (gated,) = rows(registry, "SELECT status FROM project_runs WHERE run_id = ?", run)
    receipts = rows(registry, "SELECT * FROM kpi_receipts WHERE run_id = ?", run)
    priors = rows(registry, "SELECT id FROM estimate_versions WHERE run_id = ?", run)
    return GatedRun(
        run,
        gated["status"],
        tuple(
            KpiReceipt(run, row["kpi_name"], row["value"], passed=bool(row["passed"]))
            for row in receipts
        ),
        len(priors),
    )


def _lasting(registry: Path) -> dict[str, list[dict[str, Any]]]:
    return {table: rows(registry, query) for table, query in _LASTING.items()}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _day(phase: Stage) -> str:
    return f"{phase.window[0]:%Y%m%d}"
