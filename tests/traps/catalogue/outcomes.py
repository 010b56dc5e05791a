"""Outcomes that are green and prove nothing: skips and expected failures."""

from __future__ import annotations

from tests.traps.parts import conftest, module, works
from tests.traps.trap import NO_GO, Trap

_BAD = "assert False, 'it does not work'"


def _fixture(body: str, *, after: str = "pass") -> str:
    return f"\n@pytest.fixture\ndef system():\n    {body}\n    yield\n    {after}\n"


def _class(text: str) -> dict[str, str]:
    return module(text, above="import unittest")


_SKIPPED = (
    Trap(
        "all-skipped",
        "every check is skipped",
        "skipped: not today",
        files=works(above="\ndef test_other(): pass\n")
        | conftest(
            """
            import pytest

            def pytest_collection_modifyitems(items):
                for one in items:
                    one.add_marker(pytest.mark.skip(reason='not today'))
            """
        ),
        numbers=("E1",),
    ),
    Trap(
        "skip",
        "a check is skipped",
        "skipped: not today",
        files=works(_BAD, marks='@pytest.mark.skip(reason="not today")'),
    ),
    Trap(
        "skipif",
        "a check is skipped where the environment lacks something",
        "skipped: no key",
        files=works(
            _BAD,
            above="import os",
            marks='@pytest.mark.skipif("NO_SUCH_KEY" not in os.environ, reason="no key")',
        ),
    ),
    Trap(
        "skip-in-the-body",
        "a check skips itself half-way",
        "skipped: no host",
        files=works("pytest.skip('no host')"),
    ),
    Trap(
        "import-in-the-body",
        "`importorskip` in a check",
        "could not import 'nothere'",
        files=works("pytest.importorskip('nothere')"),
    ),
    Trap(
        "skip-on-trouble",
        "a check skips itself when its target is down",
        "skipped: down",
        files=works("""
        try:
            raise OSError
        except OSError:
            pytest.skip('down')
        """),
    ),
    Trap(
        "fixture-skips",
        "a fixture skips its checks",
        "skipped: no disk",
        files=works(args="system", above=_fixture("pytest.skip('no disk')")),
    ),
    Trap(
        "teardown-skips",
        "a fixture skips at its end",
        "skipped: not now",
        files=works(args="system", above=_fixture("pass", after="pytest.skip('not now')")),
    ),
    Trap(
        "some-parameters-skipped",
        "one parameter of many is skipped",
        "skipped: odd",
        files=works(
            "if n == 3: pytest.skip('odd')",
            args="n",
            marks='@pytest.mark.parametrize("n", range(5))',
        ),
    ),
    Trap(
        "unittest-skip",
        "unittest's `skip`",
        "skipped: not today",
        files=_class(
            """
            @pytest.mark.criterion('works')
            class Works(unittest.TestCase):
                @unittest.skip('not today')
                def test_works(self): pass
            """
        ),
    ),
    Trap(
        "unittest-raises-skip",
        "`raise unittest.SkipTest` in a plain check",
        "skipped: not today",
        files=works("raise unittest.SkipTest('not today')", above="import unittest"),
    ),
    Trap(
        "unittest-class-skips",
        "unittest's `setUpClass` skips",
        "skipped: not today",
        files=_class(
            """
            @pytest.mark.criterion('works')
            class Works(unittest.TestCase):
                @classmethod
                def setUpClass(cls): raise unittest.SkipTest('not today')
                def test_works(self): pass
            """
        ),
    ),
)

_EXPECTED = (
    Trap(
        "xfail",
        "a failure that was expected",
        "xfailed: no evidence",
        files=works(_BAD, marks="@pytest.mark.xfail"),
        numbers=("E1",),
    ),
    Trap(
        "xfail-not-run",
        "`xfail(run=False)`",
        "no evidence",
        files=works(_BAD, marks="@pytest.mark.xfail(run=False)"),
    ),
    Trap(
        "xpass",
        "a pass that was not expected",
        "passed although marked xfail",
        files=works(marks="@pytest.mark.xfail"),
        numbers=("E1", "E21"),
    ),
    Trap(
        "xpass-strict",
        "a pass that was not expected, with `strict`",
        "XPASS(strict)",
        files=works(marks="@pytest.mark.xfail(strict=True)"),
    ),
    Trap(
        "xfail-in-the-body",
        "`pytest.xfail()` in a check",
        "xfailed: no evidence",
        files=works("pytest.xfail('known')"),
    ),
    Trap(
        "xfail-everything",
        "a conftest.py expects every failure",
        "xfailed: no evidence",
        files=works(_BAD)
        | conftest(
            """
            import pytest

            def pytest_collection_modifyitems(items):
                for one in items:
                    one.add_marker(pytest.mark.xfail)
            """
        ),
        numbers=("E1",),
    ),
    Trap(
        "xfail-hides-set-up",
        "`xfail` hides that the target is down",
        "no evidence",
        files=works(
            args="system", marks="@pytest.mark.xfail", above=_fixture("raise OSError('down')")
        ),
    ),
    Trap(
        "xfail-hides-tear-down",
        "`xfail` hides an error at the end",
        "no evidence",
        files=works(
            args="system",
            marks="@pytest.mark.xfail",
            above=_fixture("pass", after="raise OSError('down')"),
        ),
    ),
    Trap(
        "ini-typo",
        "a typo in `xfail_strict` leaves XPASS green",
        "passed although marked xfail",
        files=works(marks="@pytest.mark.xfail"),
        args=("-o", "xfail_stict=true"),
    ),
    Trap(
        "nested-ini",
        "a nested pytest.ini loses `xfail_strict`",
        "passed although marked xfail",
        files=works(marks="@pytest.mark.xfail")
        | {
            "pytest.ini": "[pytest]\nxfail_strict = true\n",
            "suites/p/pytest.ini": "[pytest]\nmarkers =\n    one: x\n    criterion: x\n",
        },
        args=("suites/p",),
        root="suites/p",
    ),
    Trap(
        "unittest-expected-failure",
        "unittest's `expectedFailure`",
        "no evidence",
        files=_class(
            """
            @pytest.mark.criterion('works')
            class Works(unittest.TestCase):
                @unittest.expectedFailure
                def test_works(self): self.fail()
            """
        ),
    ),
    Trap(
        "unittest-unexpected-success",
        "unittest's `expectedFailure` passes",
        "Unexpected success",
        NO_GO,
        files=_class(
            """
            @pytest.mark.criterion('works')
            class Works(unittest.TestCase):
                @unittest.expectedFailure
                def test_works(self): pass
            """
        ),
    ),
)

TRAPS = (*_SKIPPED, *_EXPECTED)
