"""A load record that a check attached is reported beside its gate, at once and again later."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_rollout.model.coding import encode
from pytest_rollout.model.load import LoadRecord
from tests.report import load_records as given
from tests.report.report_reading import page
from tests.session.project import Project

PLAN = """\
plan: demo
title: A demo
environments:
  prod: {targets: {web: "http://127.0.0.1:9"}}
loads:
  - {id: nightly, says: A working day, locustfile: load/web.py, target: web, rate: 30/s,
     duration: 20s, warm_up: 4s, seed: 7, generators: {processes: 2}}
phases:
  - id: canary
    owners: [sre]
    criteria:
      - {id: ready, gate: entry, kind: operational, says: The target is ready}
      - {id: quick, kind: load, says: It answers quickly, metric: load_latency,
         where: {load: nightly}, take: p50, pass: "< 100ms"}
"""
TESTS = """\
from pathlib import Path

import pytest

pytestmark = pytest.mark.canary


@pytest.mark.criterion("ready")
def test_ready():
    pass


@pytest.mark.criterion("quick")
def test_quick(observe):
    observe.attach("nightly.load.json", Path("record.json"), "application/json")
    observe("load_latency", 0.02, load="nightly")
"""
EXIT = "rollout-report/demo/embedded/canary/exit"


def written(project: Project, record: LoadRecord) -> Path:
    """The folder of the exit gate, after a run that attached a record."""
    project.plan(PLAN)
    project.tests(TESTS)
    project.write("record.json", json.dumps(encode(record)))
    project.run("-m", "canary")
    return project.root / EXIT


@pytest.mark.quick
def test_the_load_stands_beside_the_gate_that_judges_it(project: Project) -> None:
    folder = written(project, given.record())
    html = (folder / "load-nightly.html").read_text(encoding="utf-8")
    assert page(html).one("strong").text == "nightly"
    assert {"report.html"} == {
        str(link.attributes["href"]) for link in page(html).one("main").all("a")
    }
    assert "# Load nightly" in (folder / "load-nightly.md").read_text(encoding="utf-8")
    links = page((folder / "report.html").read_text(encoding="utf-8")).one("ul", class_="loads")
    assert links.one("a").attributes["href"] == "load-nightly.html"
    assert "`load-nightly.html`" in (folder / "report.md").read_text(encoding="utf-8")
    assert not list((folder.parent / "entry").glob("load-*"))
    (kept,) = (folder / "runs").iterdir()
    assert (kept / "load-nightly.html").read_text(encoding="utf-8") == html


def test_one_that_is_not_believed_says_so_beside_its_link(project: Project) -> None:
    folder = written(project, replace(given.record(), completed=False))
    links = page((folder / "report.html").read_text(encoding="utf-8")).one("ul", class_="loads")
    assert links.one("span", class_="bad").text == "Not to be believed"
    assert "**Not to be believed**" in (folder / "report.md").read_text(encoding="utf-8")
    top = page((folder / "load-nightly.html").read_text(encoding="utf-8")).one("header")
    assert top.one("strong").text == "Not to be believed"


def test_a_record_that_is_none_is_a_note_and_no_page(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written(project, given.record())
    project.write("record.json", "{}")
    project.run("-m", "canary")
    assert "the load record nightly.load.json cannot be shown" in capsys.readouterr().out
    assert (folder / "report.html").is_file()
    assert not list(folder.glob("load-*"))
    assert len(list(folder.glob("runs/*/load-nightly.html"))) == 1


def test_the_record_is_reported_again_from_what_is_stored(project: Project) -> None:
    folder = written(project, given.record())
    before = {path.name: path.read_bytes() for path in folder.glob("load-*")}
    for path in folder.glob("load-*"):
        path.unlink()
    (project.root / "record.json").unlink()
    assert project.rollout("report", "demo.canary/exit", "--env", "embedded").ret == 0
    assert {path.name: path.read_bytes() for path in folder.glob("load-*")} == before


def test_a_record_that_was_changed_since_is_no_page(project: Project) -> None:
    folder = written(project, given.record())
    (kept,) = (project.root / ".rollout/attachments").glob("?" * 64)
    kept.write_bytes(kept.read_bytes() + b" ")
    assert project.rollout("report", "demo.canary/exit", "--env", "embedded").ret == 0
    assert not list(folder.glob("load-*"))


def test_a_join_of_runs_reports_the_load_that_one_of_them_made(project: Project) -> None:
    project.plan(PLAN)
    project.tests(TESTS)
    project.write("record.json", json.dumps(encode(given.record())))
    project.run("-m", "canary", "-k", "ready")
    project.run("-m", "canary", "-k", "quick")
    joined = project.rollout("join", "demo.canary", "--env", "embedded")
    assert "joined: " in joined.stdout.str()
    assert (project.root / EXIT / "load-nightly.html").is_file()
    assert 'href="load-nightly.html"' in (project.root / EXIT / "report.html").read_text("utf-8")


def test_a_run_that_dies_leaves_no_load_of_another(project: Project) -> None:
    folder = written(project, given.record())
    project.change("    observe(", "    import os; os._exit(3)\n    observe(")
    project.run_apart("-m", "canary")
    assert (folder / "decision.json").is_file()
    assert not list(folder.glob("load-*"))
    assert len(list(folder.glob("runs/*/load-nightly.html"))) == 1


def test_a_load_that_no_criterion_judges_is_reported_at_both_gates(project: Project) -> None:
    project.plan(PLAN)
    project.tests(TESTS)
    project.change("load_latency", "other", "suites/demo/rollout.yaml")
    project.change("load_latency", "other")
    project.write("record.json", json.dumps(encode(given.record())))
    project.run("-m", "canary")
    folder = project.root / EXIT
    assert (folder / "load-nightly.html").is_file()
    assert (folder.parent / "entry/load-nightly.html").is_file()
