"""The fixtures that suites get: `phase` and `observe`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pytest_rollout.session.observe import Observe
from pytest_rollout.session.recorder import Recorder
from pytest_rollout.session.running import Running
from pytest_rollout.session.stage import Stage


class Fixtures:
    """A plugin object with the fixtures of a process that runs tests."""

    def __init__(self, running: Running, recorder: Recorder) -> None:
        self._running = running
        self._recorder = recorder

    @pytest.fixture(scope="session")
    def phase(self, request: pytest.FixtureRequest) -> Stage:
        """The phase that the test belongs to: targets, clock, events; made anew for each phase."""
        name = getattr(request, "param", None)
        if name is None:
            pytest.fail("`phase` is asked for by a test that belongs to no phase", pytrace=False)
        return Stage(self._running.phase_run(name))

    @pytest.fixture(scope="session")
    def observe(self) -> Observe:
        """Record what was seen: observe("queue_depth", 7, at=sample.time, lane="Code-API")."""
        return Observe(self._recorder, self._now)

    def _now(self) -> datetime:
        name = self._recorder.current.phase
        return self._running.phase_run(name).now() if name else datetime.now(UTC)
