"""Settings are read alike from every file that pytest takes them from, by runs and by `rollout`."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_rollout.cli.project import Project as Seen
from pytest_rollout.load.generator.found import order_of
from tests.session.project import OTHERS, PLAN, TESTS, Project

NO = "', '".join(f"-pno:{one}" for one in ("cacheprovider", *OTHERS))
INI = f"""
addopts = {NO.replace("', '", " ")}
rollout_plans = 'my services/*/rollout.yaml'
rollout_ledger = kept/evidence.db
rollout_report = kept/reports
"""
LISTS = f"""
addopts = ['{NO}']
rollout_plans = ['my services/*/rollout.yaml']
rollout_ledger = 'kept/evidence.db'
rollout_report = 'kept/reports'
"""
FILES = {
    "pytest.ini": f"[pytest]{INI}",
    ".pytest.ini": f"[pytest]{INI}",
    "tox.ini": f"[pytest]{INI}",
    "setup.cfg": f"[tool:pytest]{INI}",
    "pytest.toml": f"[pytest]{LISTS}",
    ".pytest.toml": f"[pytest]{LISTS}",
    "pyproject.toml": f"[tool.pytest]{LISTS}",
    "old/pyproject.toml": f"[tool.pytest.ini_options]{LISTS}",
}
LOADED = """\
plan: demo
timezone: UTC
environments: {embedded: {targets: {web: {url: "http://127.0.0.1:9"}}}}
loads:
  - {id: small, locustfile: load/web.py, target: web, rate: 1/s, duration: 9s}
phases: [{id: canary}]
"""


def _project(project: Project, name: str, plan: str = PLAN) -> None:
    (project.root / "tox.ini").unlink()
    project.write(name.rpartition("/")[2], FILES[name])
    folder = project.write("my services/demo/rollout.yaml", plan).parent
    (folder / "test_canary.py").write_text(TESTS, encoding="utf-8")


@pytest.mark.parametrize("name", FILES)
def test_a_run_keeps_to_its_settings(
    project: Project, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _project(project, name)
    assert project.run("-m", "canary").ret == 0
    assert (project.root / "kept/evidence.db").is_file()
    assert (project.root / "kept/reports/demo/embedded/canary/exit/decision.json").is_file()
    monkeypatch.chdir(project.root)
    seen = Seen.here(None, None)
    assert seen.patterns == ("my services/*/rollout.yaml",)
    assert [one.id for one in seen.plans] == ["demo"]
    assert (seen.ledger_shown, seen.report) == (
        "kept/evidence.db",
        project.root / "kept/reports",
    )


@pytest.mark.parametrize("name", FILES)
def test_a_locustfile_finds_its_load(project: Project, name: str) -> None:
    _project(project, name, LOADED)
    order = order_of(project.write("load/web.py", ""), project.root, {})
    assert order is not None
    assert order.profile.id == "small"


@pytest.mark.parametrize(
    "stated", ["rollout_plans = 'x'", "rollout_ledger = ['x']", "rollout_report = ['x']"]
)
def test_a_native_value_of_another_type_is_refused_in_words(project: Project, stated: str) -> None:
    (project.root / "tox.ini").unlink()
    project.write("pytest.toml", f"[pytest]\n{stated}\n")
    result = project.run_apart("-m", "canary")
    assert result.ret not in (0, 3)
    said = result.stdout.str() + result.stderr.str()
    assert stated.partition(" ")[0] in said
    assert not Path(project.root / "x").exists()
