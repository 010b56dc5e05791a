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
_FEW, _MANY = 200, 4200


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


def suite(folder: Path, count: int, *, plan: bool, bound: bool) -> Path:
    """A project with so many tests."""
    folder.mkdir()
    marks = "" if plan else "[pytest]\nmarkers =\n  many\n  criterion\n"
    (folder / "pytest.ini").write_text(marks or "[pytest]\n")
    if plan:
        (folder / "rollout.yaml").write_text(_PLAN)
    text = _TESTS.replace("COUNT", str(count)).replace("BOUND", _BOUND if bound else "")
    (folder / "test_many.py").write_text(text)
    return folder


def per_test(root: Path, name: str, one: Sequence[str], *, bound: bool) -> tuple[float, float]:
    """Microseconds that a test costs more with the plugin, and the fixed cost in milliseconds."""
    extra = []
    for count in (_FEW, _MANY):
        folder = suite(root / f"{name}{count}", count, plan=True, bound=bound)
        other = [*one, "-o", "markers=many\ncriterion", "-p", "no:rollout"]
        with_, without = paired(folder, one, other, 5)
        extra.append(with_ - without)
    slope = (extra[1] - extra[0]) / (_MANY - _FEW)
    return 1e6 * slope, 1e3 * (extra[0] - slope * _FEW)


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        bare = suite(root / "bare", 1, plan=False, bound=True)
        with_, without = paired(bare, [], ["-p", "no:rollout"], 21)
        extra = 1000 * (with_ - without)
        print(f"start-up without a plan: {extra:+.1f} ms of {1000 * without:.0f}")
        each, fixed = per_test(root, "unbound", [], bound=False)
        print(f"a plan that is not asked: {fixed:+.0f} ms, and {each:+.0f} us an unbound test")
        each, fixed = per_test(root, "bound", ["-m", "many"], bound=True)
        print(f"deciding: {fixed:+.0f} ms, and {each:+.0f} us a bound test, judged and reported")
        size = (root / f"bound{_MANY}/.rollout/ledger.db").stat().st_size / (5 * _MANY)
        print(f"a bound test in the ledger: about {size:.0f} bytes")


if __name__ == "__main__":
    main()
