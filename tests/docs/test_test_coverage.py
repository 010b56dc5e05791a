"""docs/how-to/test-coverage.md: its plan, rehearsed with tests that cover enough and too little."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.example_project import laid

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/test-coverage.md").read_text("utf-8")
CART = """\
def total(cents, rebate=False):
    if rebate:
        cents = cents - 100
    return cents
"""
TESTS = """\
import cart

def test_total():
    assert cart.total(300) == 300

def test_rebate():
    assert cart.total(300, rebate=True) == 200
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project that the page describes, in git."""
    (plan,) = re.findall(r"^`suites/cart/rollout\.yaml`:\n\n```yaml\n(.*?)^```$", PAGE, re.M | re.S)
    files = {
        "suites/cart/rollout.yaml": plan,
        "cart.py": CART,
        "tests/test_cart.py": TESTS,
        "pytest.ini": "[pytest]\nrollout_plans = suites/*/rollout.yaml\npythonpath = .\n",
    }
    return laid(tmp_path, files)


def decided(folder: Path) -> tuple[str, str]:
    """The last line of a rehearsal, and all that it printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-m", "merge", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)
    return done.stdout.splitlines()[-1], done.stdout + done.stderr


@pytest.mark.slow
def test_coverage_is_measured_by_the_gate_itself(project: Path) -> None:
    last, said = decided(project)
    assert last == "GO: cart.merge/entry GO, cart.merge/exit GO", said
    tests = project / "tests/test_cart.py"
    tests.write_text(TESTS.partition("def test_rebate")[0])
    last, said = decided(project)
    assert last.startswith("NO-GO: "), said
    assert "coverage was 66.6667" in said
