"""What `rollout clear` costs a deploy script: a ledger with 20 runs of a plan with 40 checks.

Run as ``python -m benchmarks.clearing``. Each time is of a process of its own that asks a
service on loopback: processor seconds, which other programs on the machine change little, and
seconds on the clock. ``--runs`` and ``--checks`` change the ledger, ``--times`` how often it is
asked.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.evidence.runs import ENTRY, Writer, opened
from tests.targets.test_identity import answering, saying

_PLAN = """\
plan: demo
release: {target: api, path: /version, json: version}
environments:
  prod: {targets: {api: "URL"}}
phases:
  - id: canary
    criteria:
"""
_CRITERION = "      - {id: cN, gate: entry, kind: operational, says: Number N}\n"


def lay(folder: Path, url: str, runs: int, checks: int) -> None:
    """Write a project whose entry gate was decided so often."""
    stated = "".join(_CRITERION.replace("N", str(number)) for number in range(checks))
    text = _PLAN.replace("URL", url) + stated
    (folder / "rollout.yaml").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    names = {f"demo.canary.c{n}": (f"t.py::test_{n}",) for n in range(checks)}
    with opened(folder / ".rollout" / "ledger.db") as ledger:
        for number in range(runs):
            run = Writer(ledger, f"r{number}", "prod", text, gates=(ENTRY,))
            run.start()
            run.manifest(items=names)
            for (item,) in names.values():
                run.batch(item, errors=(0, 0, 0))
            run.seal()
            run.decide()


def asked(folder: Path) -> tuple[float, float]:
    """Processor seconds and seconds of one clearance."""
    command = [sys.executable, "-m", "pytest_rollout.cli", "clear", "demo.canary"]
    before, started = os.times(), time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    took, after = time.perf_counter() - started, os.times()
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    used = after.children_user + after.children_system
    return used - before.children_user - before.children_system, took


def main() -> None:
    """Print the least and the median of some clearances."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("runs", 20), ("checks", 40), ("times", 10)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="rollout-") as folder,
        answering(saying('{"version": "v1"}')) as url,
    ):
        lay(Path(folder), url, given.runs, given.checks)
        asked(Path(folder))  # what is compiled once
        found = [asked(Path(folder)) for _ in range(given.times)]
    print(f"{given.runs} runs of {given.checks} checks, asked {given.times} times")
    for name, times in zip(("processor", "clock"), zip(*found, strict=True), strict=True):
        print(f"{name:<10} least {min(times):.3f} s, median {statistics.median(times):.3f} s")


if __name__ == "__main__":
    main()
