"""Examples with a page of commands: it tells the truth, and what `rollout init` started is so."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.story.printed import commands, run

EXAMPLES = Path(__file__).parents[1] / "examples"
STARTED = ("batch", "library")
OWN = shutil.ignore_patterns("__pycache__", ".pytest_cache", ".rollout", "rollout-report")


def environ() -> dict[str, str]:
    """The environment of a reader whose virtual environment is active."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    scripts = Path(sys.executable).parent
    return {
        **kept,
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(EXAMPLES.parent),
        "COLUMNS": "200",
    }


@pytest.mark.nightly
@pytest.mark.parametrize("name", [*STARTED, "revenue"])
def test_what_a_page_prints_comes_out(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder, ignore=OWN)
    printed = list(commands(folder / "README.md"))
    outputs = run(printed, folder, environ(), "true")
    differing = [one.unlike(said) for one, said in zip(printed, outputs, strict=True)]
    assert not "\n\n".join(filter(None, differing))


@pytest.mark.slow
@pytest.mark.parametrize("name", STARTED)
def test_an_example_is_what_init_writes(name: str, tmp_path: Path) -> None:
    example, folder = EXAMPLES / name, tmp_path / name
    shutil.copytree(example, folder, ignore=OWN)
    page = (example / "README.md").read_text("utf-8")
    (command,) = re.findall(r"^rollout (init .*)$", page, re.MULTILINE)
    shutil.rmtree(folder / "suites")
    (folder / ".gitignore").unlink()
    if name == "batch":
        (folder / "pytest.ini").unlink()
    words = [sys.executable, "-m", "pytest_rollout.cli", *shlex.split(command), "--json"]
    said = subprocess.run(words, cwd=folder, env=environ(), capture_output=True, text=True)
    for path in json.loads(said.stdout)["written"]:
        if not path.startswith(".github/"):  # stands in the root of a repository
            assert (folder / path).read_text("utf-8") == (example / path).read_text("utf-8"), path
