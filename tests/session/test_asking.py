"""Which runs ask for a decision, and which leave pytest alone."""

from __future__ import annotations

import pytest

from pytest_rollout.plan.load import parse
from pytest_rollout.session.asking import asked_phases
from tests.session.project import PLAN, TESTS, Project

PLANS = """\
plan: one
phases: [{id: day3}, {id: day4}, {id: pre-flight}, {id: canary, marks: [canary, week1]}]
"""
OTHER = "plan: two\nphases: [{id: canary}, {id: done}]\n"


def asked(expression: str, *named: str) -> list[str]:
    from pathlib import Path

    loaded = [parse(text, Path("s/x/rollout.yaml"), "x") for text in (PLANS, OTHER)]
    plans = [one.plan for one in loaded if one.plan]
    return [f"{plan.id}.{phase.id}" for plan, phase in asked_phases(plans, expression, named)]


@pytest.mark.parametrize(
    ("expression", "phases"),
    [
        ("", []),
        ("slow", []),
        ("not slow", []),
        ("not day3", []),
        ("not (day3 or slow)", []),
        ("not a or not b or not c", []),
        ("day3", ["one.day3"]),
        ("day3 and not slow", ["one.day3"]),
        ("day3 or smoke", ["one.day3"]),
        ("day3 or not slow", ["one.day3"]),
        ("pre_flight", ["one.pre-flight"]),
        ("week1", ["one.canary"]),
        ("canary", ["one.canary", "two.canary"]),
        ("two and canary", ["two.canary"]),
        ("one and not day3", ["one.day4", "one.pre-flight", "one.canary"]),
        ("two", ["two.canary", "two.done"]),
        ("day3 and done", []),
        ("day3 and (", []),
    ],
)
def test_a_phase_is_asked_where_its_marks_make_the_difference(
    expression: str, phases: list[str]
) -> None:
    assert asked(expression) == phases


def test_many_free_names_are_still_answered() -> None:
    free = " or ".join(f"name{number}" for number in range(60))
    assert asked(f"day3 and ({free})") == ["one.day3"]
    assert asked(free) == []


def test_a_phase_can_be_asked_by_name() -> None:
    assert asked("", "one.day4", "two") == ["one.day4", "two.canary", "two.done"]


NOTHING_ASKED = [
    [],
    ["-m", "not slow"],
    ["suites/demo/test_canary.py::test_ready"],
    ["-k", "works"],
    ["suites"],
]


@pytest.mark.parametrize("arguments", NOTHING_ASKED, ids=" ".join)
@pytest.mark.parametrize("parallel", [[], ["-n2"]], ids=["plain", "n2"])
def test_nothing_asked_decides_and_stores_nothing(
    project: Project, arguments: list[str], parallel: list[str]
) -> None:
    project.change("def test_ready():\n    pass", "def test_ready():\n    assert False")
    result = project.run(*arguments, *parallel)
    assert result.ret == (0 if "works" in arguments else 1)
    assert not project.stored
    result.stdout.no_fnmatch_line("*rollout: demo*")


LOOKING = ["--collect-only", "--setup-plan", "--setup-only", "--fixtures", "--markers"]


@pytest.mark.parametrize("option", LOOKING)
def test_looking_at_a_phase_stores_nothing_and_is_no_go(project: Project, option: str) -> None:
    result = project.run("-m", "canary", option)
    assert result.ret == 11
    assert result.outlines[-1] == (
        f"rollout: HOLD: demo.canary was asked for, and {option} runs nothing"
    )
    assert not project.stored


@pytest.mark.parametrize("option", LOOKING)
def test_looking_without_asking_is_pytests_own(project: Project, option: str) -> None:
    assert project.run(option).ret == 0
    assert project.run("-m", "not slow", option).ret == 0


def test_nothing_collected_holds(project: Project, how: list[str]) -> None:
    (project.root / "suites/demo/test_canary.py").unlink()
    result = project.run("-m", "canary", *how)
    assert result.ret == 11
    assert set(project.verdicts().values()) == {"missing"}


PARTIAL = {
    "another name": (["-k", "works"], "deselected by -k 'works'"),
    "another mark": (["-m", "canary and slow"], "deselected by -m 'canary and slow'"),
    "a node id": (["suites/demo/test_canary.py::test_works"], "collected only"),
    "a module": (["suites/demo/test_canary.py"], "collected only"),
    "another folder": (["tests"], "collected only"),
    "deselected": (["--deselect", "suites/demo/test_canary.py::test_nice"], "--deselect"),
    "ignored": (["--ignore", "suites/demo/test_canary.py"], "--ignore"),
    "last failed": (["--lf", "-p", "cacheprovider"], "--lf"),
}


@pytest.mark.parametrize("what", PARTIAL)
@pytest.mark.parametrize("parallel", [[], ["-n2"]], ids=["plain", "n2"])
def test_leaving_checks_out_makes_the_run_partial(
    project: Project, what: str, parallel: list[str]
) -> None:
    project.write("tests/test_unit.py", "def test_unit():\n    pass\n")
    project.change("pytestmark", "slow = pytest.mark.slow\npytestmark")
    project.pytester.makeini("[pytest]\nmarkers = slow\n")
    arguments, why = PARTIAL[what]
    result = project.run("-m", "canary", *arguments, *parallel)
    assert result.ret == 11
    decision = project.decision()
    assert decision["decision"] == "HOLD"
    assert why in " ".join(decision["partial"])
    result.stdout.fnmatch_lines(["*partial run:*"])


def test_naming_the_whole_suite_is_not_partial(project: Project) -> None:
    assert project.run("-m", "canary", "suites/demo").ret == 0
    assert project.run("-m", "canary", "suites").ret == 0


def test_items_that_a_conftest_drops_are_missed(project: Project, how: list[str]) -> None:
    project.write(
        "conftest.py",
        """
        def pytest_collection_modifyitems(items):
            items[:] = [item for item in items if "works[b]" not in item.name]
        """,
    )
    assert project.run("-m", "canary", *how).ret == 11
    assert project.verdicts()["works"] == "missing"
    assert "dropped during collection" in project.reason("works")


REAL = PLAN.replace("phases:", "environments: {prod: {}}\nphases:")


def test_a_partial_run_is_no_look(project: Project) -> None:
    project.plan(REAL)
    project.tests(TESTS)
    asked = ("-m", "canary", "--rollout-env", "prod")
    project.run(*asked).stdout.fnmatch_lines(
        ["  1 criterion: 1 pass; 1st evaluation of this release"]
    )
    project.run(*asked, "-k", "works").stdout.fnmatch_lines(["*; not counted"])
    assert project.decision("entry", environment="prod")["looks"] == 1
    project.run(*asked).stdout.fnmatch_lines(["  1 criterion: 1 pass; 2nd evaluation of this *"])
    assert project.decision("entry", environment="prod")["looks"] == 2


def test_a_rehearsal_is_no_look(project: Project) -> None:
    project.plan(REAL)
    project.tests(TESTS)
    for _ in range(2):
        project.run("-m", "canary").stdout.fnmatch_lines(["  3 criteria: 3 pass; a rehearsal"])
        assert project.decision()["looks"] == 0
    project.run("-m", "canary", "--rollout-env", "prod")
    assert project.decision("entry", environment="prod")["looks"] == 1


def test_a_go_after_a_no_names_the_run_that_said_it(project: Project) -> None:
    project.plan(REAL)
    project.tests(TESTS.replace("def test_ready():\n    pass", "def test_ready():\n    assert 0"))
    asked = ("-m", "canary", "--rollout-env", "prod")
    assert project.run(*asked).ret == 10
    first = project.decision("entry", environment="prod")
    assert first["conditions"] == []
    project.tests(TESTS)
    result = project.run(*asked)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            f"  condition: demo.canary.ready is pass: it failed earlier, in run {first['run']}, *",
            "             owed by sre, due at demo.canary/exit",
            "GO: demo.canary/entry GO, with 1 condition",
        ]
    )
    (condition,) = project.decision("entry", environment="prod")["conditions"]
    assert condition["reason"]["code"] == "failed-before"
    (told,) = condition["reason"]["facts"]["runs"]
    assert told["facts"] == {"run": first["run"], "ended": first["decided_at"]}
    again = project.rollout("decide", "demo.canary/entry", "--env", "prod")
    assert again.outlines[-1] == "the same as was decided then, byte for byte"
    explained = project.rollout("explain", "demo.canary.ready", "--env", "prod").stdout
    explained.fnmatch_lines(
        [f"  Condition: it failed earlier, in run {first['run']}, *; sre settles it, by demo.*"]
    )


SHARED = """\
plan: demo
title: Two steps of one name
phases:
  - id: first
    marks: [first, steps]
    owners: [sre]
    criteria:
      - {id: ready, gate: entry, kind: operational, says: The target is ready}
      - {id: works, kind: demo, says: It works}
  - id: second
    marks: [second, steps]
    owners: [sre]
    criteria:
      - {id: ready, gate: entry, kind: operational, says: The target is ready}
      - {id: works, kind: demo, says: It works}
"""
STEP = """\
import pytest

pytestmark = pytest.mark.{phase}


@pytest.mark.criterion("ready")
def test_ready():
    pass


@pytest.mark.criterion("works")
def test_works():
    pass
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mark", "gates"),
    [("first", ["first"]), ("second", ["second"]), ("steps", ["first", "second"])],
)
def test_phases_that_share_a_mark_may_have_criteria_of_one_name(
    project: Project, mark: str, gates: list[str]
) -> None:
    project.write("suites/demo/rollout.yaml", SHARED)
    (project.root / "suites/demo/test_canary.py").unlink()
    for phase in ("first", "second"):
        project.write(f"suites/demo/test_{phase}.py", STEP.format(phase=phase))
    result = project.run("-m", mark)
    assert result.ret == 0
    decided = [f"demo.{phase}/{gate} GO" for phase in gates for gate in ("entry", "exit")]
    result.stdout.fnmatch_lines([f"GO: {', '.join(decided)}"])
