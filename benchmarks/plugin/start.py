"""What starting costs: the plugin without a plan, and the verbs of `rollout`."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.plugin.runs import OURS, PLAIN, environment, used

_ONE = "def test_one():\n    pass\n"


def starts(root: Path, times: int) -> Iterator[str]:
    """Rows about starting."""
    folder = root / "start"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_one.py").write_text(_ONE)
    yield "| start | ms | against |"
    yield "|---|---|---|"
    with_, without = OURS.command(()), PLAIN.command(())
    used(folder, with_), used(folder, without)
    runs = [(used(folder, with_), used(folder, without)) for _ in range(3 * times)]
    more = 1000 * statistics.median(a.cpu - b.cpu for a, b in runs)
    yield f"| one test, no plan: CPU more | {more:.1f} | {_ms(b.cpu for _, b in runs)} |"
    imported = [_import_ms(folder) for _ in range(times)]
    yield f"| import of the plugin after pytest | {statistics.median(imported):.1f} | |"
    python = [sys.executable, "-c", "pass"]
    for verb in ("--help", "status --help", "clear --help", "explain --help"):
        command = [sys.executable, "-m", "pytest_rollout.cli", *verb.split()]
        used(folder, command)
        pairs = [(used(folder, command), used(folder, python)) for _ in range(times)]
        cpu, bare = _ms(a.cpu for a, _ in pairs), _ms(b.cpu for _, b in pairs)
        yield f"| rollout {verb}: CPU | {cpu} | {bare} (python -c pass) |"


def _ms(seconds: Iterator[float]) -> str:
    return f"{1000 * statistics.median(seconds):.0f}"


def _import_ms(folder: Path) -> float:
    """How long the plugin takes to import once pytest is."""
    code = (
        "import time, pytest; before = time.perf_counter(); import pytest_rollout.plugin; "
        "print(1000 * (time.perf_counter() - before))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, check=True)
    return float(done.stdout)
