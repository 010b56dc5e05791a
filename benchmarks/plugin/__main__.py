"""What the plugin costs a run of pytest, beside others that record one.

Run as ``python -m benchmarks.plugin``. Each figure is the median of ratios: a run, and right
before it the same tests without a plugin. ``--quick`` takes 2,000 tests and three pairs.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.plugin.rooms import by_room
from benchmarks.plugin.runs import OTHERS, OURS, PLAIN, Used, Way, cleared, environment, used
from benchmarks.plugin.start import starts
from benchmarks.plugin.suites import CRITERIA, FILES, PHASE, Suite, lay

COUNTS = (2_000, 10_000)
_MODES = {"serial": (), "-n 2": ("-n2",)}
_ASKED = ("-m", PHASE)


@dataclass(frozen=True)
class Pair:
    """A way to run a suite, and what it is compared with."""

    way: Way
    suite: Suite
    against: Suite
    selects: tuple[str, ...] = ()


def pairs() -> Iterator[Pair]:
    """What is compared."""
    yield Pair(PLAIN, Suite.MARKED, Suite.BARE)
    yield Pair(OURS, Suite.UNBOUND, Suite.BARE)
    yield Pair(OURS, Suite.BOUND, Suite.MARKED, _ASKED)
    for way in OTHERS:
        yield Pair(way, Suite.MARKED, Suite.MARKED, _ASKED)


def compared(root: Path, pair: Pair, mode: Sequence[str], times: int) -> list[tuple[Used, Used]]:
    """Run a pair in turns, once before for what is compiled once."""
    more = [*mode, *pair.selects]
    its = root / pair.suite.value, pair.way.command(more)
    other = root / pair.against.value, PLAIN.command(more)
    used(*other), used(*its)
    return [(used(*its), used(*other)) for _ in range(times)]


def line(pair: Pair, mode: str, runs: Sequence[tuple[Used, Used]]) -> str:
    """One row of the table."""

    def ratio(name: str) -> str:
        ratios = [getattr(its, name) / getattr(other, name) for its, other in runs]
        return f"{statistics.median(ratios):.3f} [{min(ratios):.2f}-{max(ratios):.2f}]"

    mine = statistics.median(its.cpu for its, _ in runs)
    written = statistics.median(its.written for its, _ in runs)
    cells = (pair.way.name, f"{pair.suite.value} / {pair.against.value}", mode)
    figures = (ratio("wall"), ratio("cpu"), ratio("peak"), f"{mine:.2f}", f"{written / 1e6:.2f}")
    return f"| {' | '.join((*cells, *figures))} |"


def profiled(root: Path) -> Iterator[str]:
    """The seconds of each room in one serial run of bound tests, as rows."""
    folder, kept = root / Suite.BOUND.value, root / "profile"
    command = OURS.command(_ASKED)
    command[1:1] = ["-m", "cProfile", "-o", str(kept)]
    cleared(folder)
    subprocess.run(command, cwd=folder, env=environment(), capture_output=True, check=True)
    for room, seconds in by_room(kept).items():
        if seconds >= 0.005:
            yield f"| {room} | {seconds:.2f} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", type=int, nargs="+", default=COUNTS)
    parser.add_argument("--times", type=int, default=7, help="how many pairs")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="", help="ways whose name holds this")
    given = parser.parse_args()
    counts, times = (COUNTS[:1], 3) if given.quick else (given.tests, given.times)
    with tempfile.TemporaryDirectory(prefix="rollout-") as name:
        for row in starts(Path(name), times):
            print(row, flush=True)
        for tests in counts:
            root = Path(name) / str(tests)
            for suite in Suite:
                lay(root / suite.value, suite, tests)
            print(f"\n{tests:,} tests in {FILES} files, {CRITERIA} criteria, {times} pairs\n")
            print("| run | suite / against | mode | wall | CPU | peak | CPU s | MB written |")
            print("|---|---|---|---|---|---|---|---|", flush=True)
            for pair in pairs():
                if given.only in pair.way.name:
                    for mode, options in _MODES.items():
                        runs = compared(root, pair, options, times)
                        print(line(pair, mode, runs), flush=True)
            print("\n| room | profiled seconds, with its libraries |\n|---|---|")
            print(*profiled(root), sep="\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
