"""Day 2: the demos against a small service that answers wrongly, one thing at a time."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pytest_rollout import Demo, DemoOutput, Stage, scenario
from suites.plms.scenarios.demos import MASKS, checked_out
from suites.plms.views.dialect import spoken

_AT_ONCE = 2  # demos
_LIMIT_S = 30
_TABLES = """
CREATE TABLE kpi_receipts (run_id TEXT, kpi_name TEXT, value REAL, threshold REAL, passed INTEGER);
CREATE TABLE estimate_versions (run_id TEXT);
"""


@dataclass(frozen=True, slots=True)
class Says:
    """What the service answers; as it stands, what an honest one would."""

    first_replay: str = "false"  # the header of a first use of a key
    again_replay: str = "true"  # and of a repeated one
    again_starts: bool = False  # a repeated key begins a new run
    new_starts: bool = True  # a new key begins one
    status: str = "submitted"
    coverage: float = 1.0
    sample: float = 150.0
    projected: float = 15_000.0
    risk: float = 0.12
    # Of a run with failing tests, and of one without: its status, its KPI, how many priors.
    failed: tuple[str, bool, int] = ("needs_review", False, 0)
    passed: tuple[str, bool, int] = ("completed", True, 1)


@dataclass(frozen=True, slots=True)
class Lie:
    """A wrong answer, the demo that must refuse it, and what that demo must name."""

    demo: str
    says: Says
    names: str


HONEST = Says()
LIES: Mapping[str, Lie] = {
    "a repeated start begins anew": Lie(
        "demo1", replace(HONEST, again_starts=True), "run of the second call"
    ),
    "a repeated start is not flagged": Lie(
        "demo1", replace(HONEST, again_replay="false"), "replay flag of the second call"
    ),
    "a first start is flagged as a replay": Lie(
        "demo1", replace(HONEST, first_replay="true"), "replay flag of the first call"
    ),
    "a start is not submitted": Lie(
        "demo1", replace(HONEST, status="refused"), "status of the first call"
    ),
    "a new key gives the old run": Lie("demo1", replace(HONEST, new_starts=False), "the run"),
    "a stratum in ten is left out": Lie("demo2", replace(HONEST, coverage=0.9), "coverage"),
    "the projection is a tenth": Lie("demo2", replace(HONEST, projected=1_500.0), "1500"),
    "the projection does not follow from the sample": Lie(
        "demo2", replace(HONEST, sample=300.0), "30000"
    ),
    "the risk is at its limit": Lie("demo2", replace(HONEST, risk=0.2), "0.2"),
    "a failed run completes": Lie(
        "demo3", replace(HONEST, failed=("completed", False, 0)), "status of the broken run"
    ),
    "the validator passes failed tests": Lie(
        "demo3", replace(HONEST, failed=("needs_review", True, 0)), "verdict on the broken run"
    ),
    "a failed run teaches": Lie(
        "demo3", replace(HONEST, failed=("needs_review", False, 1)), "priors from the broken run"
    ),
    "a good run does not complete": Lie(
        "demo3", replace(HONEST, passed=("needs_review", True, 1)), "status of the repaired run"
    ),
    "a good run teaches nothing": Lie(
        "demo3", replace(HONEST, passed=("completed", True, 0)), "priors from the repaired run"
    ),
}


@scenario()
def lied_to(phase: Stage) -> Mapping[str, DemoOutput]:
    """Each demo runs against a service on loopback that lies; what it did, by the lie."""
    scripts = checked_out(phase)
    with tempfile.TemporaryDirectory(prefix="lies-") as name:

        def told(lie: str) -> DemoOutput:
            demo = LIES[lie].demo
            return against(LIES[lie].says, scripts[demo], Path(name) / lie.replace(" ", "-"))

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return dict(zip(LIES, pool.map(told, LIES), strict=True))


def against(says: Says, script: Path, folder: Path) -> DemoOutput:
    """Run a demo against a service that answers so; the folder is made for it."""
    folder.mkdir()
    registry = folder / "registry.db"
    with closing(sqlite3.connect(registry)) as db:
        db.executescript(_TABLES)
    with _serving(_Service(says, registry)) as url:
        given = {"PLMS_URL": url, "PLMS_REGISTRY": str(registry), "PLMS_DIALECT": ""}
        given |= {"DEMO_REPORTS": str(folder), "PYTHON": sys.executable, "PATH": os.environ["PATH"]}
        return Demo(script, MASKS, _LIMIT_S).run(given)


def unrefused(lie: Lie, shown: DemoOutput) -> str:
    """How a demo took a wrong answer, where it did not refuse it; empty where it did."""
    if shown.status == 0:
        return "exits 0: it can no longer fail"
    told = [line for line in shown.text.splitlines() if line.startswith("✗") and lie.names in line]
    if shown.status != 1 or not told:
        last = (shown.text.strip().splitlines() or ["nothing"])[-1]
        return f"exits {shown.status} and says {last!r}, not what is wrong ({lie.names})"
    return ""


@dataclass(slots=True)
class _Service:
    """Starts, rehearsals and ended runs, as far as the demos ask."""

    says: Says
    registry: Path
    keys: dict[str, str] = field(default_factory=dict)  # the run of each
    runs: dict[str, str] = field(default_factory=dict)  # the status of each

    def start(self, key: str, body: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        """The answer to a start, and its replay header."""
        again = key in self.keys
        begins = self.says.again_starts if again else self.says.new_starts or not self.runs
        run = f"run-{len(self.runs) + 1}" if begins else self.keys.get(key, "run-1")
        self.keys[key] = run
        if begins:
            self._end(run, str(body.get("test_report", "")))
        replay = self.says.again_replay if again else self.says.first_replay
        return {"status": self.says.status, "run_id": run}, replay

    def _end(self, run: str, report: str) -> None:
        failed = "<failure" in report
        self.runs[run], passed, priors = self.says.failed if failed else self.says.passed
        value = 0.75 if failed else 1.0
        with closing(sqlite3.connect(self.registry)) as db, db:
            receipt = (run, "test_pass_rate", value, 0.95, passed)
            db.execute("INSERT INTO kpi_receipts VALUES (?, ?, ?, ?, ?)", receipt)
            db.executemany("INSERT INTO estimate_versions VALUES (?)", [(run,)] * priors)

    def rehearsal(self) -> dict[str, Any]:
        """The answer to a rehearsal."""
        says = self.says
        return {
            "strata_coverage": says.coverage,
            "rehearsal_tokens": says.sample,
            "projected_tokens": says.projected,
            "risk_score": says.risk,
        }

    def portfolio(self) -> dict[str, Any]:
        """Every run with its status."""
        return {"projects": [{"run_id": run, "status": was} for run, was in self.runs.items()]}


@contextmanager
def _serving(service: _Service) -> Iterator[str]:
    """The address at which the service answers, while the context lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(service))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(service: _Service) -> type[BaseHTTPRequestHandler]:
    rehearsed = spoken().path("simulate", 0).rpartition("/")[2]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(service.portfolio())

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or "{}")
            if self.path.endswith(f"/{rehearsed}"):
                self._answer(service.rehearsal())
            else:
                self._answer(*service.start(self.headers.get("Idempotency-Key", ""), body))

        def _answer(self, body: Mapping[str, Any], replay: str = "false") -> None:
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Idempotent-Replay", replay)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    return Handler
