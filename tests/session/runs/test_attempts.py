"""What counts as an attempt of a check: its subtests are none, and the worst attempt is judged."""

from __future__ import annotations

import pytest

from tests.session.project import Project
from tests.session.runs.variations import command, vary

Workers = tuple[str, ...]

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


def test_a_failed_subtest_fails_its_check_also_under_reruns(
    project: Project, workers: Workers
) -> None:
    vary(project, SUBTESTS)
    assert project.run("-m", "canary", "--reruns", "1", *workers).ret == 10
    verdicts = project.verdicts()
    assert {slug: verdicts[slug] for slug in SUBTESTS} == {
        "unit": "fail",
        "flaky": "fail",
        "error": "error",
        "plain": "fail",
        "skipped": "missing",
        "partly": "missing",
    }
    for slug in ("unit", "flaky", "error", "plain"):
        assert "one is two" in project.reason(slug)
        assert "attempt" not in project.reason(slug)
    assert verdicts["fine"] == "pass"


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


def test_a_rerun_with_subtests_is_one_more_attempt(project: Project, workers: Workers) -> None:
    vary(project, TURNS)
    assert project.run("-m", "canary", *workers).ret == 0
    (condition,) = project.decision()["conditions"]
    assert "passed only at attempt 2" in condition["reason"]["text"]


TWICE = """
import pytest
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
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
    "retried": _TURNING.format(good="> 1"),
    "retried-always-bad": _TURNING.format(good="> 9"),
}


def test_the_worst_attempt_counts_and_a_pass_after_it_is_a_condition(
    project: Project, workers: Workers
) -> None:
    vary(project, RETRIES)
    project.write("conftest.py", TWICE)
    project.run("-m", "canary", *workers)
    verdicts = project.verdicts()
    assert verdicts["retried-always-bad"] == "fail"
    assert verdicts["twice-bad-last"] == "fail"
    for slug in ("twice-bad-first", "retried"):
        assert verdicts[slug] != "pass" or "attempt 2" in project.reason(slug)
    assert verdicts["fine"] == "pass"


def test_a_retry_that_passes_in_the_end_shows_its_bad_turn(
    project: Project, workers: Workers
) -> None:
    bad_first = {slug: RETRIES[slug] for slug in ("twice-bad-first", "retried")}
    vary(project, bad_first)
    project.write("conftest.py", TWICE)
    project.run("-m", "canary", *workers)
    decision = project.decision()
    said = str([decision["conditions"], decision["criteria"]])
    assert "a bad turn" in said
    for slug in bad_first:
        seen = [one for one in decision["conditions"] if one["id"].endswith(f".{slug}")]
        assert seen or project.verdicts()[slug] == "fail"


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
}


def test_a_body_that_never_ran_is_missing(project: Project, workers: Workers) -> None:
    vary(project, NEVER_RAN)
    project.run("-m", "canary", "-W", "ignore", *workers)
    verdicts = project.verdicts()
    assert verdicts["async-asyncio-case"] == "fail"
    assert verdicts["async-case"] == "missing"
    for slug in ("async-plain", "generator-case", "wrapped-case"):
        assert verdicts[slug] in ("missing", "error", "fail"), slug
    assert command(project, "clear", "demo.canary")[0] == 10


def test_an_async_case_that_is_run_is_evidence(project: Project) -> None:
    good = NEVER_RAN["async-asyncio-case"].replace("assert False, 'it does not work'", "pass")
    vary(project, {"runs": good})
    assert project.run("-m", "canary").ret == pytest.ExitCode.OK
