"""Projects whose plan makes a load on a small target."""

from __future__ import annotations

import pytest

from tests.load.loaded import WEB, plan_of, shop
from tests.session.project import INI, Project


@pytest.fixture
def loaded(pytester: pytest.Pytester) -> Project:
    """A project whose nightly phase makes one small load, and nothing else."""
    made = Project(pytester)
    pytester.makeini(INI)
    made.plan(plan_of())
    made.write("shop.py", shop())
    made.write("load/web.py", WEB)
    return made
