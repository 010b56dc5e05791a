"""The fixtures that suites get: `phase`, `observe` and `load`; registered once a plan was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_rollout.session.running import Running

if TYPE_CHECKING:  # what talks to targets is loaded by the first test that asks for it
    from pytest_rollout.session.load_fixture import LoadOfSuite
    from pytest_rollout.session.observe import Observe
    from pytest_rollout.session.stage import Stage

RUNNING = pytest.StashKey[Running]()


@pytest.fixture(scope="session")
def phase(request: pytest.FixtureRequest) -> Stage:
    """The phase that the test belongs to: targets, clock, events; made anew for each phase."""
    name = getattr(request, "param", None)
    if name is None:
        pytest.fail("`phase` is asked for by a test that belongs to no phase", pytrace=False)
    from pytest_rollout.session.stage import Stage

    return Stage(request.config.stash[RUNNING].phase_run(name))


@pytest.fixture(scope="session")
def load(phase: Stage, observe: Observe) -> LoadOfSuite:
    """Make a load of the plan, once in a phase: load("burst") gives its record."""
    from pytest_rollout.session.load_fixture import LoadOfSuite

    return LoadOfSuite(phase, observe)


@pytest.fixture(scope="session")
def observe(request: pytest.FixtureRequest) -> Observe:
    """Record what was seen: observe("queue_depth", 7, at=sample.time, lane="Code-API")."""
    from pytest_rollout.session.observe import Observe

    running = request.config.stash[RUNNING]
    return Observe(running.recorder, running.now)
