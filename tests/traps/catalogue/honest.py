"""Runs that are as they should be, however odd: the gate must not say no to them."""

from __future__ import annotations

from typing import Any

from tests.traps.parts import conftest, listed, module, rule, works
from tests.traps.trap import ALONE, EVERY, GO, PLAIN, Trap


def _honest(id_: str, says: str, because: str = "both hard criteria hold", **also: Any) -> Trap:
    return Trap(id_, says, because, GO, **also)


_CLASS = "@pytest.mark.criterion('works')\nclass Works(unittest.TestCase):\n"
_RULE = "metric: bad, take: max, pass: '< 1', need: 3"
_ASYNC = """\
@pytest.mark.criterion('works')
@pytest.mark.{}
async def test_works():
    import asyncio
    await asyncio.sleep(0)
"""

HONEST = (
    _honest("plain", "three checks pass"),
    _honest("with-a-list", "a reviewed list that is met", files=listed()),
    _honest(
        "parameters",
        "a check with parameters, ids that name everything",
        files=works(
            args="n",
            marks=r"""@pytest.mark.parametrize("n", range(8), ids=NAMES)""",
            above='NAMES = ["a/../b", "<b>", "GO", "x y", "é", "::", "[1]", "%s"]',
        ),
    ),
    _honest(
        "escape-codes",
        "an id that holds escape codes",
        files=works(args="n", marks=r"""@pytest.mark.parametrize("n", [1], ids=["\x1b[31m"])"""),
    ),
    _honest(
        "scopes",
        "fixtures of every scope, that clean up",
        files=works(
            "assert all(system)",
            args="system",
            above="".join(
                f"\n@pytest.fixture(scope='{scope}', autouse=True)\n"
                f"def {scope}_thing():\n    yield 1\n"
                for scope in ("session", "module", "class", "function")
            )
            + """\

@pytest.fixture
def system(session_thing, function_thing):
    yield [session_thing, function_thing]
""",
        ),
    ),
    _honest(
        "classes",
        "a class of checks with `setup_method`",
        files=module(
            """
            class TestWorks:
                def setup_method(self): self.it = 1
                @pytest.mark.criterion('works')
                def test_works(self): assert self.it
                @pytest.mark.criterion('works')
                @staticmethod
                def test_static(): pass
            """
        ),
    ),
    _honest(
        "unittest",
        "unittest's classes, with subtests",
        files=module(
            _CLASS
            + """\
    def setUp(self): self.it = 1
    def test_works(self):
        for n in range(3):
            with self.subTest(n=n): self.assertEqual(n, n)
""",
            above="import unittest",
        ),
    ),
    _honest(
        "unittest-async",
        "an async check of unittest",
        files=module(
            _CLASS.replace("TestCase", "IsolatedAsyncioTestCase")
            + """\
    async def test_works(self):
        import asyncio
        await asyncio.sleep(0)
""",
            above="import unittest",
        ),
    ),
    _honest(
        "subtests",
        "pytest's subtests",
        files=works(
            """
            for n in range(3):
                with subtests.test(n=n):
                    assert n < 3
            """,
            args="subtests",
        ),
    ),
    _honest(
        "rule",
        "a criterion judged by a rule",
        files=works("for n in range(3): observe('bad', 0, at=1000 + n)", args="observe")
        | rule(_RULE),
    ),
    _honest(
        "property",
        "a property of Hypothesis",
        files=works(
            "assert n == n",
            args="n",
            above="from hypothesis import given, settings, strategies as st",
            marks="""
            @settings(max_examples=20, database=None)
            @given(st.integers())
            """,
        ),
        needs=("hypothesispytest",),
    ),
    _honest(
        "asyncio",
        "an async check, run by pytest-asyncio",
        files=module(_ASYNC.format("asyncio")),
        needs=("asyncio",),
    ),
    _honest(
        "anyio",
        "an async check, run by anyio",
        files=module(
            _ASYNC.format("anyio") + "\n@pytest.fixture\ndef anyio_backend(): return 'asyncio'\n"
        ),
        needs=("anyio",),
    ),
    _honest(
        "reruns-unused",
        "pytest-rerunfailures is on and has nothing to do",
        args=("--reruns=2",),
        needs=("rerunfailures",),
    ),
    _honest(
        "flaky",
        "a check passes at its second attempt: a condition of the GO",
        "passed only at attempt 2",
        files=works(
            """
            Path('x').open('a').write('x')
            assert len(Path('x').read_text()) > 1
            """,
            above="from pathlib import Path",
        ),
        args=("--reruns=1",),
        needs=("rerunfailures",),
        numbers=("E19",),
        modes=ALONE,
    ),
    _honest(
        "timeout-unused",
        "pytest-timeout is on and has nothing to do",
        args=("--timeout=30",),
        needs=("timeout",),
    ),
    _honest(
        "coverage",
        "pytest-cov is on",
        args=("--cov=suites", "--cov-report="),
        needs=("pytest_cov",),
    ),
    _honest(
        "html",
        "pytest-html is on",
        args=("--html=out/a.html",),
        needs=("html", "html_fixtures", "metadata"),
    ),
    _honest(
        "json-report",
        "pytest-json-report is on",
        args=("--json-report", "--json-report-file=out/a.json"),
        needs=("metadata", "pytest_jsonreport"),
    ),
    _honest(
        "allure", "allure-pytest is on", args=("--alluredir=out/allure",), needs=("allure_pytest",)
    ),
    _honest(
        "reordered",
        "pytest-randomly changes the order",
        args=("-p", "randomly", "-p", "no:cacheprovider"),
        needs=("randomly",),
    ),
    _honest("failed-first", "`--ff` changes the order", args=("--ff",)),
    _honest("without-a-cache", "`-p no:cacheprovider`", args=("-p", "no:cacheprovider")),
    _honest("without-a-terminal", "`-p no:terminal`", args=("-p", "no:terminal")),
    _honest(
        "asserts-plain",
        "`--assert=plain`: assertions are not rewritten, and run",
        args=("--assert=plain",),
    ),
    _honest("warnings-ignored", "`-W ignore`", args=("-W", "ignore")),
    _honest(
        "record-property",
        "properties of a check",
        files=works("record_property('a', 1)", args="record_property"),
    ),
    _honest("another-spelling", "`-m 'one and not slow'`", args=("-m", "one and not slow")),
    _honest(
        "each-worker",
        "`--dist=each`, `loadfile` and others leave phases whole",
        args=("--dist=loadfile",),
        modes=("-n2",),
    ),
    _honest(
        "nested",
        "a check runs a pytest of its own",
        files=works(
            """
            import subprocess, sys
            Path('inner').mkdir(exist_ok=True)
            Path('inner/pytest.ini').write_text('[pytest]')
            Path('inner/test_it.py').write_text('def test_it(): assert False')
            command = [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider']
            assert subprocess.run(command, cwd='inner').returncode == 1
            """,
            above="from pathlib import Path",
        ),
        numbers=("E27",),
    ),
    _honest(
        "worker-by-environment",
        "the environment says that this is a worker, and it is not",
        env={"PYTEST_XDIST_WORKER": "gw0"},
        modes=(PLAIN,),
        numbers=("E27",),
    ),
    _honest(
        "forks",
        "a check forks a child that leaves",
        files=works(
            """
            child = os.fork()
            if child == 0: os._exit(0)
            os.waitpid(child, 0)
            """,
            above="import os",
        ),
    ),
    _honest(
        "threads",
        "a check with threads that end well",
        files=works(
            """
            thread = threading.Thread(target=print)
            thread.start()
            thread.join()
            """,
            above="import threading",
        ),
    ),
    _honest(
        "caught",
        "a check expects an exception",
        files=works("""
        with pytest.raises(ZeroDivisionError):
            1 / 0
        """),
    ),
    _honest(
        "wrapped-calls",
        "hooks around calls that change nothing",
        files=conftest(
            """
            import pytest

            @pytest.hookimpl(wrapper=True)
            def pytest_pyfunc_call():
                return (yield)

            @pytest.hookimpl(wrapper=True)
            def pytest_runtest_makereport():
                return (yield)
            """
        ),
    ),
    _honest(
        "locust-not-imported",
        "Locust is installed, and is never in the process",
        files=works("""
        import sys
        assert not {'locust', 'gevent'} & sys.modules.keys()
        """),
        needs=("locust",),
        numbers=("E29",),
        modes=EVERY,
    ),
)
