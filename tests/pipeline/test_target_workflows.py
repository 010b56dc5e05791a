"""Every version of the workflow files that the rollout puts on main."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.pipeline.actions.command import words_of
from fixtures.pipeline.actions.workflow_file import FOLDER, read_workflow
from fixtures.pipeline.commands import COMMANDS
from fixtures.pipeline.core.days import day
from tests.pipeline.worlds import rollout_world


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every version of every workflow file, until legacy is archived."""
    world = rollout_world(tmp_path_factory.mktemp("world"), day(25), {})
    folder = tmp_path_factory.mktemp("workflows")
    for number, commit in enumerate(world.main.commits):
        for path, text in commit.changes.items():
            if text is not None and path.startswith(FOLDER):
                (folder / f"{number}-{path.rpartition('/')[2]}").write_text(text, encoding="utf-8")
    return folder


def _runs(folder: Path) -> Iterator[str]:
    for path in folder.iterdir():
        for job in read_workflow(path.read_text(encoding="utf-8")).jobs:
            yield from (step.run for step in job.steps if step.run)


def test_all_fit_the_schema_of_workflows(versions: Path) -> None:
    files = sorted(map(str, versions.iterdir()))
    assert len(files) > 20
    command = [sys.executable, "-m", "check_jsonschema"]
    command += ["--builtin-schema", "vendor.github-workflows", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    broken = versions / "broken.yml"
    broken.write_text("name: x\non: nonsense\njobs: {}\n", encoding="utf-8")
    done = subprocess.run([*command, str(broken)], capture_output=True, text=True, check=False)
    broken.unlink()
    assert done.returncode != 0


def test_every_step_runs_a_command_that_there_is(versions: Path) -> None:
    programs = {words_of(run.replace("${{", "").replace("}}", ""))[0] for run in _runs(versions)}
    assert programs == set(COMMANDS)
