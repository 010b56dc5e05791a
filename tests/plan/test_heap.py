"""The collector is as it was once plans are read."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from pytest_rollout.plan.heap import collector_paused


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    was_on = gc.isenabled()
    yield
    (gc.enable if was_on else gc.disable)()


@pytest.mark.parametrize("on", [True, False])
def test_the_collector_is_left_as_it_was(*, on: bool) -> None:
    (gc.enable if on else gc.disable)()
    with collector_paused():
        assert not gc.isenabled()
    assert gc.isenabled() is on
