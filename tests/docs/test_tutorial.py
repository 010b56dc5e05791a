"""docs/tutorial: what a reader does comes out as the page says, from here and from a wheel."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.tutorial import differences, steps, with_programs

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/tutorial/first-rollout.md"
# What runs in the tutorial are pytest and the plugin, without all others that are installed here.
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "pytest_rollout.plugin"}


@pytest.mark.slow
def test_the_tutorial_prints_what_comes_out(tmp_path: Path) -> None:
    environ = {"PYTHONPATH": str(ROOT), **ALONE}
    assert not "\n\n".join(differences(PAGE, tmp_path, Path(sys.executable), environ))


def test_the_tutorial_writes_files_and_runs_commands() -> None:
    commands = [step.command.splitlines()[0] for step in steps(PAGE.read_text("utf-8"))]
    assert len([command for command in commands if command.startswith("cat > ")]) == 5
    assert sum(command.startswith("rollout ") for command in commands) > 8


@pytest.mark.nightly
def test_the_tutorial_works_from_a_wheel(tmp_path: Path) -> None:
    """With what `pip install 'pytest-rollout[targets]'` installs, and nothing of this folder."""
    fresh, project = tmp_path / "venv", tmp_path / "project"
    project.mkdir()

    environ = with_programs(fresh / "bin")

    def do(*words: str | Path) -> None:
        done = subprocess.run(
            words, env=environ, capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == 0, done.stdout + done.stderr

    python = fresh / "bin/python"
    do(sys.executable, "-m", "venv", fresh)
    do("git", "clone", "-q", ROOT, tmp_path / "clone")  # building leaves files where it is done
    do(python, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, tmp_path / "clone")
    (wheel,) = tmp_path.glob("pytest_rollout-*.whl")
    install = (python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt")
    do(*install, f"{wheel}[targets]")
    assert not "\n\n".join(differences(PAGE, project, python, {}))
