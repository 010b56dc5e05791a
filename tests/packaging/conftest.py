"""Distributions of the project, built once, and environments that have nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".venv/apart/packaging/bin"
_OURS = ("PYTHON", "PYTEST_", "VIRTUAL_ENV", "COVERAGE_")  # variables that would lead back here


def said(command: Sequence[str | Path], folder: Path = ROOT) -> str:
    """Run a command without a trace of this environment; what it said, once it ended well."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(_OURS)}
    done = subprocess.run(
        command,
        cwd=folder,
        env=kept,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}"
    return done.stdout


@dataclass(frozen=True)
class Distributions:
    """What would be published."""

    wheel: Path
    source: Path


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    """The wheel, built from the source distribution, as pip builds it from there."""
    folder = tmp_path_factory.mktemp("distributions")
    said([TOOLS / "python", "-m", "build", "--outdir", folder, ROOT])
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return Distributions(wheel, source)


@pytest.fixture(scope="session")
def environment(
    tmp_path_factory: pytest.TempPathFactory, distributions: Distributions
) -> Callable[[str], Path]:
    """Makes a fresh environment with the wheel and an extra; gives the folder of its programs."""
    made: dict[str, Path] = {}

    def make(extra: str) -> Path:
        if extra not in made:
            folder = tmp_path_factory.mktemp("environment")
            said([sys.executable, "-m", "venv", folder])
            made[extra] = folder / "bin"
            said([made[extra] / "pip", "install", "-q", f"{distributions.wheel}{extra}"])
        return made[extra]

    return make
