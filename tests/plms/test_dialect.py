"""A dialect of PLMS: names, units and words of a target's own, read by the suite's names."""

from __future__ import annotations

import ast
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from pytest_rollout import NotReportedError, RolloutError
from suites.plms.views.dialect import Dialect, speaking
from suites.plms.views.portfolio import sample, start
from suites.plms.views.tables import records, rows
from tests.plms.rehearsal import ROOT

WRITTEN = """
paths: {simulate: "/v2/projects/{project}/rehearse"}
requests: {start: {lane_name: lane}}
answers:
  portfolio:
    timestamp: meta.at
    queue_depth: queue.waiting
    lanes: {each: {lane_name: name, running: busy, queued: waiting, max_concurrent: limit}}
    projects:
      path: runs
      each: {project_id: $key, status: state, progress: {path: done, unit: percent}}
  metrics: {duration_std: {path: spread.seconds, unit: s}}
tables:
  project_runs:
    columns: {run_id: id, duration_actual: {column: took_ms, unit: ms}, tags: labels}
  kpi_receipts: {table: receipts, columns: {kpi_name: name}}
words:
  status: {executing: [running, active], submitted: queued}
"""
STATUS = {
    "meta": {"at": "2025-11-10T14:05:00Z"},
    "queue": {"waiting": 2},
    "lanes": [{"name": "Code-API", "busy": 3, "waiting": 1, "limit": 4, "utilization": 0.75}],
    "runs": {"101": {"state": "active", "done": 40}, "102": {"state": "queued", "done": 0}},
}


def dialect(folder: Path, text: str = WRITTEN) -> Dialect:
    path = folder / "dialect.yaml"
    path.write_text(text, encoding="utf-8")
    return Dialect.read(path)


def client(sent: list[httpx.Request]) -> httpx.Client:
    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json=STATUS)

    return httpx.Client(transport=httpx.MockTransport(answer), base_url="http://127.0.0.1")


def test_a_portfolio_of_other_names_is_read(tmp_path: Path) -> None:
    with speaking(dialect(tmp_path)):
        seen = sample(client([]))
    assert seen.queue_depth == 2
    assert seen.time.isoformat() == "2025-11-10T14:05:00+00:00"
    (lane,) = seen.lanes
    assert (lane.name, lane.running, lane.queued, lane.cap) == ("Code-API", 3, 1, 4)
    assert lane.utilization == 0.75
    assert {(p.id, p.status, p.progress) for p in seen.projects} == {
        (101, "executing", 0.4),
        (102, "submitted", 0.0),
    }
    assert seen.executing() == {101}


def test_requests_are_sent_in_its_names(tmp_path: Path) -> None:
    sent: list[httpx.Request] = []
    with speaking(dialect(tmp_path)) as spoken:
        start(client(sent), 101, "key-of-101", lane_name="Narrative")
        assert spoken.path("simulate", 942) == "/v2/projects/942/rehearse"
    assert b'"lane":"Narrative"' in sent[0].content
    assert b"lane_name" not in sent[0].content


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """A registry whose tables have names of their own."""
    path = tmp_path / "registry.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(
            "CREATE TABLE project_runs (id TEXT, project_id INTEGER, status TEXT, took_ms INTEGER,"
            " labels TEXT, completed_at TEXT)"
        )
        run = ("r1", 101, "running", 90_000, "demo", "2025-11-10 14:05:00")
        db.execute("INSERT INTO project_runs VALUES (?, ?, ?, ?, ?, ?)", run)
        db.execute("CREATE TABLE receipts (run_id TEXT, name TEXT, value REAL)")
        db.execute("INSERT INTO receipts VALUES ('r1', 'test_pass_rate', 0.97)")
    return path


def test_tables_of_other_names_are_read(tmp_path: Path, registry: Path) -> None:
    before = registry.read_bytes()
    with speaking(dialect(tmp_path)):
        (run,) = records(registry, "SELECT rowid AS row, * FROM project_runs WHERE run_id = 'r1'")
        joined = "SELECT k.value FROM project_runs r JOIN kpi_receipts k USING (run_id)"
        receipts = f"{joined} WHERE k.kpi_name = 'test_pass_rate'"
        assert rows(registry, receipts) == [{"value": 0.97}]
    assert run["row"] == 1
    assert run.text("status") == "executing"
    assert run.number("duration_actual") == 1.5
    assert run.text("tags") == "demo"
    assert run.moment("completed_at").isoformat() == "2025-11-10T14:05:00+00:00"
    assert registry.read_bytes() == before


def test_a_rehearsal_speaks_as_the_docs_do(registry: Path) -> None:
    with pytest.raises(NotReportedError, match="has no column run_id; project_runs has id, "):
        rows(registry, "SELECT run_id FROM project_runs")
    with pytest.raises(NotReportedError, match="has no table kpi_receipts; its tables are "):
        rows(registry, "SELECT * FROM kpi_receipts")


OFFENCES = {
    "a name of the plan": (
        "answers:\n  portfolio:\n    lanes:\n      each:\n        utilization: load\n",
        ":5: answers.portfolio.lanes.each has utilization, which it cannot have",
    ),
    "a field that nobody reads": (
        "answers:\n  portfolio:\n    queue: q\n",
        ":3: answers.portfolio has queue, which it cannot have; known are timestamp, queue_depth",
    ),
    "no such unit": (
        "tables:\n  project_runs:\n    columns:\n      duration_mean: {column: a, unit: years}\n",
        ":4: tables.project_runs.columns.duration_mean.unit is 'years', not one of min, s, ms, h",
    ),
    "another word": (
        "words:\n  status: {completed: done}\n",
        ":2: words.status has completed, which it cannot have",
    ),
    "no object": ("- a\n", ":1: the whole is ['a'], not an object"),
    "no YAML": ("a: [\n", "it is no YAML"),
    "no address": ("paths: {policy: policy}\n", ":1: paths.policy is 'policy', not of the form ^/"),
}


@pytest.mark.parametrize("kind", OFFENCES)
def test_an_offence_has_file_line_and_fix(kind: str, tmp_path: Path) -> None:
    text, words = OFFENCES[kind]
    with pytest.raises(RolloutError) as told:
        dialect(tmp_path, text)
    assert words in str(told.value)
    assert "dialect.yaml:" in str(told.value)


MAPPED = ("/simulate", "/ops/calibration", "/calibration/policy")
# What asks Grafana, whose interface has names of its own.
OF_GRAFANA = {
    *("views/grafana_panels.py", "scenarios/monitoring.py", "scenarios/monitoring_rollback.py"),
    "scenarios/alert_drill.py",
}


def _is_mapped(name: str, node: ast.Constant) -> bool:
    return name != "views/dialect.py" and str(node.value).endswith(MAPPED)


def test_no_answer_of_the_service_is_read_raw() -> None:
    """Raw JSON has the target's names, and raises KeyError where one is absent."""
    raw = []
    for path in sorted((ROOT / "suites/plms").rglob("*.py")):
        name = path.relative_to(ROOT / "suites/plms").as_posix()
        if name in OF_GRAFANA or name.startswith("demos/"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node).endswith(".json()"):
                raw.append(f"{name}:{node.lineno}: read(response, KIND) of views/answers.py")
            if isinstance(node, ast.Constant) and _is_mapped(name, node):
                raw.append(f"{name}:{node.lineno}: spoken().path(KIND) of views/dialect.py")
    assert not raw, "\n".join(raw)
