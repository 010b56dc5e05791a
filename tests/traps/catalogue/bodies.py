"""Bodies that look like checks and check nothing."""

from __future__ import annotations

from tests.traps.parts import module, works
from tests.traps.trap import NO_GO, PLAIN, Trap

_THREAD = "import threading\n\ndef work():\n    assert False, 'in a thread'\n"
_RUN_THREAD = "thread = threading.Thread(target=work)\nthread.start()\nthread.join()"
_QUIET = ("-W", "ignore")

TRAPS = (
    Trap("returns-false", "a check returns its result", "returned", files=works("return 1 == 2")),
    Trap(
        "returns-false-quietly",
        "a check returns its result, with `-W ignore`",
        "returned",
        files=works("return 1 == 2"),
        args=_QUIET,
    ),
    Trap(
        "assertion-of-a-tuple",
        "`assert (it, 'message')` is always true",
        "always true",
        files=works("assert (1 == 2, 'one is not two')"),
    ),
    Trap(
        "assertion-of-a-tuple-quietly",
        "`assert (it, 'message')`, with `-W ignore`",
        "always true",
        files=works("assert (1 == 2, 'one is not two')"),
        args=_QUIET,
    ),
    Trap(
        "fails-in-a-thread",
        "a check fails in a thread",
        "in a thread",
        files=works(_RUN_THREAD, above=_THREAD),
    ),
    Trap(
        "fails-in-a-thread-quietly",
        "a check fails in a thread, with `-W ignore`",
        "in a thread",
        files=works(_RUN_THREAD, above=_THREAD),
        args=_QUIET,
    ),
    Trap(
        "fails-in-a-thread-unseen",
        "a check fails in a thread, with `-p no:threadexception`",
        "in a thread",
        files=works(_RUN_THREAD, above=_THREAD),
        args=("-p", "no:threadexception"),
    ),
    Trap(
        "coroutine-not-awaited",
        "a check calls a coroutine and does not await it",
        "never awaited",
        files=works(
            "work()",
            above="""
            async def work():
                assert False
            """,
        ),
    ),
    Trap(
        "async-without-a-plugin",
        "an async check, and no plugin that runs it",
        "async def functions are not natively supported",
        NO_GO,
        files=module(
            """
            @pytest.mark.criterion('works')
            async def test_works():
                assert False
            """
        ),
    ),
    Trap(
        "fails-in-a-finaliser",
        "a check fails where Python only remarks on it",
        "Unraisable",
        files=works("""
        class Thing:
            def __del__(self):
                assert False

        Thing()
        """),
    ),
    Trap(
        "python-optimised",
        "`python -O` with `--assert=plain`: assertions are not executed",
        "assert statements",
        files=works("assert False"),
        args=("--assert=plain",),
        env={"PYTHONOPTIMIZE": "1"},
    ),
    Trap(
        "python-optimised-helper",
        "`python -O`: assertions of helper modules are not executed",
        "assert statements",
        files=works("helper.check()", above="import helper")
        | {"helper.py": "def check():\n    assert False\n"},
        env={"PYTHONOPTIMIZE": "1"},
    ),
    Trap(
        "no-examples",
        "a property without a phase that generates: no example is tried",
        "told to run no test cases",
        files=works(
            "assert n != n",
            args="n",
            above="from hypothesis import given, settings, strategies as st",
            marks="""
            @settings(phases=())
            @given(st.integers())
            """,
        ),
        needs=("hypothesispytest",),
    ),
    Trap(
        "generator",
        "a check that yields is never run",
        "yield",
        files=works("""
        yield
        assert False
        """),
        because_n2="yield",
    ),
    Trap(
        "timeout-swallowed",
        "a check catches everything, also its own timeout",
        "timeout",
        files=works("""
        import time
        try:
            time.sleep(5)
        except BaseException:
            pass
        """),
        args=("--timeout=0.5", "--timeout-method=signal"),
        needs=("timeout",),
    ),
    Trap(
        "timeout-swallowed-in-the-body",
        "a check catches its own timeout, with `timeout_func_only`",
        "timeout",
        files=works("""
        import time
        try:
            time.sleep(5)
        except BaseException:
            pass
        """),
        args=("--timeout=0.5", "--timeout-method=signal", "-o", "timeout_func_only=true"),
        needs=("timeout",),
        modes=(PLAIN,),
    ),
    Trap(
        "async-in-a-plain-case",
        "`async def` in a plain `unittest.TestCase`, with `-W ignore`",
        "its body did not run",
        files=module(
            """
            @pytest.mark.criterion('works')
            class Works(unittest.TestCase):
                async def test_works(self):
                    assert False
            """,
            above="import unittest",
        ),
        args=("-W", "ignore"),
    ),
)
