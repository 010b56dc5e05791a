"""Days 2 and 5: no project that a day starts still runs, by the registry and by the API."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from suites.plms.scenarios.calibration import BASELINES
from suites.plms.views.portfolio import open_runs, sample

DEMO_PROJECTS = range(941, 946)


@pytest.mark.day2
@pytest.mark.criterion("demo-projects-idle")
@pytest.mark.parametrize("project", DEMO_PROJECTS)
def test_project_of_the_demos_is_idle(registry: Path, api: httpx.Client, project: int) -> None:
    _idle(registry, api, project)


@pytest.mark.day5
@pytest.mark.criterion("baselines-idle")
@pytest.mark.parametrize("project", BASELINES)
def test_baseline_is_idle(registry: Path, api: httpx.Client, project: int) -> None:
    _idle(registry, api, project)


def _idle(registry: Path, api: httpx.Client, project: int) -> None:
    unfinished = open_runs(registry, project)
    assert not unfinished, f"project {project} has unfinished runs: {unfinished}"
    assert sample(api).ended([project]), f"the API tells of an unfinished run of {project}"
