"""What would be published: it passes the checks of those who take it, and holds what it should."""

from __future__ import annotations

import json
import subprocess
import tarfile
import zipfile
from email.parser import Parser
from fnmatch import fnmatch

import pytest

from tests.packaging.conftest import ROOT, TOOLS, Distributions, said

pytestmark = [pytest.mark.slow, pytest.mark.nightly]

# Of the repository, not of a source distribution.
LEFT_OUT = (".gitignore",)
MADE = ("PKG-INFO", "setup.cfg", "pytest_rollout.egg-info/*")


def _tracked() -> set[str]:
    command = ["git", "ls-files"]
    return set(subprocess.check_output(command, cwd=ROOT, text=True).splitlines())


def test_both_pass_what_an_index_checks(distributions: Distributions) -> None:
    said([TOOLS / "twine", "check", "--strict", distributions.wheel, distributions.source])


def test_the_wheel_passes_check_wheel_contents(distributions: Distributions) -> None:
    said([TOOLS / "check-wheel-contents", distributions.wheel])


def test_the_project_file_is_valid() -> None:
    said([TOOLS / "validate-pyproject", "pyproject.toml"])


def test_the_checks_of_scientific_python_pass() -> None:
    shown = said([TOOLS / "repo-review", ".", "--format=json"])
    failed = {name for name, one in json.loads(shown)["checks"].items() if one["result"] is False}
    assert failed == set()


def test_the_wheel_holds_the_package_and_nothing_else(distributions: Distributions) -> None:
    with zipfile.ZipFile(distributions.wheel) as wheel:
        names = set(wheel.namelist())
    package = {name for name in names if name.startswith("pytest_rollout/")}
    assert package == {name for name in _tracked() if name.startswith("pytest_rollout/")}
    beside = {name.partition("/")[2] for name in names - package}
    stated = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "top_level.txt"}
    assert beside == {*stated, "licenses/LICENSE"}


def test_the_source_holds_what_stands_in_the_repository(distributions: Distributions) -> None:
    with tarfile.open(distributions.source) as source:
        files = [one.name for one in source.getmembers() if one.isfile()]
    names = {name.partition("/")[2] for name in files}
    made = {name for name in names if any(fnmatch(name, pattern) for pattern in MADE)}
    assert names - made == _tracked() - set(LEFT_OUT)


def test_what_an_index_shows(distributions: Distributions) -> None:
    with zipfile.ZipFile(distributions.wheel) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
        shown = Parser().parsestr(wheel.read(name).decode())
    assert (shown["License-Expression"], shown["Author"]) == ("MIT", "The pytest-rollout founders")
    assert shown["Requires-Python"] == ">=3.11"
    classifiers = shown.get_all("Classifier", [])
    assert [
        one.rpartition(" ")[2]
        for one in classifiers
        if one.startswith("Programming") and "3." in one
    ] == ["3.11", "3.12", "3.13", "3.14"]
    assert "Typing :: Typed" in classifiers
    needs = [one for one in shown.get_all("Requires-Dist", []) if "extra ==" not in one]
    names = sorted(one.partition(">")[0] for one in needs)
    assert names == ["Jinja2", "PyYAML", "click", "httpx", "pytest", "tzdata"]
