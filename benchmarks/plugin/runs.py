"""One run of pytest in a process of its own, and what it used."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

OUT = "out"  # where the runs of others write


@dataclass(frozen=True)
class Used:
    """What a run used, its workers with it."""

    wall: float  # seconds
    cpu: float  # seconds of processor time, the kernel's with it
    peak: int  # KiB of its largest process
    written: int  # bytes of the files that it left


@dataclass(frozen=True)
class Way:
    """A way to run a suite: which plugins are loaded, and how they are asked."""

    name: str
    plugins: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()

    def command(self, more: Sequence[str]) -> list[str]:
        """Return the command that runs it."""
        loaded = [f"-p{name}" for name in ("xdist.plugin", *self.plugins)]
        quiet = ("-q", "-pno:cacheprovider")
        return [sys.executable, "-m", "pytest", *quiet, *loaded, *self.asks, *more]


PLAIN = Way("plain")
OURS = Way("pytest-rollout", ("pytest_rollout.plugin",))
OTHERS = (
    Way("--junitxml", (), (f"--junitxml={OUT}/junit.xml",)),
    Way("pytest-html", ("pytest_metadata.plugin", "pytest_html.plugin"), (f"--html={OUT}/a.html",)),
    Way(
        "pytest-json-report",
        ("pytest_metadata.plugin", "pytest_jsonreport.plugin"),
        ("--json-report", f"--json-report-file={OUT}/report.json"),
    ),
    Way("allure-pytest", ("allure_pytest.plugin",), (f"--alluredir={OUT}",)),
)


def environment() -> dict[str, str]:
    """Return what runs get of this process: no plugin but those that are named, and byte code."""
    without = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTEST_ADDOPTS")
    given = {name: value for name, value in os.environ.items() if name not in without}
    here = str(Path(__file__).parents[2])
    return given | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": here}


def cleared(folder: Path) -> None:
    """Take away what runs left."""
    for name in (OUT, ".rollout", "rollout-report"):
        shutil.rmtree(folder / name, ignore_errors=True)


def used(folder: Path, command: Sequence[str]) -> Used:
    """Run a command in a folder without traces of others; raises SystemExit where it fails."""
    cleared(folder)
    (folder / OUT).mkdir()
    with (folder / "said.txt").open("wb") as said:
        before = time.perf_counter()
        child = subprocess.Popen(
            command, cwd=folder, env=environment(), stdout=said, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - before
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit((folder / "said.txt").read_text())
    places = (OUT, ".rollout", "rollout-report")
    left = [path for place in places for path in (folder / place).rglob("*")]
    written = sum(path.stat().st_size for path in left if path.is_file())
    return Used(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, written)
