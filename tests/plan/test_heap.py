"""The collector is as it was once plans are read, and once a command is over."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from pytest_rollout.plan.heap import collector_paused, collector_seldom


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


def test_a_command_leaves_the_collector_as_it_was() -> None:
    before = gc.get_threshold()
    with collector_seldom():
        assert gc.get_threshold()[0] > before[0]
    assert gc.get_threshold() == before
