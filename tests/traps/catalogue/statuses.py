"""Exit statuses that somebody else sets, at the last moment."""

from __future__ import annotations

from tests.traps.parts import conftest, works
from tests.traps.trap import ALONE, NO_GO, Trap

_BAD = "assert False, 'it does not work'"
_OUTER = """\
import pytest

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session):
    result = yield
    {}
    return result
"""

TRAPS = (
    Trap(
        "status-set",
        "a conftest.py sets the exit status",
        "it does not work",
        NO_GO,
        files=works(_BAD)
        | conftest("""
        def pytest_sessionfinish(session):
            session.exitstatus = 0
        """),
        numbers=("E24",),
    ),
    Trap(
        "status-set-around",
        "a conftest.py sets the exit status, around everybody",
        "it does not work",
        NO_GO,
        files=works(_BAD) | conftest(_OUTER.format("session.exitstatus = 0")),
        numbers=("E24",),
    ),
    Trap(
        "status-set-last",
        "the suite's conftest.py sets the exit status, around the gate too",
        "it does not work",
        NO_GO,
        files=works(_BAD) | conftest(_OUTER.format("session.exitstatus = 0"), "suites/p"),
    ),
    Trap(
        "status-by-exit-last",
        "the suite's conftest.py leaves with status 0, around the gate too",
        "it does not work",
        NO_GO,
        files=works(_BAD)
        | conftest(_OUTER.format("pytest.exit('enough', returncode=0)"), "suites/p"),
    ),
    Trap(
        "exit-at-unconfigure",
        "`os._exit(0)` in `pytest_unconfigure`",
        "it does not work",
        NO_GO,
        files=works(_BAD)
        | conftest(
            """
            import os

            def pytest_unconfigure(config):
                if not hasattr(config, 'workerinput'): os._exit(0)
            """
        ),
        taken=True,
    ),
    Trap(
        "exit-at-exit",
        "`atexit` ends the process with status 0",
        "it does not work",
        NO_GO,
        files=works(_BAD)
        | conftest("""
        import atexit, os
        atexit.register(os._exit, 0)
        """),
        taken=True,
    ),
    Trap(
        "forked-child",
        "a check forks: the child passes, the parent fails",
        "it does not work",
        NO_GO,
        files=works(
            """
            child = os.fork()
            if child:
                os.waitpid(child, 0)
                assert False, 'it does not work'
            """,
            above="import os",
        ),
        modes=ALONE,
    ),
)
