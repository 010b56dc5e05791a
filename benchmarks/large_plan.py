"""What a large plan costs: checked, collected, decided and reported.

Run as ``python -m benchmarks.large_plan``. It makes plans of 500 and 5,000 criteria (``--criteria``
chooses others), half with a rule and half checked alone, each with a test, in ten phases, and runs
what a user runs, each in a process of its own. Where time is linear, 5,000 take at most ten
times what 500 take. With ``--phases 1`` all criteria are of one gate.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.history import cost

_FILE = 50  # tests of a file
_ROLLOUT = "pytest_rollout.cli"
_RULES = (
    'metric: latency, where: {lane: "LANE"}, take: p95, pass: "< 900", need: 5',
    'metric: errors, where: {lane: "LANE"}, take: rate, pass: "<= 0.5", need: 5',
    "",
    "",
)


def lay(folder: Path, criteria: int, phases: int) -> Path:
    """Write a project with a plan of so many criteria, and a test for each."""
    each = criteria // phases
    (folder / "pytest.ini").write_text("[pytest]\n")
    stated = "".join(_phase(number, each) for number in range(phases))
    (folder / "rollout.yaml").write_text(f"plan: large\nphases:\n{stated}")
    for phase in range(phases):
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
    argument, body = "", "    pass\n"
    rule = _RULES[number % len(_RULES)]
    if rule:
        metric, value = ("latency", "100 + n") if "latency" in rule else ("errors", "0")
        seen = f"observe({metric!r}, {value}, lane='{number}', n=str(n))"
        argument, body = "observe", f"    for n in range(5):\n        {seen}\n"
    return f"\n\n@pytest.mark.criterion('c{number}')\ndef test_{number}({argument}):\n{body}"


ASKED = {
    "check": (_ROLLOUT, "check"),
    "collect": ("pytest", "--collect-only", "-q", "-p", "no:cacheprovider"),
    "collect p0": ("pytest", "--collect-only", "-q", "-m", "p0", "-p", "no:cacheprovider"),
    "run p0": ("pytest", "-q", "-m", "p0", "-p", "no:cacheprovider"),
    "run all": ("pytest", "-q", "-m", "large", "-p", "no:cacheprovider"),
    "decide": (_ROLLOUT, "decide", "large.p0/exit"),
    "report": (_ROLLOUT, "report", "large.p0/exit"),
    "status": (_ROLLOUT, "status"),
    "explain": (_ROLLOUT, "explain", "large.p0.c11"),
}


def main() -> None:
    """Print a row for each command and size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--criteria", type=int, nargs="+", default=(500, 5_000))
    parser.add_argument("--only", choices=list(ASKED), action="append")
    parser.add_argument("--phases", type=int, default=10)
    given = parser.parse_args()
    print("criteria  asked       cpu s  wall s  peak MB  status")
    for size in given.criteria:
        with tempfile.TemporaryDirectory(prefix="rollout-") as name:
            folder = lay(Path(name), size, given.phases)
            for asked in given.only or ASKED:
                used = cost(folder, *ASKED[asked])
                print(
                    f"{size:>8,}  {asked:<10} {used.cpu_s:>6.2f} {used.wall_s:>7.2f}"
                    f" {used.peak_mb:>8.1f} {used.status:>7}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
