"""Scenarios run once per run and phase; effects are refused where they are not allowed."""

from __future__ import annotations

import pytest

from tests.session.project import Project
from tests.words import told

CONFTEST = """\
import pytest
from pytest_rollout import scenario


@scenario(effect="{effect}")
def work(phase, observe):
    with open("worked.txt", "a") as log:
        log.write(phase.id + "\\n")
    for number in range(3):
        observe("errors", 0, at=number)
    {end} 7
"""

TESTS = """\
import pytest

pytestmark = pytest.mark.canary


@pytest.mark.criterion("ready")
def test_ready():
    pass


@pytest.mark.criterion("works")
@pytest.mark.parametrize("part", ["a", "b"])
def test_works(work, part):
    assert work == 7


@pytest.mark.criterion("nice")
def test_nice(work):
    pass


@pytest.mark.criterion("errors")
def test_errors(work):
    pass
"""

PLAN_ENVIRONMENTS = """\
environments:
  staging: {allow: [change]}
  prod: {allow: [observe]}
phases:
"""


@pytest.fixture
def working(project: Project) -> Project:
    """A project whose tests read one scenario."""
    project.tests(TESTS)
    project.write("suites/demo/conftest.py", CONFTEST.format(effect="change", end="return"))
    project.change("phases:\n", PLAN_ENVIRONMENTS, "suites/demo/rollout.yaml")
    return project


def worked(project: Project) -> list[str]:
    """The phases for which the scenario's work was done."""
    path = project.root / "worked.txt"
    return path.read_text().split() if path.exists() else []


@pytest.mark.parametrize("end", ["return", "yield"])
def test_a_scenario_runs_once(working: Project, how: list[str], end: str) -> None:
    working.write("suites/demo/conftest.py", CONFTEST.format(effect="change", end=end))
    assert working.run("-m", "canary", *how).ret == 0
    assert worked(working) == ["demo.canary"]


def test_what_a_scenario_observes_carries_its_name(working: Project) -> None:
    working.change(
        "need: 3", "need: 3\n        where: {scenario: work}", "suites/demo/rollout.yaml"
    )
    assert working.run("-m", "canary").ret == 0


def test_each_phase_has_its_own(working: Project, how: list[str]) -> None:
    later = "  - id: later\n    criteria: [{id: works-too, kind: demo}]\n"
    text = (working.root / "suites/demo/rollout.yaml").read_text()
    working.plan(text + later)
    working.tests(
        "import pytest\n\n@pytest.mark.later\n@pytest.mark.criterion('works-too')\n"
        "def test_works_too(work): pass\n",
        "demo/test_later.py",
    )
    working.run("-m", "demo", *how)
    assert sorted(worked(working)) == ["demo.canary", "demo.later"]


REFUSED = {
    "not begun": ("change", "staging", "demo.canary has not begun"),
    "not allowed": ("change", "prod", "the environment does not allow it"),
    "disrupting": ("disrupt", "staging", "the environment does not allow it"),
}


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize("asked", [True, False], ids=["asked", "not asked"])
def test_an_effect_is_refused_before_it_happens(working: Project, what: str, asked: bool) -> None:
    effect, environment, why = REFUSED[what]
    working.write("suites/demo/conftest.py", CONFTEST.format(effect=effect, end="return"))
    arguments = ["-m", "canary", "--rollout-gate", "exit"] if asked else ["-k", "works"]
    result = working.run(*arguments, "--rollout-env", environment)
    assert worked(working) == []
    assert result.ret == (11 if asked else 1)
    result.stdout.fnmatch_lines([f"*work has effect {effect}, refused in {environment}: {why}*"])
    assert "Traceback" not in result.stdout.str()


def test_a_check_may_declare_its_own_effect(working: Project) -> None:
    working.change("def test_ready():", '@pytest.mark.effect("change")\ndef test_ready():')
    result = working.run("-m", "canary", "--rollout-env", "staging")
    assert result.ret == 11
    decision = working.decision("entry", environment="staging")
    assert "refused in staging" in told(decision["reasons"])[0]


def test_elsewhere_the_next_gate_is_decided(working: Project, how: list[str]) -> None:
    result = working.run("-m", "canary", "--rollout-env", "staging", *how)
    assert result.ret == 0
    assert worked(working) == []
    assert result.outlines[-1] == "GO: demo.canary/entry GO"
    note = "note: 4 checks of demo.canary/exit left out: this run does not decide it"
    result.stdout.fnmatch_lines([note])


def test_interleaved_phases_are_put_in_order(working: Project) -> None:
    later = "  - id: later\n    criteria: [{id: works-too, kind: demo}]\n"
    text = (working.root / "suites/demo/rollout.yaml").read_text()
    working.plan(text + later)
    working.tests(
        TESTS.replace("pytestmark = pytest.mark.canary\n", "").replace(
            '@pytest.mark.criterion("nice")',
            '@pytest.mark.criterion("works-too")\ndef test_between(work): pass\n\n\n'
            '@pytest.mark.criterion("nice")',
        )
    )
    working.run("-m", "demo")
    assert worked(working) == ["demo.canary", "demo.later"]


def test_what_checks_do_at_worst_is_said_before_the_first(working: Project) -> None:
    result = working.run("-m", "canary")
    result.stdout.fnmatch_lines(["rollout: checks of demo.canary change", "*test_canary.py*"])
