"""Checks whose attempts are easily miscounted, and bodies that never run."""

from __future__ import annotations

_CASE = """
import unittest

{marks}@bound
class Works(unittest.TestCase):
    def test_works(self):
        {first}with self.subTest("x"):
            {body}
"""
SUBTESTS = {
    "unit": _CASE.format(marks="", first="", body="self.fail('one is two')"),
    "flaky": _CASE.format(
        marks="@pytest.mark.flaky(reruns=1)\n", first="", body="self.fail('one is two')"
    ),
    "error": _CASE.format(marks="", first="", body="raise OSError('one is two')"),
    "plain": """
        @bound
        def test_works(subtests):
            with subtests.test("x"):
                assert False, 'one is two'
            with subtests.test("y"):
                pass
    """,
    "skipped": _CASE.format(marks="", first="", body="self.skipTest('not today')"),
    "partly": _CASE.format(
        marks="",
        first="with self.subTest('a'): pass\n        ",
        body="self.skipTest('not today')",
    ),
}

TURNS = {
    "second": """
        import unittest
        turns = []

        @pytest.mark.flaky(reruns=1)
        @bound
        class Works(unittest.TestCase):
            def test_works(self):
                turns.append(1)
                for part in "xy":
                    with self.subTest(part):
                        pass
                assert len(turns) > 1, 'the first turn fails'
    """,
}

TWICE = """
import pytest
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    if "unreported" in item.nodeid:
        runtestprotocol(item, nextitem=nextitem, log=False)
        return None
    if "twice" not in item.nodeid: return None
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for turn in range(2):
        for report in runtestprotocol(item, nextitem=nextitem, log=False):
            hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True

@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if "retried" not in pyfuncitem.nodeid: return None
    for turn in range(3):
        try:
            pyfuncitem.obj()
        except Exception:
            continue
        return True
    return True
"""

_TURNING = """
turns = []

@bound
def test_works():
    turns.append(1)
    assert len(turns) {good}, 'a bad turn'
"""
RETRIES = {
    "twice-bad-first": _TURNING.format(good="> 1"),
    "twice-bad-last": _TURNING.format(good="< 2"),
    "unreported": _TURNING.format(good="> 1"),
    "retried": _TURNING.format(good="> 1"),
    "retried-always-bad": _TURNING.format(good="> 9"),
}

NEVER_RAN = {
    "async-case": """
        import unittest

        class Works(unittest.TestCase):
            @bound
            async def test_works(self):
                assert False, 'it does not work'
    """,
    "async-plain": """
        class TestWorks:
            @bound
            async def test_works(self):
                assert False, 'it does not work'
    """,
    "generator-case": """
        import unittest

        class Works(unittest.TestCase):
            @bound
            def test_works(self):
                assert False, 'it does not work'
                yield
    """,
    "wrapped-case": """
        import functools, unittest

        def same(method):
            @functools.wraps(method)
            def call(*given): return method(*given)
            return call

        class Works(unittest.TestCase):
            @bound
            @same
            async def test_works(self):
                assert False, 'it does not work'
    """,
    "async-asyncio-case": """
        import unittest

        class Works(unittest.IsolatedAsyncioTestCase):
            @bound
            async def test_works(self):
                assert False, 'it does not work'
    """,
    "async-asyncio-good": """
        import unittest

        class Works(unittest.IsolatedAsyncioTestCase):
            @bound
            async def test_works(self):
                pass
    """,
}
