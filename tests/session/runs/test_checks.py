"""What one run, plain and with two workers, says of checks that bare pytest passes or miscounts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.session.project import INI, Project
from tests.session.runs.attempts import NEVER_RAN, RETRIES, SUBTESTS, TURNS, TWICE
from tests.session.runs.beside import LOOKED_AT, OUTSIDE
from tests.session.runs.observing import DISTRIBUTIONS, LOST, RATIO, rule
from tests.session.runs.variations import QUICK, vary

_WHEN = "kind: demo, when: {configured: NOPE_X}"
_BODY = "@bound\ndef test_works():\n    {}\n"
CONFIGURED = {
    "not-configured-fails": _BODY.format("assert False, 'no'"),
    "not-configured-breaks": _BODY.format("raise KeyError('NOPE_X')"),
    "not-configured-skipped": _BODY.format("pytest.skip('no key')"),
    "not-configured-passes": _BODY.format("pass"),
}
OBSERVED = {**LOST, **DISTRIBUTIONS, "half-of-a-ratio": RATIO}
STATED = {slug: rule(slug) for slug in OBSERVED} | dict.fromkeys(CONFIGURED, _WHEN)


class Ran(Project):
    """A project that was run once, in a process of its own."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def root(self) -> Path:
        """Its folder."""
        return self._root


@pytest.fixture(scope="module", params=[(), ("-n2",)], ids=["plain", "n2"])
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """One run of all variations, with reruns and without warnings."""
    project = Ran(tmp_path_factory.mktemp("ran"))
    project.write("pytest.ini", INI + QUICK)
    bodies = {**SUBTESTS, **TURNS, **RETRIES, **NEVER_RAN, **OUTSIDE, **LOOKED_AT}
    vary(project, {**bodies, **OBSERVED, **CONFIGURED}, stated=STATED)
    project.write("conftest.py", TWICE)
    command = [sys.executable, "-m", "pytest", "-m", "canary", "--reruns=1", "-W", "ignore"]
    done = subprocess.run(
        [*command, *request.param], cwd=project.root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 10, done.stdout
    assert "INTERNALERROR" not in done.stdout
    return project


def verdicts(ran: Ran, slugs: object) -> dict[str, str]:
    """The verdicts of some criteria."""
    found = ran.verdicts()
    return {slug: found[slug] for slug in slugs}  # type: ignore[attr-defined]


def test_a_failed_subtest_fails_its_check_also_under_reruns(ran: Ran) -> None:
    assert verdicts(ran, SUBTESTS) == {
        "unit": "fail",
        "flaky": "fail",
        "error": "error",
        "plain": "fail",
        "skipped": "missing",
        "partly": "missing",
    }
    for slug in ("unit", "flaky", "error", "plain"):
        assert "one is two" in ran.reason(slug)
        assert "attempt" not in ran.reason(slug)
    assert verdicts(ran, ["fine"]) == {"fine": "pass"}


def test_a_rerun_with_subtests_is_one_more_attempt(ran: Ran) -> None:
    assert verdicts(ran, TURNS) == {"second": "warn"}
    assert "passed only at attempt 2" in ran.reason("second")


def test_the_worst_attempt_counts_and_a_pass_after_it_is_a_condition(ran: Ran) -> None:
    found = verdicts(ran, RETRIES)
    assert found["retried-always-bad"] == found["twice-bad-last"] == "fail"
    for slug in ("twice-bad-first", "retried", "unreported"):
        assert found[slug] == "warn"
        assert "a bad turn" in ran.reason(slug)


def test_a_body_that_never_ran_is_no_pass(ran: Ran) -> None:
    found = verdicts(ran, NEVER_RAN)
    assert found["async-asyncio-case"] == "fail"
    assert found["async-asyncio-good"] == "pass"
    assert found["async-case"] == "missing"
    assert "its body did not run" in ran.reason("async-case")
    for slug in ("async-plain", "generator-case", "wrapped-case"):
        assert found[slug] in ("missing", "error", "fail"), slug


def test_what_fails_elsewhere_is_an_error_of_its_check(ran: Ran) -> None:
    assert verdicts(ran, OUTSIDE) == dict.fromkeys(OUTSIDE, "error")
    for slug in ("pool-unread", "pool-kept", "hook-replaced", "hook-replaced-in-body"):
        assert "ZeroDivisionError" in ran.reason(slug)
    assert "exit code 1" in ran.reason("process")
    for slug in ("thread-later", "timer-later"):
        assert "late" in ran.reason(slug)
        assert "after its end" in ran.reason(slug)


def test_what_somebody_looks_at_is_not(ran: Ran) -> None:
    assert verdicts(ran, LOOKED_AT) == dict.fromkeys(LOOKED_AT, "pass")


def test_what_a_child_observes_is_never_lost_in_silence(ran: Ran) -> None:
    assert verdicts(ran, LOST) == dict.fromkeys(LOST, "error")
    for slug in LOST:
        assert "observed in a child process" in ran.reason(slug)


def test_counts_of_a_distribution_are_whole(ran: Ran) -> None:
    expected = {**dict.fromkeys(DISTRIBUTIONS, "error"), "whole": "pass"}
    assert verdicts(ran, DISTRIBUTIONS) == expected
    assert "0.9" in ran.reason("halves")
    assert verdicts(ran, ["half-of-a-ratio"]) == {"half-of-a-ratio": "error"}


def test_a_failed_check_is_not_taken_for_one_that_does_not_apply(ran: Ran) -> None:
    assert verdicts(ran, CONFIGURED) == {
        "not-configured-fails": "fail",
        "not-configured-breaks": "error",
        "not-configured-skipped": "not_applicable",
        "not-configured-passes": "not_applicable",
    }
    assert "NOPE_X is not configured" in ran.reason("not-configured-fails")
