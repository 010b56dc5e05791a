"""docs/how-to/share-evidence.md: its commands, one after the other, on a server of PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.kit.postgres import programs
from tests.docs.shell import blocks
from tests.docs.tutorial import with_programs
from tests.evidence import postgres

PAGE = "docs/how-to/share-evidence.md"
ROOT = Path(__file__).parents[2]
PLAN = """\
plan: demo
release: {command: [echo, v1]}
environments:
  prod: {targets: {}}
phases:
  - id: canary
    owners: [sre]
    criteria:
      - {id: works, kind: demo, gate: entry, says: It works}
      - {id: agreed, kind: manual, says: Ana agrees}
"""
CHECK = """\
import pytest

pytestmark = pytest.mark.canary


@pytest.mark.criterion("works")
def test_it():
    pass
"""


@pytest.mark.slow
@pytest.mark.nightly
def test_each_command_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    for name, text in (("rollout.yaml", PLAN), ("test_it.py", CHECK), ("pytest.ini", "[pytest]\n")):
        (tmp_path / name).write_text(text)
    with postgres.serving() as server:
        there = programs()
        assert there is not None
        environ = with_programs(Path(sys.executable).parent) | {"PYTHONPATH": str(ROOT)}
        environ |= {"PGHOST": str(server.folder), "PGUSER": "owner", "PGDATABASE": "postgres"}
        environ["PATH"] += f"{os.pathsep}{there}"
        before = "pytest -p no:cacheprovider -m canary --rollout-env prod"
        lines = [line for block in blocks(PAGE) for line in block.lines]
        for line in (before, *lines):
            if line.startswith(("pip ", "export ")):
                continue
            done = subprocess.run(
                ["bash", "-c", line], cwd=tmp_path, env=environ,
                capture_output=True, text=True, check=False, timeout=120,
            )  # fmt: skip
            may_be = (0, 11) if line.startswith("pytest") else (0,)
            assert done.returncode in may_be, f"{line}\n{done.stdout}{done.stderr}"
        assert len(lines) == 10
