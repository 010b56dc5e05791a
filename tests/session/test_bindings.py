"""Checks that silently stop being collected are missed, once a reviewed list names them."""

from __future__ import annotations

import pytest

from tests.session.project import Project

LIST = "suites/demo/bindings.txt"


@pytest.fixture(scope="module")
def written() -> list[str]:
    """The list that the command wrote for the project; empty until it did."""
    return []


@pytest.fixture
def listed(project: Project, written: list[str]) -> Project:
    """A project whose bindings were written down; the command is asked once."""
    if written:
        project.write(LIST, written[0])
    else:
        assert project.rollout("check", "--write-bindings").ret == 0
        written.append((project.root / LIST).read_text(encoding="utf-8"))
    return project


def test_the_list_names_each_check_of_each_criterion(listed: Project) -> None:
    lines = (listed.root / "suites/demo/bindings.txt").read_text().splitlines()
    assert lines[1:] == [
        "demo.canary.errors test_canary.py::test_errors",
        "demo.canary.nice test_canary.py::test_nice",
        "demo.canary.ready test_canary.py::test_ready",
        "demo.canary.works test_canary.py::test_works[a]",
        "demo.canary.works test_canary.py::test_works[b]",
    ]


def test_a_list_that_is_met_changes_nothing(listed: Project, how: list[str]) -> None:
    result = listed.run("-m", "canary", *how)
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*bindings.txt*")
    assert listed.rollout("check").ret == 0


GONE = {
    "a parameter is dropped": ('["a", "b"]', '["a"]'),
    "a function is renamed": ("def test_works", "def check_works"),
    "a function is shadowed": (
        "def test_nice():",
        "def test_works():\n    pass\n\ndef test_nice():",
    ),
    "the module is no test": ("pytestmark =", "__test__ = False\npytestmark ="),
    "an empty parameter set": ('["a", "b"]', "[]"),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", GONE)
def test_a_listed_check_that_is_not_collected_is_missing(
    listed: Project, how: list[str], what: str
) -> None:
    listed.change(*GONE[what])
    assert listed.run("-m", "canary", *how).ret == 11
    assert listed.verdicts()["works"] == "missing"
    assert "listed in bindings.txt, but not collected" in listed.reason("works")
    assert listed.rollout("check").ret == 4


def test_a_renamed_file_and_a_class_with_a_constructor(listed: Project) -> None:
    (listed.root / "suites/demo/test_canary.py").rename(listed.root / "suites/demo/canary.py")
    assert listed.run("-m", "canary").ret == 11
    assert set(listed.verdicts().values()) == {"missing"}


def test_a_check_that_is_not_listed_is_remarked_on(listed: Project) -> None:
    listed.change('["a", "b"]', '["a", "b", "c"]')
    result = listed.run("-m", "canary")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["note: demo.canary.works: *test_works[[]c[]] is not in bindings.txt"]
    )


def test_a_broken_list_is_one_clear_message(listed: Project, how: list[str]) -> None:
    listed.write("suites/demo/bindings.txt", "demo.canary.works\n")
    result = listed.run("-m", "canary", *how)
    assert result.ret == 4
    output = result.stdout.str() + result.stderr.str()
    assert "bindings.txt:1: 'demo.canary.works' is no binding" in output
    assert "Traceback" not in output
    assert listed.rollout("check").ret == 4
