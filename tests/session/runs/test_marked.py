"""Marked tests that name no criterion, and what a run must say of what it was asked."""

from __future__ import annotations

import pytest

from tests.session.project import PLAN, Project
from tests.session.runs.variations import command

Workers = tuple[str, ...]

_UNNAMED = """
import pytest

pytestmark = pytest.mark.canary

def test_unnamed():
    {}
"""


QUIET = {
    "passes": "pass",
    "skipped": "pytest.skip('later')",
    "xfailed": "pytest.xfail('known')",
}


def test_a_failing_test_of_the_phase_without_a_criterion_holds_its_gates(
    project: Project, workers: Workers
) -> None:
    for name, body in QUIET.items():
        project.tests(_UNNAMED.format(body), f"demo/test_{name}.py")
    project.tests("def test_unmarked(): assert False\n", "demo/test_unmarked.py")
    assert project.run("-m", "canary").ret == 0
    project.tests(_UNNAMED.format("assert False, 'one is two'"), "demo/test_fails.py")
    project.tests(_UNNAMED.format("raise OSError('no disk')"), "demo/test_breaks.py")
    assert project.run("-m", "canary", *workers).ret == 11
    for gate in ("entry", "exit"):
        assert project.decision(gate)["decision"] == "HOLD"
        reasons = " ".join(project.reasons(gate))
        assert "one is two" in reasons
        assert "no disk" in reasons
        assert "passes" not in reasons
    status, said = command(project, "clear", "demo.canary", "--env", "embedded")
    assert status == 11, said


def test_leaving_one_out_is_a_partial_run(project: Project) -> None:
    project.tests(_UNNAMED.format("pass"), "demo/test_unnamed.py")
    assert project.run("-m", "canary", "-k", "not unnamed").ret == 11
    assert "test_unnamed" in project.reasons()[0]


def test_one_that_never_reports_holds_its_gates(project: Project) -> None:
    project.tests(_UNNAMED.format("pass"), "demo/test_unnamed.py")
    project.write(
        "conftest.py",
        """
        def pytest_runtest_protocol(item):
            return True if "unnamed" in item.nodeid else None
        """,
    )
    assert project.run("-m", "canary").ret == 11
    assert "test_unnamed" in project.reasons()[0]


def test_check_names_marked_tests_without_a_criterion(project: Project) -> None:
    project.tests(_UNNAMED.format("pass"), "demo/test_unnamed.py")
    status, said = command(project, "check")
    assert status == 0
    assert "test_unnamed" in said
    assert "criterion" in next(line for line in said.splitlines() if "test_unnamed" in line)


TWICE = {
    "options": (["-m", "canary", "-m", "not slow"], ""),
    "workers": (["-m", "canary", "-n2", "-m", "not slow"], ""),
    "joined": (["-mcanary", "-mnot slow"], ""),
    "addopts-last": (["-m", "not slow"], "-m canary"),
}


@pytest.mark.parametrize("name", TWICE)
def test_an_expression_that_another_one_replaced_is_named(project: Project, name: str) -> None:
    arguments, addopts = TWICE[name]
    if addopts:
        ini = project.root / "tox.ini"
        ini.write_text(ini.read_text().replace("addopts = ", f"addopts = {addopts} "))
    result = project.run(*arguments)
    assert result.ret == 0
    said = [line for line in result.outlines if "canary" in line and "-m" in line]
    assert len(said) == 1
    assert "not slow" in said[0]
    assert "no gate" in said[0]
    assert not project.stored


def test_one_expression_or_two_that_ask_say_nothing(project: Project) -> None:
    plain = project.run("-m", "not slow")
    assert not [line for line in plain.outlines if "no gate" in line]
    twice = project.run("-m", "not slow", "-m", "canary")
    assert twice.ret == 0
    assert project.decision()["decision"] == "GO"


def test_a_listed_criterion_that_the_plan_lost_is_said_by_the_run(
    project: Project, workers: Workers
) -> None:
    assert command(project, "check", "--write-bindings")[0] == 0
    project.change("id: nice", "id: fine", "suites/demo/rollout.yaml")
    project.change(
        '@pytest.mark.criterion("nice")\ndef test_nice():\n    pass\n\n\n',
        '@pytest.mark.criterion("fine")\ndef test_fine():\n    pass\n\n\n',
    )
    checked, said = command(project, "check")
    assert checked == 4
    assert "demo.canary.nice" in said
    result = project.run("-m", "canary", *workers)
    assert result.ret == 4
    told = result.stdout.str() + result.stderr.str()
    assert "demo.canary.nice" in told
    assert "bindings.txt:3" in told


def test_the_same_checks_on_several_workers_are_refused(project: Project) -> None:
    mode = ("--dist=each", "--tx=2*popen")
    project.change(
        "def test_works(part):\n    pass",
        "def test_works(part):\n    import os\n"
        "    assert os.environ['PYTEST_XDIST_WORKER'] == 'gw0', 'one of two fails'",
    )
    result = project.run("-m", "canary", *mode)
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: --dist each *a phase is run once*"])
    assert not project.stored
    assert project.run(*mode).ret == 1  # nothing is asked, and both count


_PLAN = "suites/demo/rollout.yaml"


def test_an_exit_that_is_not_the_decisions_says_whose_it_is(
    project: Project, workers: Workers
) -> None:
    ini = project.root / "tox.ini"
    ini.write_text(ini.read_text().replace("-p no:pytest_cov", ""))
    project.change("def test_nice", "def never():\n    return 1\n\n\ndef test_nice")
    coverage = ("--cov=suites", "--cov-fail-under=100", "--cov-report=")
    result = project.run_apart("-m", "canary", *coverage, *workers)
    assert result.ret == 1
    assert project.decision()["decision"] == "GO"
    (line,) = [line for line in result.outlines if "exit status 1" in line]
    assert "--cov-fail-under" in line or "plugin" in line
    assert "GO" in line


def test_an_unbound_test_that_failed_is_named(project: Project) -> None:
    project.tests("def test_other():\n    assert False\n", "demo/test_other.py")
    result = project.run("--rollout-phase", "demo.canary")
    assert result.ret == 1
    (line,) = [line for line in result.outlines if "exit status 1" in line]
    assert "test_other.py::test_other" in line


def test_bad_lists_are_read_as_the_plan_is_read(project: Project, workers: Workers) -> None:
    assert command(project, "check", "--write-bindings")[0] == 0
    listed = project.root / "suites/demo/bindings.txt"
    listed.write_bytes(b"\xef\xbb\xbf" + listed.read_bytes())
    plan = project.root / "suites/demo/rollout.yaml"
    plan.write_bytes(b"\xef\xbb\xbf" + PLAN.encode())
    project.write(
        "suites/demo/waivers.yaml",
        """\
        waivers: []
        """,
    )
    waivers = project.root / "suites/demo/waivers.yaml"
    waivers.write_bytes(b"\xef\xbb\xbf" + waivers.read_bytes())
    stand_ins = project.root / "suites/demo/attestations.embedded.yaml"
    stand_ins.write_bytes(b"\xef\xbb\xbfattestations: []\n")
    result = project.run("-m", "canary", *workers)
    assert result.ret == 0, result.stderr.str()
    assert command(project, "check")[0] == 0


def test_a_list_in_another_encoding_is_one_clear_message(project: Project) -> None:
    assert command(project, "check", "--write-bindings")[0] == 0
    listed = project.root / "suites/demo/bindings.txt"
    listed.write_bytes(listed.read_text().encode("utf-16"))
    result = project.run("-m", "canary")
    assert result.ret == 4
    assert "bindings.txt" in result.stderr.str()
    assert "UTF-8" in result.stderr.str()
