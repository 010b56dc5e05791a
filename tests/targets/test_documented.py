"""docs/how-to/wire-a-target.md: the target, written out and rehearsed as a user would."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/how-to/wire-a-target.md"
_FILE = re.compile(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MOST_LINES = 30
NO_GO = 10


def files() -> dict[str, str]:
    """The files that the page shows, by their path."""
    return dict(_FILE.findall(PAGE.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package and nothing else: the files that a wheel of it holds."""
    folder = tmp_path_factory.mktemp("site")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    data = settings["tool"]["setuptools"]["package-data"]["pytest_rollout"]
    package = ROOT / "pytest_rollout"
    for pattern in ("**/*.py", *data):
        for path in package.glob(pattern):
            copy = folder / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project that the page describes."""
    for name, text in files().items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    ini = "[pytest]\nrollout_plans = suites/*/rollout.yaml\n"
    (tmp_path / "pytest.ini").write_text(ini, encoding="utf-8")
    return tmp_path


def run(shipped: Path, project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the project, with the package and none of this repository's other rooms."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(shipped)},
        capture_output=True,
        text=True,
        check=False,
    )


def rehearse(shipped: Path, project: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return run(shipped, project, "-m", "pytest", "-m", "canary", "-p", "no:cacheprovider", *more)


def test_the_page_shows_a_target_in_thirty_lines() -> None:
    shown = files()
    assert set(shown) == {"shop.py", "suites/shop/rollout.yaml", "suites/shop/test_canary.py"}
    assert len(shown["shop.py"].splitlines()) <= MOST_LINES


def test_a_user_has_the_package_and_no_fixtures(shipped: Path, project: Path) -> None:
    program = (
        "import importlib.util, pytest_rollout\n"
        "print(pytest_rollout.__file__, importlib.util.find_spec('fixtures'))"
    )
    said = run(shipped, project, "-c", program).stdout.split()
    assert said == [str(shipped / "pytest_rollout/__init__.py"), "None"]


def test_the_target_is_rehearsed_and_is_go(shipped: Path, project: Path) -> None:
    done = rehearse(shipped, project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "GO: shop.canary/entry GO, shop.canary/exit GO"


def test_with_its_fault_it_is_not_go(shipped: Path, project: Path) -> None:
    done = rehearse(shipped, project, "--rollout-fault", "slow-checkout")
    assert done.returncode == NO_GO, done.stdout + done.stderr
    assert "shop.canary/exit NO-GO" in done.stdout


def test_a_drill_finds_that_the_criterion_notices_the_fault(shipped: Path, project: Path) -> None:
    done = run(shipped, project, "-m", "pytest_rollout.cli", "drill", "shop")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "slow-checkout: caught by checkouts-are-quick" in done.stdout + done.stderr


def test_every_block_of_python_uses_names_that_the_package_exports() -> None:
    import pytest_rollout

    blocks = _PYTHON.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) >= 4
    for block in blocks:
        compile(block, str(PAGE), "exec")
        for names in re.findall(r"^from pytest_rollout import (.+)$", block, re.MULTILINE):
            assert set(names.split(", ")) <= set(pytest_rollout.__all__)
