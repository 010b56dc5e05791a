"""The rules by which tests are slow or nightly, and that the commands go by them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import tiers
from tests.session.project import INI

ROOT = Path(__file__).parents[1]
CONFTEST = """\
from tests import tiers


def pytest_collection_modifyitems(items):
    tiers.mark(items)
"""
WORKERS = """\
import pytest


@pytest.mark.parametrize("how", [[], ["-n2"]], ids=["plain", "n2"])
def test_both_ways(how): ...


@pytest.mark.quick
@pytest.mark.parametrize("mode", ["plain", "-n2"])
def test_kept(mode): ...


@pytest.mark.slow
@pytest.mark.parametrize("how", [[], ["-n2"]], ids=["plain", "n2"])
@pytest.mark.parametrize("what", ["a", "b"])
def test_twice(how, what): ...


def test_word(run=print):
    run("-m", "canary", "-n2")


@pytest.mark.slow
def test_marked(): ...


def test_plain(): ...
"""
REHEARSALS = """\
import pytest
from tests.plms.rehearsal import rehearse


@pytest.mark.quick
def test_healthy(): ...


@pytest.mark.parametrize("fault", ["first", "second", "third"])
def test_fault(fault): ...


@pytest.mark.nightly
def test_whole_plan(): ...


def test_part(): ...
"""
MARKERS = "markers =\n  slow: s\n  quick: q\n  nightly: n\n"


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project whose tests are marked by the rules."""
    pytester.makeini(INI + MARKERS)
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_workers=WORKERS, test_rehearsals=REHEARSALS)
    return pytester


def chosen(project: pytest.Pytester, expression: str) -> set[str]:
    """Return the names of the tests that an expression chooses."""
    result = project.runpytest("--collect-only", "-q", "-m", expression)
    return {line.partition("::")[2] for line in result.outlines if "::" in line}


def test_the_quick_ones(project: pytest.Pytester) -> None:
    assert chosen(project, "not slow") == {
        *("test_both_ways[plain]", "test_kept[plain]", "test_kept[-n2]", "test_plain"),
        "test_healthy",
    }


def test_those_of_every_change(project: pytest.Pytester) -> None:
    assert chosen(project, "slow and not nightly") == {
        *("test_both_ways[n2]", "test_word", "test_marked", "test_fault[first]", "test_part"),
        *("test_twice[a-plain]", "test_twice[a-n2]", "test_twice[b-plain]"),
    }


def test_those_of_the_night(project: pytest.Pytester) -> None:
    nightly = {"test_fault[second]", "test_fault[third]", "test_whole_plan", "test_twice[b-n2]"}
    assert chosen(project, "nightly") == nightly
    assert chosen(project, "nightly and not slow") == set()


def test_every_change_and_the_night_are_all_there_is() -> None:
    command = (ROOT / "tests/run").read_text(encoding="utf-8")
    assert '-m "not nightly"' in command
    assert "-mnightly" in (ROOT / "tests/nightly.py").read_text(encoding="utf-8")
    assert "exec bash tests/run" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_each_room_has_quick_tests(request: pytest.FixtureRequest) -> None:
    files = {item.nodeid.partition("::")[0] for item in request.session.items}
    rooms = {path.relative_to(ROOT).parts[1] for path in ROOT.glob("tests/*/**/test_*.py")}
    if not {file.split("/")[1] for file in files} >= rooms:
        pytest.skip("this run collected only some of the rooms")
    quick = [item for item in request.session.items if not item.get_closest_marker("slow")]
    played_whole = {"story"}  # each of its tests is a day of a phase
    assert {item.nodeid.split("/")[1] for item in quick} >= rooms - played_whole


def test_the_modules_that_are_listed_as_slow_exist() -> None:
    missing = [name for name in tiers._SLOW_MODULES if not (tiers._TESTS / name).is_file()]
    assert missing == []
