"""A command loads what it needs: most of what a short one costs is Python loading modules."""

from __future__ import annotations

import subprocess
import sys

import pytest

_LOADED = """
import sys
from contextlib import suppress
from pytest_rollout.cli import main
with suppress(SystemExit):
    main({arguments!r})
print(*sys.modules)
"""
_ROOMS = ("calendar", "plan.load", "evidence", "judge", "signoff", "session", "report.sentences")


def loaded(*arguments: str) -> set[str]:
    """The modules that are loaded once a command has ended."""
    code = _LOADED.format(arguments=list(arguments))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_help_loads_no_verb_and_nothing_of_plans_or_evidence() -> None:
    assert not {f"pytest_rollout.{room}" for room in _ROOMS} & loaded("--help")


@pytest.mark.parametrize("verb", ["clear", "status", "explain"])
def test_a_verb_loads_no_library_before_it_needs_one(verb: str) -> None:
    libraries = {"pytest", "httpx", "jinja2", "locust", "rich"}
    assert not libraries & loaded(verb, "--help")


def test_a_clearance_loads_nothing_that_draws_a_decision() -> None:
    drawing = ("report.terminal", "report.text", "report.mutation", "report.advice", "model.story")
    assert not {f"pytest_rollout.{module}" for module in drawing} & loaded("clear", "--help")
