"""What the plugin costs: start-up without a plan, and each test with one.

Run as ``python benchmarks/cost.py``. Figures are medians of paired runs in processes of
their own, with the plugin and with ``-p no:rollout``.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

_PLAN = """\
plan: cost
phases:
  - id: many
    criteria:
      - {id: ready, gate: entry, kind: operational}
      - {id: works, kind: demo}
"""
_TESTS = """\
import pytest


@pytest.mark.many
@pytest.mark.criterion("ready")
def test_ready():
    pass


BOUND
@pytest.mark.parametrize("number", range(COUNT))
def test_works(number):
    pass
"""
_BOUND = '@pytest.mark.many\n@pytest.mark.criterion("works")'
_COUNT = 2000


def seconds(folder: Path, arguments: Sequence[str]) -> float:
    """How long one run of pytest takes."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    before = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout.decode())
    return time.perf_counter() - before


def paired(
    folder: Path, one: Sequence[str], other: Sequence[str], times: int
) -> tuple[float, float]:
    """Median seconds of two ways to run, taken in turns."""
    pairs = [(seconds(folder, one), seconds(folder, other)) for _ in range(times)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def suite(folder: Path, *, plan: bool, bound: bool) -> Path:
    """A project with many tests."""
    folder.mkdir()
    marks = "" if plan else "[pytest]\nmarkers =\n  many\n  criterion\n"
    (folder / "pytest.ini").write_text(marks or "[pytest]\n")
    if plan:
        (folder / "rollout.yaml").write_text(_PLAN)
    text = _TESTS.replace("COUNT", str(_COUNT)).replace("BOUND", _BOUND if bound else "")
    (folder / "test_many.py").write_text(text)
    return folder


def main() -> None:
    """Print the figures."""
    off = ["-p", "no:rollout"]
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        bare = suite(root / "bare", plan=False, bound=True)
        one = ["test_many.py::test_ready"]
        with_, without = paired(bare, one, [*one, *off], 15)
        print(
            f"start-up without a plan: {1000 * (with_ - without):+.1f} ms of {1000 * without:.0f}"
        )
        unbound = suite(root / "unbound", plan=True, bound=False)
        plain = ["-o", "markers=many\ncriterion", *off]
        with_, without = paired(unbound, [], plain, 5)
        print(
            f"an unbound test: {1e6 * (with_ - without) / _COUNT:+.0f} us (plan loading included)"
        )
        bound = suite(root / "bound", plan=True, bound=True)
        with_, without = paired(bound, ["-m", "many"], ["-m", "many", *plain], 5)
        size = (bound / ".rollout/ledger.db").stat().st_size / (6 * _COUNT)
        extra = 1e6 * (with_ - without) / _COUNT
        print(f"a bound test: {extra:+.0f} us (deciding included)")
        print(f"a bound test in the ledger: about {size:.0f} bytes")


if __name__ == "__main__":
    main()
