"""Bad input gets one clear message, with file, line, rule and fix; exit status 4."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.session.project import PLAN, Project

PLAN_FILE = "suites/demo/rollout.yaml"

OFFENCES = {
    "a misspelt criterion": (
        "suites/demo/test_canary.py",
        'criterion("works")',
        'criterion("wroks")',
        ["test_canary.py:1*unknown criterion 'wroks'*did you mean `works`?*"],
    ),
    "an unknown phase": (
        PLAN_FILE,
        "owners: [sre]",
        "requires: [cannary]",
        [f"*{PLAN_FILE}:5: phase canary requires unknown phase `cannary` (did you mean*"],
    ),
    "a broken threshold": (
        PLAN_FILE,
        'pass: "<= 0"',
        'pass: ">> 3"',
        [f"*{PLAN_FILE}:15: *'>> 3' is no threshold; write*"],
    ),
    "a duplicate key": (
        PLAN_FILE,
        "        take: sum\n",
        "        take: sum\n        take: max\n",
        [f"*{PLAN_FILE}:15: duplicate key `take`, first used at line 14*"],
    ),
    "a tab": (PLAN_FILE, "        take", "\ttake", [f"*{PLAN_FILE}:14: a tab*"]),
    "an empty file": (PLAN_FILE, PLAN, "", [f"*{PLAN_FILE}:1: the file is empty*"]),
    "groups that nobody names": (
        PLAN_FILE,
        "        take: sum",
        "        each: lane\n        take: sum",
        [f"*{PLAN_FILE}:14: *`each` does not say which groups*each: {{lane: [[]A, B[]]}}*"],
    ),
    "a criterion of another phase": (
        PLAN_FILE,
        "  - id: canary",
        "  - {id: later, criteria: [{id: x, kind: demo}]}\n  - id: canary",
        [],
    ),
}


@pytest.mark.parametrize("what", [name for name in OFFENCES if OFFENCES[name][3]])
def test_one_clear_message(project: Project, how: list[str], what: str) -> None:
    file, old, new, expected = OFFENCES[what]
    project.change(old, new, file)
    result = project.run("-m", "canary", *how)
    assert result.ret == 4
    errors = [line for line in result.errlines if line.startswith("ERROR: ")]
    assert len(errors) == 1
    result.stderr.fnmatch_lines(
        [f"ERROR: {line.lstrip('*')}" if line[0] == "*" else f"ERROR: *{line}" for line in expected]
    )
    output = result.stdout.str() + result.stderr.str()
    assert "Traceback" not in output
    assert "INTERNALERROR" not in output
    assert not (project.root / "rollout-report").exists()


def test_every_offence_is_told_at_once(project: Project, how: list[str]) -> None:
    project.change('criterion("works")', 'criterion("wroks")')
    project.change('criterion("nice")', 'criterion("niec")')
    project.change('pass: "<= 0"', 'pass: ">> 3"', PLAN_FILE)
    project.change("owners: [sre]", "requires: [cannary]", PLAN_FILE)
    result = project.run("-m", "canary", *how)
    assert result.ret == 4
    errors = "\n".join(line for line in result.errlines if line.startswith("ERROR: "))
    for word in ("wroks", "niec", ">> 3", "cannary"):
        assert word in errors


def test_a_broken_plan_that_was_not_asked_is_a_remark(project: Project, how: list[str]) -> None:
    project.plan("plan: other\nphases: [{id: week, requires: [none]}]\n", "other")
    result = project.run("-m", "canary", *how)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["rollout: suites/other/rollout.yaml:2: *(not asked)"])
    assert project.run("-m", "week", *how).ret == 4


def test_a_broken_plan_leaves_plain_runs_alone(project: Project) -> None:
    project.plan("")
    result = project.run("-k", "ready")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["rollout: suites/demo/rollout.yaml:1: the file is empty*"])


def test_a_module_that_breaks_counts_against_its_own_plan(project: Project, how: list[str]) -> None:
    project.tests("import nothing_of_that_name\n", "demo/test_more.py")
    result = project.run("-m", "canary", *how)
    assert result.ret == 11
    assert "nothing_of_that_name" in project.reasons()[0]


def test_a_module_of_a_plan_that_was_not_asked_is_a_remark(
    project: Project, how: list[str]
) -> None:
    project.plan("plan: other\nphases: [{id: week}]\n", "other")
    project.tests("import nothing_of_that_name\n", "other/test_more.py")
    result = project.run("-m", "canary", *how)
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*nothing_of_that_name*")
    result = project.run("-m", "canary or slow", *how)  # which may select tests of any folder
    assert result.ret == 0
    result.stdout.fnmatch_lines(["note: *nothing_of_that_name*was not asked*"])


def test_a_criterion_of_another_phase(project: Project) -> None:
    later = "  - {id: later, criteria: [{id: x, kind: demo}]}\n  - id: canary"
    project.change("  - id: canary", later, PLAN_FILE)
    project.change('criterion("works")', 'criterion("x")')
    result = project.run("-m", "canary")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*criterion 'x' belongs to later, the test is marked canary*"])


def test_a_test_without_a_phase_mark_is_bound_by_its_criterion(project: Project) -> None:
    project.change("pytestmark = pytest.mark.canary\n", "")
    assert project.run("-m", "canary").ret == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--rollout-phase", "demo.cannary"],
            "*unknown `demo.cannary` (did you mean `demo.canary`*",
        ),
        (["-m", "canary", "--rollout-env", "prod"], "*no environment `prod`*"),
        (["-m", "canary", "--rollout-fault", "x"], "*--rollout-fault: unknown `x`*"),
        (["-m", "canary", "--rollout-fault", "x:y"], "*'y' in 'x:y' is not key=value*"),
        (["-m", "canary", "--rollout-gate", "middle"], "*invalid choice*"),
        (["-m", "canary", "--rollout-ledger", "suites"], "*the ledger * cannot be used*"),
    ],
)
def test_wrong_options(project: Project, arguments: list[str], message: str) -> None:
    result = project.run(*arguments)
    assert result.ret == 4
    result.stderr.fnmatch_lines([message])
    assert "Traceback" not in result.stderr.str()


@pytest.mark.parametrize("option", ["--rollout-ledger", "--rollout-report"])
def test_a_path_that_would_move_the_root_of_the_project(
    project: Project, option: str, tmp_path: Path
) -> None:
    away = tmp_path / "elsewhere"
    away.mkdir()
    result = project.run("-m", "canary", option, str(away / "there"))
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"*write {option}={away}*"])
    assert project.run("-m", "canary", f"{option}={away / 'there'}").ret == 0
    assert project.run("suites", "-m", "canary", option, str(away / "more")).ret == 0


def test_options_without_a_plan(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest("--rollout-env", "prod")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*--rollout-env: no rollout plan was found*"])


def test_the_address_of_another_database(project: Project) -> None:
    result = project.run("-m", "canary", "--rollout-ledger=mysql://bob:open@db/ledger")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    says = "*: no store for mysql:// is installed; a ledger is a file (write a path*"
    result.stderr.fnmatch_lines([says.replace("*: ", "*", 1)])
    assert "open@" not in result.stderr.str() + result.stdout.str()
