"""Runs that are stopped, and somebody else's word on how they ended."""

from __future__ import annotations

from tests.traps.parts import conftest, works
from tests.traps.trap import ALONE, NO_GO, NOTHING, PLAIN, Trap

_BAD = "assert False, 'it does not work'"

TRAPS = (
    Trap(
        "interrupted",
        "SIGINT",
        "the run was ended by SIGINT",
        files=works("os.kill(os.getpid(), signal.SIGINT)", above="import os, signal"),
        modes=ALONE,
    ),
    Trap(
        "keyboard-interrupt",
        "a check raises KeyboardInterrupt",
        "the run was stopped",
        files=works("raise KeyboardInterrupt"),
        because_n2="the run was stopped",
    ),
    Trap(
        "pytest-exit",
        "`pytest.exit(returncode=0)` in a check",
        "the run was stopped",
        files=works("pytest.exit('enough', returncode=0)"),
        numbers=("E5",),
        because_n2="the run was stopped",
    ),
    Trap(
        "pytest-exit-after-failure",
        "`pytest.exit(returncode=0)` after a failure",
        "the run was stopped",
        files=works(_BAD)
        | conftest(
            """
            import pytest

            def pytest_runtest_logfinish(nodeid):
                if 'works' in nodeid: pytest.exit('enough', returncode=0)
            """
        ),
        numbers=("E5",),
    ),
    Trap(
        "pytest-exit-in-a-fixture",
        "`pytest.exit(returncode=0)` in a session's fixture",
        "the run was stopped",
        files=works(
            above="""
            @pytest.fixture(scope='session', autouse=True)
            def first():
                pytest.exit('enough', returncode=0)
            """
        ),
        because_n2="the run was stopped",
    ),
    Trap(
        "pytest-exit-at-the-end",
        "`pytest.exit(returncode=0)` when the session ends",
        "the end of the session failed",
        files=works(_BAD)
        | conftest(
            """
            import pytest

            def pytest_sessionfinish():
                pytest.exit('enough', returncode=0)
            """
        ),
    ),
    Trap(
        "pytest-exit-in-collection",
        "`pytest.exit(returncode=0)` while collecting",
        "the run was stopped",
        files=conftest(
            """
            import pytest

            def pytest_collection_modifyitems():
                pytest.exit('enough', returncode=0)
            """
        ),
        because_n2="the run was stopped",
    ),
    Trap(
        "pytest-exit-at-the-start",
        "`pytest.exit(returncode=0)` when the session starts",
        "never finished",
        files=conftest(
            """
            import pytest

            def pytest_sessionstart():
                pytest.exit('enough', returncode=0)
            """
        ),
        because_n2="never finished",
    ),
    Trap(
        "first-failure",
        "`-x`: what comes after the first failure is not run",
        "it does not work",
        NO_GO,
        files=works(
            _BAD,
            above="""
            @pytest.mark.criterion('safe')
            def test_first(): assert False, 'it does not work'
            """,
        ),
        args=("-x",),
        numbers=("E8",),
    ),
    Trap(
        "should-stop",
        "a conftest.py stops the session quietly",
        "the run was stopped",
        files=conftest(
            """
            def pytest_runtest_logfinish(nodeid):
                pass

            def pytest_runtest_teardown(item):
                item.session.shouldstop = 'enough'
            """
        ),
        modes=ALONE,
    ),
    Trap(
        "session-timeout",
        "pytest-timeout's session timeout",
        "it never reported",
        files=works(
            above="""
            import time

            def test_first(): time.sleep(1)
            """
        ),
        args=("--session-timeout=0.5",),
        needs=("timeout",),
        modes=(PLAIN,),
    ),
    Trap(
        "loop-replaced",
        "a conftest.py replaces the loop that runs checks",
        "it never reported",
        files=conftest("""
        def pytest_runtestloop(session):
            return True
        """),
    ),
    Trap(
        "main-replaced",
        "a conftest.py replaces pytest's main",
        "no decision",
        NOTHING,
        files=conftest("""
        def pytest_cmdline_main(config):
            return 0
        """),
    ),
    Trap(
        "exit-in-conftest",
        "`sys.exit(0)` in conftest.py",
        "",
        NOTHING,
        files=conftest("""
        import sys
        sys.exit(0)
        """),
        taken=True,
    ),
    Trap(
        "exit-in-the-suite",
        "`sys.exit(0)` in the suite's conftest.py",
        "the run was stopped",
        files=conftest(
            """
            import sys
            sys.exit(0)
            """,
            "suites/p",
        ),
        because_n2="the run was stopped",
    ),
    Trap(
        "conftest-breaks",
        "conftest.py breaks: the last run's reports still lie there",
        "ImportError",
        NOTHING,
        files=conftest("import nothere\n"),
        numbers=("E26",),
    ),
    Trap(
        "sessionfinish-breaks",
        "a conftest.py breaks when the session ends",
        "the end of the session failed",
        files=conftest("""
        def pytest_sessionfinish():
            raise RuntimeError('late')
        """),
    ),
    Trap(
        "summary-breaks",
        "a conftest.py breaks in the terminal summary",
        "the end of the session failed",
        files=conftest("""
        def pytest_terminal_summary():
            raise RuntimeError('late')
        """),
        numbers=("E25",),
    ),
    Trap(
        "unconfigure-breaks",
        "a conftest.py breaks in `pytest_unconfigure`",
        "it does not work",
        NO_GO,
        files=works(_BAD)
        | conftest("""
        def pytest_unconfigure():
            raise RuntimeError('late')
        """),
        numbers=("E25",),
    ),
    Trap(
        "junit-unwritable",
        "the JUnit file cannot be written",
        "the end of the session failed",
        args=("--junitxml=/proc/none/junit.xml",),
    ),
)
