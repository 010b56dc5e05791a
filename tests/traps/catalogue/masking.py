"""Hooks of others that change what a check did, or keep it from being seen."""

from __future__ import annotations

from typing import Any

from tests.traps.parts import conftest, flush, works
from tests.traps.trap import NO_GO, Trap

_BAD = "assert False, 'it does not work'"

_WHY = "it does not work"

_NOT_RUN = "its body did not run"

_DOWN = "\n@pytest.fixture(autouse=True)\ndef system():\n    {}\n    yield\n    {}\n"


def _hook(text: str, *, wrapper: str = "wrapper=True") -> str:
    imports = "import pytest\nfrom _pytest.reports import TestReport\n"
    return f"{imports}\n@pytest.hookimpl({wrapper})\n{flush(text)}"


def _hides(
    id_: str,
    says: str,
    hook: str,
    *,
    folder: str = ".",
    because: str = _WHY,
    answer: str = NO_GO,
    body: str = _BAD,
    **also: Any,
) -> Trap:
    """A failing check, and a conftest.py that hides it."""
    return Trap(id_, says, because, answer, files=works(body) | conftest(hook, folder), **also)


_SWALLOW = "    try:\n        return (yield)\n    except BaseException:\n        return {}\n"

_REPORTS = (
    _hides(
        "report-changed",
        "a hook calls each report passed",
        _hook(
            """
            def pytest_runtest_makereport():
                report = yield
                report.outcome = 'passed'
                return report
            """
        ),
    ),
    _hides(
        "report-changed-around",
        "a hook calls each report passed, around everybody",
        _hook(
            """
            def pytest_runtest_makereport():
                report = yield
                report.outcome = 'passed'
                report.longrepr = None
                return report
            """,
            wrapper="wrapper=True, tryfirst=True",
        ),
        folder="suites/p",
    ),
    _hides(
        "report-replaced",
        "a hook makes a report of its own that passed",
        _hook(
            """
            def pytest_runtest_makereport(item, call):
                yield
                return TestReport(item.nodeid, item.location, {}, 'passed', None, call.when)
            """,
            wrapper="wrapper=True, tryfirst=True",
        ),
        folder="suites/p",
    ),
    _hides(
        "report-made-first",
        "a hook makes the report before pytest does",
        _hook(
            """
            def pytest_runtest_makereport(item, call):
                return TestReport(item.nodeid, item.location, {}, 'passed', None, call.when)
            """,
            wrapper="tryfirst=True",
        ),
    ),
    _hides(
        "report-changed-on-the-way",
        "a hook changes reports on their way",
        _hook(
            """
            def pytest_runtest_logreport(report):
                report.outcome = 'passed'
                report.__dict__.pop('rollout_says', None)
            """,
            wrapper="tryfirst=True",
        ),
    ),
    _hides(
        "report-called-skipped",
        "a hook calls a failure a skip",
        _hook(
            """
            def pytest_runtest_makereport():
                report = yield
                if report.failed:
                    report.outcome = 'skipped'
                    report.longrepr = ('', 1, 'Skipped: known')
                return report
            """
        ),
        because="known",
        answer="HOLD",
    ),
    _hides(
        "report-called-rerun",
        "a hook calls a failure a rerun",
        _hook(
            """
            def pytest_runtest_makereport():
                report = yield
                if report.failed: report.outcome = 'rerun'
                return report
            """
        ),
        modes=("plain", "-n0"),
    ),
    _hides(
        "reports-forged",
        "a hook reports passes and runs nothing",
        _hook(
            """
            def pytest_runtest_protocol(item):
                for when in ('setup', 'call', 'teardown'):
                    report = TestReport(item.nodeid, item.location, {}, 'passed', None, when)
                    item.ihook.pytest_runtest_logreport(report=report)
                return True
            """,
            wrapper="tryfirst=True",
        ),
        because=_NOT_RUN,
        answer="HOLD",
    ),
    _hides(
        "failure-not-shown",
        "a hook shows failures as passes",
        """
        def pytest_report_teststatus():
            return 'passed', '.', 'PASSED'
        """,
    ),
)

_CALLS = (
    _hides(
        "call-swallowed",
        "a hook around the call swallows what it raises",
        _hook("def pytest_pyfunc_call():\n" + _SWALLOW.format("True")),
    ),
    _hides(
        "call-swallowed-inside",
        "a hook around the call, nearest to it",
        _hook(
            "def pytest_pyfunc_call():\n" + _SWALLOW.format("True"),
            wrapper="wrapper=True, trylast=True",
        ),
        folder="suites/p",
    ),
    _hides(
        "runtest-swallowed",
        "a hook around the check swallows what it raises",
        _hook("def pytest_runtest_call():\n" + _SWALLOW.format("None")),
    ),
    _hides(
        "call-swallowed-old",
        "an old-style hook wrapper swallows what the call raises",
        _hook(
            """
            def pytest_pyfunc_call():
                outcome = yield
                outcome.force_result(True)
            """,
            wrapper="hookwrapper=True",
        ),
    ),
    _hides(
        "skip-swallowed",
        "a hook swallows that a check skipped itself",
        _hook("def pytest_pyfunc_call():\n" + _SWALLOW.format("True")),
        body="pytest.skip('no host')",
        because="skipped: no host",
        answer="HOLD",
    ),
    _hides(
        "call-replaced",
        "a hook takes the call's place and does not call",
        _hook(
            """
            def pytest_pyfunc_call():
                return True
            """,
            wrapper="tryfirst=True",
        ),
        because=_NOT_RUN,
        answer="HOLD",
    ),
    _hides(
        "call-replaced-and-caught",
        "a hook takes the call's place and catches what it raises",
        _hook(
            """
            def pytest_pyfunc_call(pyfuncitem):
                try:
                    pyfuncitem.obj()
                except Exception:
                    pass
                return True
            """,
            wrapper="tryfirst=True",
        ),
    ),
    _hides(
        "function-patched",
        "a conftest.py patches pytest's own function item",
        """
        import pytest

        pytest.Function.runtest = lambda self: None
        """,
        because=_NOT_RUN,
        answer="HOLD",
    ),
    _hides(
        "function-replaced",
        "a conftest.py puts another function into the item",
        """
        def pytest_collection_modifyitems(items):
            for one in items:
                one.runtest = lambda: None
        """,
        because=_NOT_RUN,
        answer="HOLD",
    ),
    _hides(
        "failure-ends-in-warning",
        "a hook turns failures into warnings",
        _hook(
            """
            def pytest_pyfunc_call(pyfuncitem):
                try:
                    return (yield)
                except AssertionError as error:
                    import warnings
                    warnings.warn(str(error))
                    return True
            """
        ),
    ),
    Trap(
        "set-up-swallowed",
        "a hook around set-up swallows what it raises",
        "OSError: down",
        files=works(above=_DOWN.format("raise OSError('down')", "pass"))
        | conftest(_hook("def pytest_runtest_setup():\n" + _SWALLOW.format("None"))),
    ),
    Trap(
        "tear-down-swallowed",
        "a hook around tear-down swallows what it raises",
        "OSError: down",
        files=works(above=_DOWN.format("pass", "raise OSError('down')"))
        | conftest(_hook("def pytest_runtest_teardown():\n" + _SWALLOW.format("None"))),
    ),
    Trap(
        "unittest-run-replaced",
        "a unittest class runs nothing",
        _NOT_RUN,
        files=works()
        | {
            "suites/p/test_two.py": """\
import unittest, pytest

@pytest.mark.criterion('works')
class Works(unittest.TestCase):
    def run(self, result=None): return result
    def test_more(self): self.fail()
"""
        },
    ),
)

TRAPS = (*_REPORTS, *_CALLS)
