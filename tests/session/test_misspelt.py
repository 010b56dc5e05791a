"""A misspelt mark of a plan is refused, on tests and in `-m`, with any strictness of pytest."""

from __future__ import annotations

import pytest

from tests.session.project import INI, Project

LAX = "-Wignore::pytest.PytestUnknownMarkWarning"  # these tests take a warning for an error
FIX = "did you mean `{}`[?] If not, register it under `markers`*"


def _more(project: Project, mark: str) -> None:
    body = "def test_more():\n    assert False, 'never run'\n"
    text = f"import pytest\n\n\n@pytest.mark.{mark}\n{body}"
    project.write("suites/demo/test_more.py", text)


@pytest.mark.parametrize(
    ("mark", "meant"), [("criterio('works')", "criterion"), ("efect('change')", "effect")]
)
def test_a_misspelt_mark_of_ours_is_refused(project: Project, mark: str, meant: str) -> None:
    _more(project, mark)
    result = project.run("-m", "canary", LAX)
    assert result.ret == 4
    said = f"*suites/demo/test_more.py:4: nobody knows the mark `{mark.partition('(')[0]}` ("
    result.stderr.fnmatch_lines([said + FIX.format(meant)])


def test_a_misspelt_phase_of_a_test_is_refused(project: Project, how: list[str]) -> None:
    _more(project, "canry")
    result = project.run("-m", "canary", LAX, *how)
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*test_more.py:4: *mark `canry` (" + FIX.format("canary")])
    assert "GO" not in result.stdout.str()


@pytest.mark.parametrize("stated", ["addopts", "strict_markers = true", "strict = true"])
def test_a_strict_pytest_gives_no_go_either(project: Project, stated: str) -> None:
    line = "" if stated == "addopts" else f"{stated}\n"
    ini = INI if line else INI.replace("addopts =", "addopts = --strict-markers")
    project.write("pytest.ini", ini + line)
    _more(project, "canry")
    result = project.run("-m", "canary")
    assert result.ret != 0
    assert "GO: " not in result.stdout.str()


def test_a_mark_that_is_registered_is_no_mistake(project: Project) -> None:
    project.write("pytest.ini", f"{INI}markers =\n    canry(why): is a mark of its own\n")
    _more(project, "canry")
    assert project.run("-m", "canary and not canry").ret == 0


def test_a_misspelt_mark_of_a_plan_that_is_not_asked_ends_no_run(project: Project) -> None:
    project.plan("plan: other\nphases: [{id: later}]\n", "other")
    _more(project, "canary")
    (project.root / "suites/demo/test_more.py").rename(project.root / "suites/other/test_more.py")
    project.change("canary", "latr", "suites/other/test_more.py")
    assert project.run("-m", "canary").ret == 0


@pytest.mark.parametrize("stated", ["canry or test_x", "not canry", "canary or canry"])
def test_a_misspelt_phase_in_an_expression_is_refused(project: Project, stated: str) -> None:
    result = project.run("-m", stated)
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"*-m '{stated}': *mark `canry` (" + FIX.format("canary")])
    assert "GO" not in result.stdout.str()


def test_workers_refuse_an_expression_too(project: Project) -> None:
    assert project.run("-m", "canry", "-n2").ret == 4


def test_an_expression_may_name_what_no_plan_has(project: Project) -> None:
    assert project.run("-m", "canary and not slow").ret == 0


@pytest.mark.parametrize(
    ("stated", "asks"),
    [
        ("demo.canary", '`-m "demo and canary"` asks for demo.canary'),
        ("demo.canry/exit", '`-m "demo and canary"` asks for demo.canary'),
        ("other.later", "`-m later` asks for other.later"),
    ],
)
def test_the_full_name_of_a_phase_is_no_mark(project: Project, stated: str, asks: str) -> None:
    project.plan("plan: other\nphases: [{id: canary}, {id: later}]\n", "other")
    result = project.run("-m", stated, "--strict-markers")
    assert result.ret == 4
    said = f"*-m '{stated}': no mark holds a dot, so none is `{stated}` ({asks})*"
    result.stderr.fnmatch_lines([said])
    assert "Unknown marker" not in result.stderr.str()


def test_a_misspelt_mark_is_refused_before_any_test_is_imported(project: Project) -> None:
    project.write("suites/demo/test_more.py", "raise SystemExit('too far')\n")
    for stated, meant in (("cnaary", "canary"), ("CANARY", "canary")):
        result = project.run("-m", stated, "--strict-markers")
        assert result.ret == 4
        result.stderr.fnmatch_lines([f"*mark `{stated}` (" + FIX.format(meant)])
        assert "too far" not in result.stdout.str() + result.stderr.str()


def test_a_mark_that_nobody_knows_is_told_before_tests_are_collected(project: Project) -> None:
    project.write("pytest.ini", f"{INI}markers =\n    known: is a mark of the project\n")
    result = project.run("-m", "known or wholly_else")
    said = "rollout: no gate is asked: *mark `wholly_else`, and no plan has it (phases: -m canary)"
    result.stdout.fnmatch_lines([said, "collected *"], consecutive=False)
    assert result.ret == 5
    for fine in ("known", "not wholly_else", "canary and wholly_else"):
        assert "nobody has registered" not in project.run("-m", fine).stdout.str()
