"""Projects for tests of the plugin."""

from __future__ import annotations

import pytest

from tests.session.project import INI, Project


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    """A project with the demo plan and its tests, all good."""
    made = Project(pytester)
    pytester.makeini(INI)
    made.plan()
    made.tests()
    return made


@pytest.fixture(params=[[], ["-n0"], ["-n2"]], ids=["plain", "n0", "n2"])
def how(request: pytest.FixtureRequest) -> list[str]:
    """The ways to run: in one process, with xdist idle, with two workers."""
    chosen: list[str] = request.param
    return chosen
