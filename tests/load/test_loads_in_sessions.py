"""A phase makes a load once, and its criteria judge what came of it."""

from __future__ import annotations

import pytest

from tests.load.loaded import decided
from tests.session.project import Project


@pytest.mark.slow
def test_a_good_load_is_judged_by_each_criterion(loaded: Project) -> None:
    status, verdicts, reasons = decided(loaded)
    print(reasons)
    assert verdicts == {"quick": "pass", "reliable": "pass", "steady": "pass"}
    assert status == 0
