"""What a large plan costs: checked, collected, decided and reported.

Run as ``python -m benchmarks.large_plan``. It makes plans of 500 and 5,000 criteria (``--criteria``
chooses others), half with a rule and half checked alone, each with a test, in ten phases, and runs
what a user runs, each in a process of its own. What 5,000 take is at most ten times what 500 take,
where time is linear. ``--profile NAME`` shows where the time of one of them goes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PHASES = 10
_FILE = 50  # tests of a file
_INI = "[pytest]\n"
_RULES = (
    'metric: latency, where: {lane: "LANE"}, take: p95, pass: "< 900", need: 5',
    'metric: errors, where: {lane: "LANE"}, take: rate, pass: "<= 0.5", need: 5',
    "",
    "",
)


def lay(folder: Path, criteria: int) -> Path:
    """Write a project with a plan of so many criteria, and a test for each."""
    each = criteria // PHASES
    (folder / "pytest.ini").write_text(_INI)
    phases = "".join(_phase(number, each) for number in range(PHASES))
    (folder / "rollout.yaml").write_text(f"plan: large\nphases:\n{phases}")
    for phase in range(PHASES):
        for first in range(0, each, _FILE):
            numbers = range(first, min(first + _FILE, each))
            text = "".join(_test(number) for number in numbers)
            head = f"import pytest\n\npytestmark = pytest.mark.p{phase}\n"
            (folder / f"test_p{phase}_{first:04}.py").write_text(head + text)
    return folder


def _phase(phase: int, criteria: int) -> str:
    return f"  - id: p{phase}\n    criteria:\n" + "".join(map(_criterion, range(criteria)))


def _criterion(number: int) -> str:
    rule = _RULES[number % len(_RULES)].replace("LANE", str(number))
    gate = "entry" if number % 10 == 0 else "exit"
    stated = f", {rule}" if rule else ""
    kind = "slo" if rule else "demo"
    return f"      - {{id: c{number}, gate: {gate}, kind: {kind}, says: Number {number}{stated}}}\n"


def _test(number: int) -> str:
    rule = _RULES[number % len(_RULES)]
    observed = ""
    if rule:
        metric, value = ("latency", "100 + n") if "latency" in rule else ("errors", "0")
        observed = (
            "    for n in range(5):\n"
            f"        observe({metric!r}, {value}, lane='{number}', n=str(n))\n"
        )
    argument = "observe" if rule else ""
    body = observed or "    pass\n"
    return (
        f"\n\n@pytest.mark.criterion('c{number}')\ndef test_{number}({argument}):\n{body}"
    )


ROLLOUT = "pytest_rollout.cli"
ASKED = {
    "check": (ROLLOUT, "check"),
    "collect": ("pytest", "--collect-only", "-q", "-p", "no:cacheprovider"),
    "collect p0": ("pytest", "--collect-only", "-q", "-m", "p0", "-p", "no:cacheprovider"),
    "run p0": ("pytest", "-q", "-m", "p0", "-p", "no:cacheprovider"),
    "run all": ("pytest", "-q", "-m", "large", "-p", "no:cacheprovider"),
    "decide": (ROLLOUT, "decide", "large.p0/exit"),
    "report": (ROLLOUT, "report", "large.p0/exit"),
    "status": (ROLLOUT, "status"),
    "explain": (ROLLOUT, "explain", "large.p0.c11"),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command used."""

    cpu_s: float
    wall_s: float
    peak_mb: float
    status: int


def cost(folder: Path, *command: str) -> Cost:
    """What a command costs in a process of its own."""
    started = time.perf_counter()
    with (folder / "said").open("w") as said:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=folder, stdout=said, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    took = time.perf_counter() - started
    return Cost(used.ru_utime + used.ru_stime, took, used.ru_maxrss / 1024, process.returncode)


def main() -> None:
    """Print a row for each command and size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--criteria", type=int, nargs="+", default=(500, 5_000))
    parser.add_argument("--only", choices=list(ASKED), action="append")
    parser.add_argument("--profile", choices=list(ASKED))
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    print("criteria  asked       cpu s  wall s  peak MB  status")
    for size in given.criteria:
        with tempfile.TemporaryDirectory(prefix="rollout-") as name:
            folder = lay(given.keep or Path(name), size)
            for asked in given.only or ASKED:
                used = cost(folder, "-m", *ASKED[asked])
                print(
                    f"{size:>8,}  {asked:<10} {used.cpu_s:>6.2f} {used.wall_s:>7.2f}"
                    f" {used.peak_mb:>8.1f} {used.status:>7}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
