"""Subtests, reruns, and trouble around a check."""

from __future__ import annotations

from tests.traps.parts import module, works
from tests.traps.trap import ALONE, NO_GO, Trap

_BAD = "assert False, 'it does not work'"


def _fixture(body: str, *, after: str = "pass") -> str:
    return f"\n@pytest.fixture\ndef system():\n    {body}\n    yield\n    {after}\n"


def _class(text: str) -> dict[str, str]:
    return module(text, above="import unittest")


_SUBTESTS = (
    Trap(
        "subtest-fails",
        "a failing subtest",
        "one is two",
        NO_GO,
        files=works(
            """
            for n in range(3):
                with subtests.test(n=n):
                    assert n != 1, 'one is two'
            """,
            args="subtests",
        ),
    ),
    Trap(
        "subtests-skipped",
        "every subtest is skipped, and the check passes",
        "skipped: later",
        files=works(
            """
            for n in range(2):
                with subtests.test(n=n):
                    pytest.skip('later')
            """,
            args="subtests",
        ),
    ),
    Trap(
        "unittest-subtest-fails",
        "a failing subTest of unittest, whose parent passes",
        "one is two",
        NO_GO,
        files=_class(
            """
            @pytest.mark.criterion('works')
            class Works(unittest.TestCase):
                def test_works(self):
                    for n in range(3):
                        with self.subTest(n=n):
                            self.assertNotEqual(n, 1, 'one is two')
            """
        ),
    ),
    Trap(
        "unittest-subtests-skipped",
        "every subTest of unittest is skipped",
        "skipped: later",
        files=_class(
            """
            @pytest.mark.criterion('works')
            class Works(unittest.TestCase):
                def test_works(self):
                    for n in range(2):
                        with self.subTest(n=n):
                            self.skipTest('later')
            """
        ),
    ),
)

_RERUN = ("rerunfailures",)

_COUNT = """\
from pathlib import Path
AT = Path('attempts.txt')

def attempt():
    with AT.open('a') as file:
        file.write('x')
    return len(AT.read_text())
"""

_RERUNS = (
    Trap(
        "reruns-fail",
        "a check fails at each attempt",
        "it does not work",
        NO_GO,
        files=works(_BAD),
        args=("--reruns=2",),
        needs=_RERUN,
        numbers=("E20",),
    ),
    Trap(
        "subtest-fails-with-reruns",
        "a failing subTest of unittest with `--reruns`: nothing is run again",
        "one is two",
        NO_GO,
        files=_class(
            """
            @pytest.mark.criterion('works')
            class Works(unittest.TestCase):
                def test_works(self):
                    with self.subTest('x'):
                        self.fail('one is two')
            """
        ),
        args=("--reruns=1",),
        needs=_RERUN,
    ),
    Trap(
        "rerun-skips",
        "a check fails, and skips itself when run again",
        "skipped: again",
        files=works(
            """
            if attempt() == 2: pytest.skip('again')
            assert False
            """,
            above=_COUNT,
        ),
        args=("--reruns=1",),
        needs=_RERUN,
    ),
    Trap(
        "rerun-breaks",
        "a check fails, and its tear-down breaks when run again",
        "OSError",
        files=works(
            "assert AT.exists() or attempt() == 0",
            args="system",
            above=_COUNT + _fixture("pass", after="if attempt() > 1: raise OSError"),
        ),
        args=("--reruns=1",),
        needs=_RERUN,
        numbers=("E20",),
    ),
    Trap(
        "flaky-expected",
        "a rerun check is also expected to fail",
        "no evidence",
        files=works(_BAD, marks="@pytest.mark.xfail"),
        args=("--reruns=1",),
        needs=_RERUN,
    ),
)

_TROUBLE = (
    Trap(
        "set-up-error",
        "a fixture breaks",
        "OSError: down",
        files=works(args="system", above=_fixture("raise OSError('down')")),
    ),
    Trap(
        "tear-down-error",
        "a fixture breaks at its end",
        "OSError: down",
        files=works(args="system", above=_fixture("pass", after="raise OSError('down')")),
    ),
    Trap(
        "names-no-criterion",
        "a test of the phase that names no criterion fails",
        "names no criterion, and failed: it does not work",
        files=works(above=f"\ndef test_other():\n    {_BAD}\n"),
    ),
    Trap(
        "other-exception",
        "a check raises something other than an assertion",
        "ZeroDivisionError",
        files=works("1 / 0"),
    ),
    Trap(
        "exits-in-the-body",
        "`sys.exit(0)` in a check",
        "SystemExit",
        files=works("sys.exit(0)", above="import sys"),
    ),
    Trap(
        "recursion",
        "a check recurses without end",
        "RecursionError",
        files=works("""
        def again(): again()
        again()
        """),
    ),
    Trap(
        "warnings-are-errors",
        "`-W error` and `record_property`: the check breaks",
        "PytestWarning",
        files=works("record_property('a', 1)", args="record_property"),
        args=("-W", "error", "-o", "junit_family=xunit2"),
        numbers=("E22",),
        modes=ALONE,
    ),
)

TRAPS = (*_SUBTESTS, *_RERUNS, *_TROUBLE)
