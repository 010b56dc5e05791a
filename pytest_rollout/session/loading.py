"""Loading the session room, once a plan was found."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pytest_rollout.plan.heap import collector_paused


def load(config: pytest.Config, patterns: Sequence[str]) -> None:
    """Load what a run needs and register it: hundreds of modules, of which nothing is garbage."""
    with collector_paused():
        from pytest_rollout.session.compose import compose

        compose(config, patterns)
