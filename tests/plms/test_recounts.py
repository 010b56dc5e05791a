"""What the suite counts itself: panels against the job's history, crossings, passed limits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fixtures.kit.database import changing
from fixtures.plms.host.invariants import records
from fixtures.plms.host.invariants.records import Record
from suites.plms.views.breaches import Breach, failed, is_drill
from suites.plms.views.grafana_panels import Panel
from suites.plms.views.invariants_recount import amiss, recount
from suites.plms.views.runway_alerts import RunwayAlert, crossings_of
from tests.plms.rehearsal import ROOT

NOON = datetime(2025, 11, 11, 12, tzinfo=UTC)
CHECKS = ("run_kind", "run_id")


def history(folder: Path) -> Path:
    """A failure that was fixed after an hour, and a drill that goes on."""
    path = folder / "invariants.db"
    for hours, status, drill in ((6, "FAIL", False), (5, "OK", False), (1, "FAIL", True)):
        at = (NOON - timedelta(hours=hours)).isoformat()
        bad = 2 * (status == "FAIL")
        told = ("run_kind: row 1", "run_kind: row 2")[:bad]
        records.add(path, Record(at, at, "manual", drill, status, bad, int(bad > 0), told))
    return path


def panel(title: str, value: float, unit: str = "", **series: float) -> Panel:
    """A panel that shows one value, or one for each check."""
    shown = [({"check": name}, at) for name, at in series.items()] or [({}, value)]
    texts = {"0": "FAIL", "1": "OK"}
    return Panel(title, "stat", ("uid",), 1, False, unit, False, texts, tuple(shown))


RIGHT = [
    panel("Current Status", 0),
    panel("Total Violations", 2),
    panel("Success Rate", 50, "percent"),
    panel("Success Rate", 0.5, "percentunit"),
    panel("Last Check Time", 1, "h"),
    panel("Last Check Time", 60, "m"),
    panel("Status History", 0),
    panel("Violations by Type", 0, run_kind=2, run_id=0),
    panel("Mean Time to Fix", 1 / 24, "d"),
    panel("Critical Checks", 0, run_kind=0, run_id=1),
]


@pytest.mark.parametrize("shown", RIGHT, ids=lambda one: f"{one.title}-{one.unit}")
def test_a_panel_that_shows_what_is_counted_is_right(shown: Panel, tmp_path: Path) -> None:
    counted = recount(history(tmp_path), NOON)
    assert counted is not None
    assert amiss(shown, counted, CHECKS) == ""


WRONG = [
    panel("Current Status", 1),
    panel("Total Violations", 1),
    panel("Success Rate", 33, "percent"),  # as if the drill counted
    panel("Success Rate", 50),
    panel("Last Check Time", 1, "m"),
    panel("Last Check Time", 1),
    panel("Status History", 1),
    panel("Violations by Type", 0, run_kind=2),
    panel("Violations by Type", 0, run_kind=1, run_id=1),
    panel("Mean Time to Fix", 1, "d"),
    panel("Critical Checks", 0, run_kind=1, run_id=1),
    replace(panel("Total Violations", 2), error="no such metric"),
    panel("Total Violations of Another", 2),
]


@pytest.mark.parametrize("shown", WRONG, ids=lambda one: f"{one.title}-{one.unit}")
def test_a_panel_that_shows_something_else_is_told(shown: Panel, tmp_path: Path) -> None:
    counted = recount(history(tmp_path), NOON)
    assert counted is not None
    assert amiss(shown, counted, CHECKS) != ""


def test_without_a_run_nothing_is_counted(tmp_path: Path) -> None:
    path = history(tmp_path)
    with changing(path) as db:
        db.execute("DELETE FROM invariant_runs")
    assert recount(path, NOON) is None


def test_a_crossing_lies_between_the_looks_around_it() -> None:
    look = timedelta(seconds=30)
    runway = [(NOON, 15.5), (NOON + look, 15.0), (NOON + 2 * look, 14.5), (NOON + 3 * look, None)]
    (crossing,) = crossings_of(runway)
    assert (crossing.level, crossing.at) == ("warning", NOON + look)
    alert = RunwayAlert(crossing.at, "slack", "#plms-ops", 301, "warning", "")
    moved = [replace(alert, at=alert.at + timedelta(seconds=late)) for late in (-6, 0, 60, 61)]
    assert list(map(crossing.in_time, moved)) == [False, True, True, False]
    assert list(map(crossing.early, moved)) == [True, False, False, False]
    assert list(crossings_of([(NOON, 16.0), (NOON + look, 15.0)])) == [], "15 itself is none"


@pytest.mark.parametrize(
    ("bad", "status", "violations", "exit_status"),
    [(False, "OK", 0, 0), (True, "FAIL", 1, 1), (True, "OK", 3, 0), (True, "OK", 0, 2)],
)
def test_a_check_fails_by_word_count_or_exit(
    bad: bool, status: str, violations: int, exit_status: int
) -> None:
    check = {"status": status, "violations": violations, "exit_status": exit_status}
    assert failed(check) is bad


def test_a_night_is_no_drill() -> None:
    assert is_drill({"drill": 1, "trigger": "manual"})
    assert not is_drill({"drill": 1, "trigger": "timer"})


@pytest.mark.parametrize(
    ("answered", "says", "minutes"),
    [
        (True, {"of": "runway warning", "project": 301, "what": "paused"}, 1),
        (False, {"of": "runway warning", "project": 302, "what": "paused"}, 1),
        (False, {"of": "estimation error", "project": 301, "what": "paused"}, 1),
        (False, {"of": "runway warning", "project": 301, "what": ""}, 1),
        (False, {"of": "runway warning", "project": 301, "what": "paused"}, -1),
    ],
)
def test_an_answer_is_of_its_breach_and_after_it(
    answered: bool, says: dict[str, Any], minutes: int
) -> None:
    breach = Breach("runway", "301", NOON)
    assert breach.answered_by(NOON + timedelta(minutes=minutes), says) is answered


class _Rules(BaseHTTPRequestHandler):
    """Two alert rules that can be asked for and changed."""

    def do_GET(self) -> None:
        self._answer(list(self.server.rules.values()))  # type: ignore[attr-defined]

    def do_PUT(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.rules[sent["uid"]] = sent  # type: ignore[attr-defined]
        self._answer(sent)

    def _answer(self, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def rules_server() -> Iterator[ThreadingHTTPServer]:
    """A server of two rules, none of which is paused."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Rules)
    names = ("runway-warning", "ci-width-spike")
    server.rules = {  # type: ignore[attr-defined]
        name: {"uid": name, "title": name, "isPaused": False, "for": "0s"} for name in names
    }
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_rules_are_paused_and_go_on(rules_server: ThreadingHTTPServer) -> None:
    url = f"http://127.0.0.1:{rules_server.server_port}"

    def said(word: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "suites.plms.grafana.pause_rules", word],
            cwd=ROOT,
            env={**os.environ, "ROLLOUT_TARGET_GRAFANA": url},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout.strip()

    assert said("paused") == (1, "not paused: runway-warning, ci-width-spike")
    assert said("pause") == (0, "pause: runway-warning, ci-width-spike")
    assert said("paused") == (0, "not paused: no rule")
    kept = rules_server.rules["runway-warning"]  # type: ignore[attr-defined]
    assert kept == {
        "uid": "runway-warning",
        "title": "runway-warning",
        "isPaused": True,
        "for": "0s",
    }
    assert said("resume")[0] == 0
    assert said("paused")[0] == 1
    assert said("sing")[0] == 2
