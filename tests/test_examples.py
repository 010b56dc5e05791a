"""The README's own plan: what it shows is what stands in examples/, and it decides."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_rollout.plan.load import load

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples/web"


def test_the_readme_shows_the_example() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (plan,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    assert plan == (EXAMPLE / "suites/web/rollout.yaml").read_text(encoding="utf-8")
    (check,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    assert check in (EXAMPLE / "suites/web/test_canary.py").read_text(encoding="utf-8")


def test_the_example_decides(pytester: pytest.Pytester) -> None:
    shutil.copytree(EXAMPLE, pytester.path, dirs_exist_ok=True)
    result = pytester.runpytest_subprocess("-m", "canary", "-p", "no:cacheprovider")
    assert result.ret == 0
    assert result.outlines[-1] == "GO: web.canary/entry GO, web.canary/exit GO"


def test_every_plan_of_the_repository_is_sound() -> None:
    plans = [*ROOT.glob("suites/*/rollout.yaml"), *ROOT.glob("examples/*/suites/*/rollout.yaml")]
    assert len(plans) >= 2
    for path in plans:
        assert load(path, path.name).problems == ()


@pytest.mark.slow
def test_the_example_notices_each_small_change_of_its_app(tmp_path: Path) -> None:
    folder = tmp_path / "web"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pytest_rollout.cli", "drill", "web", "--mutants", "app.py"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "20 of 20 mutants" in done.stderr
    assert "  survived:" not in done.stdout
    assert "equivalent: app.py:20 version: Any release may be rehearsed" in done.stdout
    assert "hard criteria noticed 15 (100 %; 79 to 100 %) of 15 mutants" in done.stdout
