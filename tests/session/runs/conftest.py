"""The two ways in which each situation of a run is tried."""

from __future__ import annotations

import pytest


@pytest.fixture(params=[(), ("-n2",)], ids=["plain", "n2"])
def workers(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """In one process, and with two workers."""
    chosen: tuple[str, ...] = request.param
    return chosen
