"""Where a project is: what is read without pytest is what pytest would say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_rollout.roots import root_and_ini
from pytest_rollout.session import seams
from tests.cli.conftest import Project
from tests.cli.test_verbs import ROOT

INI = "[pytest]\nrollout_plans = a/rollout.yaml\n    b/rollout.yaml\nrollout_ledger = x.db\n"
TOML = (
    '[tool.pytest.ini_options]\nrollout_plans = ["a/rollout.yaml"]\n'
    "minversion = 7\nxfail_strict = true\n"
)
LAYOUTS: dict[str, dict[str, str]] = {
    "nothing": {},
    "an empty pytest.ini": {"pytest.ini": ""},
    "a pytest.ini": {"pytest.ini": INI},
    "a pytest.ini of other sections": {"pytest.ini": "[flake8]\na = 1\n"},
    "a pyproject": {"pyproject.toml": TOML},
    "a pyproject that says nothing of pytest": {"pyproject.toml": "[project]\nname = 'x'\n"},
    "native values": {"pyproject.toml": "[tool.pytest]\nrollout_ledger = 'y.db'\n"},
    "two files": {"pytest.ini": INI, "pyproject.toml": TOML},
    "a hidden ini besides": {
        ".pytest.ini": "[pytest]\nrollout_ledger = z.db\n",
        "pyproject.toml": TOML,
    },
    "a pytest.toml besides": {
        "pytest.toml": "[pytest]\nrollout_ledger = 't.db'\n",
        "pytest.ini": INI,
    },
    "a tox.ini": {"tox.ini": INI},
    "a setup.cfg": {"setup.cfg": "[tool:pytest]\nrollout_ledger = s.db\n"},
    "a pyproject and a setup.cfg": {"pyproject.toml": TOML, "setup.cfg": "[tool:pytest]\na = 1\n"},
    "an empty table": {"pyproject.toml": "[tool.pytest.ini_options]\n"},
    "above": {"../pytest.ini": INI},
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_it_is_where_pytest_finds_it(tmp_path: Path, name: str) -> None:
    here = tmp_path / "one" / "two"
    here.mkdir(parents=True)
    for file, text in LAYOUTS[name].items():
        (here / file).write_text(text)
    root, values = root_and_ini(None, here)
    wanted, stated = seams.root_and_ini(None, here)
    assert (root, dict(values)) == (wanted, stated)


@pytest.mark.parametrize(
    "files",
    [{"pytest.ini": "[pytest\n"}, {"pyproject.toml": "[tool.pytest\n"}],
    ids=["ini", "toml"],
)
def test_what_cannot_be_read_is_said_by_pytest(project: Project, files: dict[str, str]) -> None:
    (project.root / "pytest.ini").unlink()
    for file, text in files.items():
        (project.root / file).write_text(text)
    answer = project.rollout("status")
    assert answer.status == 4
    assert next(iter(files)) in answer.err


def test_a_quote_that_is_not_closed_is_told(project: Project) -> None:
    (project.root / "pytest.ini").write_text("[pytest]\nrollout_plans = 'a b\n")
    answer = project.rollout("status")
    assert answer.status == 4
    assert "rollout_plans: 'a b: No closing quotation" in answer.err


@pytest.mark.slow
def test_a_clearance_needs_no_pytest(project: Project) -> None:
    code = (
        "import sys\nfrom pytest_rollout.cli import main\n"
        "try:\n    main(['clear', 'demo.canary'])\n"
        "except SystemExit as end:\n    assert end.code == 11, end\n"
        "assert not {'pytest', '_pytest', 'jinja2'} & set(sys.modules)\n"
    )
    ran = [sys.executable, "-c", code]
    env = {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ran, cwd=project.root, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
