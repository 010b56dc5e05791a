"""Hostile texts from suites: no worker dies of them, no terminal is driven, no path is left."""

from __future__ import annotations

import re

import pytest

from tests.session.project import PLAN, Project

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
NASTY = r"'\ud800\x00\x1b]0;title\x07\x1b[2J\u202eevil\r<script>alert(1)</script>/../../x'"

BODIES = {
    "an assertion's message": f"assert False, {NASTY}",
    "an error's message": f"raise ValueError({NASTY})",
    "a chain": f"try:\n        raise OSError({NASTY})\n"
    f"    except OSError as error:\n        raise KeyError({NASTY}) from error",
    "a note": f"error = ValueError('x'); error.add_note({NASTY}); raise error",
    "a failure": f"pytest.fail({NASTY}, pytrace=False)",
}


@pytest.mark.parametrize("what", BODIES)
@pytest.mark.parametrize("parallel", [[], ["-n2"]], ids=["plain", "n2"])
def test_a_nasty_failure_is_named_and_drives_nothing(
    project: Project, parallel: list[str], what: str
) -> None:
    project.change("def test_works(part):\n    pass", f"def test_works(part):\n    {BODIES[what]}")
    result = project.run_apart("-m", "canary", "--showlocals", "--junitxml=junit.xml", *parallel)
    failed = what in ("an assertion's message", "a failure")
    assert result.ret == (10 if failed else 11)
    assert project.verdicts()["works"] == ("fail" if failed else "error")
    assert "test_works[a]" in project.reason("works")
    assert (
        "FAILED suites/demo/test_canary.py::test_works[[]b]*".replace("[[]", "[").rstrip("*")
        in result.stdout.str()
    )
    assert not CONTROL.search(result.stdout.str())


QUIET = {
    "a skip's reason": f"pytest.skip({NASTY})",
    "printed text": f"print({NASTY}.replace('\\ud800', '')); assert False",
    "logged text": f"import logging; logging.warning({NASTY}); assert False",
    "a property": f"record_property('seen', {NASTY}); assert False",
    "a warning": f"import warnings; warnings.warn({NASTY}); assert False",
    "a subtest": f"with subtests.test({NASTY}, why={NASTY}):\n        assert False",
}


@pytest.mark.parametrize("what", QUIET)
@pytest.mark.parametrize("parallel", [[], ["-n2"]], ids=["plain", "n2"])
def test_nasty_texts_beside_a_failure_kill_no_worker(
    project: Project, parallel: list[str], what: str
) -> None:
    project.change(
        "def test_works(part):\n    pass",
        f"def test_works(part, record_property, subtests):\n    {QUIET[what]}",
    )
    result = project.run_apart("-m", "canary", "-rA", *parallel)
    assert project.verdicts()["works"] == ("missing" if "skip" in what else "fail")
    assert project.verdicts()["errors"] == "pass"
    assert not CONTROL.search(result.stdout.str())


IDS = {
    "a megabyte": "'x' * 1_000_000",
    "terminal sequences": r"'\x1b[31mred\x1b]0;t\x07'",
    "a lone surrogate": r"'\ud800'",
    "NUL and newline": r"'\x00\n\r'",
    "marks that turn the text": r"'\u202eevil\u2066'",
    "a path": "'/../../../etc/passwd'",
    "a script": "'<script>alert(1)</script>'",
}


@pytest.mark.parametrize("what", IDS)
def test_a_nasty_id_is_judged_and_shown_plainly(project: Project, what: str) -> None:
    project.change('["a", "b"]', f"[pytest.param(1, id={IDS[what]}), pytest.param(2, id='good')]")
    project.change("def test_works(part):\n    pass", "def test_works(part):\n    assert part == 2")
    result = project.run_apart("-m", "canary", "--tb=no", "-q", "--no-summary")
    assert result.ret == 10
    ours = result.stdout.str().partition("= rollout =")[2]
    assert not CONTROL.search(ours)
    assert len(ours) < 20_000
    folder = project.root / "rollout-report/demo/embedded/canary/exit"
    assert {path.name for path in folder.iterdir()} == {
        *("decision.json", "report.md", "report.html", "report.junit.xml", "report.prom"),
        *("runs", "latest"),
    }
    for name in ("report.junit.xml", "report.prom"):
        assert not CONTROL.search((folder / name).read_text(encoding="utf-8")), name
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert not CONTROL.search(page)
    assert "assert 1 == 2" in project.reason("works")


def test_colours_of_pytest_itself_stay(project: Project) -> None:
    project.change(
        "def test_works(part):\n    pass", "def test_works(part):\n    assert part == 'c'"
    )
    result = project.run_apart("-m", "canary", "--color=yes")
    assert "\x1b[31m" in result.stdout.str()


def test_long_texts_are_cut_and_say_how_long_they_were(project: Project) -> None:
    project.change(
        'observe("errors", 0, at=1_000 + number)',
        'observe("errors", 0, at=1_000, user="x" * 1_048_576 + str(number))',
    )
    project.change(
        "def test_works(part):\n    pass", "def test_works(part):\n    assert False, part"
    )
    project.change('["a", "b"]', "[pytest.param('y' * 1_048_576, id='long')]")
    assert project.run("-m", "canary", "--tb=no").ret == 10
    assert project.decision()["criteria"][2]["samples"] == 3
    assert "… (1,048,5" in project.reason("works")
    assert (project.root / ".rollout/ledger.db").stat().st_size < 500_000


def test_too_many_labels_are_an_error(project: Project) -> None:
    project.change("at=1_000 + number)", "at=1_000 + number, **{f'l{n}': n for n in range(51)})")
    assert project.run("-m", "canary").ret == 11
    assert "51 labels" in project.reason("errors")


def test_a_nasty_plan_is_refused_plainly(project: Project) -> None:
    project.plan(PLAN + '"\\e[31m\\u202e\\a": 1\n')
    result = project.run_apart("-m", "canary")
    assert result.ret == 4
    assert "unknown key" in result.stderr.str()
    assert not CONTROL.search(result.stderr.str())


def test_the_name_of_a_target_is_no_path(project: Project) -> None:
    project.write("app.py", "async def app(scope, receive, send):\n    pass\n")
    targets = 'environments: {embedded: {targets: {"../../escaped": {serve: "app:app"}}}}\n'
    project.plan(PLAN + targets)
    project.change(
        "def test_nice():\n    pass",
        "def test_nice(phase):\n"
        "    folder = phase.target('../../escaped').folder\n"
        "    assert folder.parent.name.startswith('rollout-')",
    )
    project.run("-m", "canary")
    assert project.verdicts()["nice"] == "pass"
