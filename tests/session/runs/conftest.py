"""The two ways in which each situation of a run is tried."""

from __future__ import annotations

import pytest

from tests.session.project import INI, Project
from tests.session.runs.variations import QUICK


@pytest.fixture(params=[(), ("-n2",)], ids=["plain", "n2"])
def workers(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """In one process, and with two workers."""
    chosen: tuple[str, ...] = request.param
    return chosen


@pytest.fixture
def project(project: Project) -> Project:
    """A project whose runs load few plugins, of which each costs a second in each worker."""
    project.pytester.makeini(INI + QUICK)
    return project
