"""What a run that asks for a phase answers, and its exit status."""

from __future__ import annotations

import pytest

from tests.session.project import Project


def test_a_failure_of_another_plugin_is_no_zero(project: Project, how: list[str]) -> None:
    project.write(
        "conftest.py",
        """
        import pytest

        @pytest.hookimpl(wrapper=True)
        def pytest_runtestloop(session):
            result = yield
            session.testsfailed += 1  # as coverage that is too low does
            return result
        """,
    )
    assert project.run("-m", "canary", *how).ret == 1
    assert project.decision()["decision"] == "GO"


@pytest.mark.quick
def test_all_good_is_go(project: Project, how: list[str]) -> None:
    result = project.run("-m", "canary", *how)
    assert result.ret == 0
    assert project.decision("entry")["decision"] == "GO"
    assert project.decision("exit")["decision"] == "GO"
    assert result.outlines[-1] == "GO: demo.canary/entry GO, demo.canary/exit GO"
    assert (project.root / ".rollout/ledger.db").is_file()


@pytest.mark.quick
def test_two_workers_decide_the_same(project: Project) -> None:
    project.run("-m", "canary")
    alone = project.decision()
    project.run("-m", "canary", "-n2")
    together = project.decision()
    assert together["substance_digest"] == alone["substance_digest"]
    assert together["criteria"] == alone["criteria"]


ANSWERED = """\
plan: demo
phases:
  - id: canary
    owners: [sre]
    criteria:
      - {id: ready, gate: entry, kind: operational, by: [sre], says: The runbook was read}
      - {id: fast, kind: load, says: It is fast, metric: load_service_time, take: p95,
         pass: "< 200ms", ingest: {load: checkout, lasts: 30s}}
"""
ANSWERS = """\
attestations:
  - {phase: canary, criterion: ready, by: the rehearsal, role: sre, note: as if it was read}
  - {phase: canary, criterion: fast, by: the rehearsal, role: sre, note: as if it was brought}
"""


def test_no_test_at_all_is_go_where_none_is_needed(project: Project) -> None:
    project.plan(ANSWERED)
    beside = project.write("suites/demo/attestations.embedded.yaml", ANSWERS)
    project.tests("")
    result = project.run("-m", "canary")
    assert result.outlines[-1] == "GO: demo.canary/entry GO, demo.canary/exit GO"
    assert result.ret == 0
    beside.unlink()
    assert project.run("-m", "canary").ret == 11  # no test, and no answer


BROKEN = {
    "a failing check": ("def test_works(part):\n    pass", "assert part != 'b'", "fail", 10),
    "pytest.fail": ("def test_works(part):\n    pass", "pytest.fail('no')", "fail", 10),
    "an exception": ("def test_works(part):\n    pass", "raise OSError('gone')", "error", 11),
    "a skip": ("def test_works(part):\n    pass", "pytest.skip('later')", "missing", 11),
    "an xfail": ("def test_works(part):\n    pass", "pytest.xfail('known')", "missing", 11),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_hard_criterion_that_does_not_pass_blocks(
    project: Project, how: list[str], what: str
) -> None:
    old, body, verdict, status = BROKEN[what]
    project.change(old, f"def test_works(part):\n    {body}")
    result = project.run("-m", "canary", *how)
    assert result.ret == status
    assert project.verdicts()["works"] == verdict
    assert project.verdicts()["errors"] == "pass"


def test_xpass_is_no_evidence(project: Project, how: list[str]) -> None:
    project.change(
        '@pytest.mark.criterion("works")', '@pytest.mark.criterion("works")\n@pytest.mark.xfail'
    )
    assert project.run("-m", "canary", *how).ret == 11
    assert project.verdicts()["works"] == "missing"
    assert "xfail" in project.reason("works")


def test_trouble_in_a_fixture_is_an_error(project: Project, how: list[str]) -> None:
    broken = "@pytest.fixture\ndef part2():\n    yield\n    assert False, 'teardown'\n\n\n"
    project.change('@pytest.mark.criterion("works")', broken + '@pytest.mark.criterion("works")')
    project.change("def test_works(part)", "def test_works(part, part2)")
    assert project.run("-m", "canary", *how).ret == 11
    assert project.verdicts()["works"] == "error"


def test_a_soft_miss_is_a_condition_of_the_go(project: Project, how: list[str]) -> None:
    project.change("def test_nice():\n    pass", "def test_nice():\n    assert 1 == 2, 'not nice'")
    result = project.run("-m", "canary", *how)
    assert result.ret == 0
    (condition,) = project.decision()["conditions"]
    assert condition["id"] == "demo.canary.nice"
    assert condition["owner"] == "sre"
    assert "not nice" in condition["reason"]["text"]


def test_an_unbound_failure_is_pytests_own(project: Project, how: list[str]) -> None:
    project.tests("def test_other():\n    assert False\n", "demo/test_other.py")
    result = project.run("--rollout-phase", "demo.canary", *how)
    assert project.decision()["decision"] == "GO"
    assert result.ret == 1


def test_a_bad_sample_is_no_go_with_what_was_seen_and_allowed(
    project: Project, how: list[str]
) -> None:
    project.change('observe("errors", 0,', 'observe("errors", number == 2,')
    assert project.run("-m", "canary", *how).ret == 10
    assert "sum of errors was 1" in project.reason("errors")
    assert "allowed <= 0" in project.reason("errors")


def test_too_few_samples_hold(project: Project) -> None:
    project.change("range(3)", "range(2)")
    assert project.run("-m", "canary").ret == 11
    assert project.verdicts()["errors"] == "inconclusive"
    assert "2 of 3" in project.reason("errors")


def test_no_sample_is_missing_not_zero(project: Project) -> None:
    project.change("range(3)", "range(0)")
    assert project.run("-m", "canary").ret == 11
    assert project.verdicts()["errors"] == "missing"


def test_nan_is_a_hole(project: Project) -> None:
    project.change('observe("errors", 0,', 'observe("errors", float("nan"),')
    assert project.run("-m", "canary").ret == 11
    assert project.verdicts()["errors"] == "inconclusive"


def test_a_phase_without_criteria_holds(project: Project) -> None:
    project.change(
        "    owners: [sre]", "    owners: [sre]\n  - id: later", "suites/demo/rollout.yaml"
    )
    text = (project.root / "suites/demo/rollout.yaml").read_text()
    head, later, criteria = text.partition("  - id: later\n")
    project.plan(head + criteria + later)
    result = project.run("-m", "later")
    assert result.ret == 11
    assert "nothing to judge" in project.reasons(phase="later")[0]


def test_exit_status_is_the_worst_of_the_asked_gates(project: Project) -> None:
    project.change("def test_ready():\n    pass", "def test_ready():\n    pytest.skip('no')")
    result = project.run("-m", "canary")
    assert project.decision("entry")["decision"] == "HOLD"
    assert project.decision("exit")["decision"] == "GO"
    assert result.ret == 11


def test_a_pass_after_a_failure_carries_a_condition(project: Project) -> None:
    project.write("count.txt", "0")
    flaky = """
    import pathlib
    path = pathlib.Path("count.txt")
    path.write_text(str(int(path.read_text()) + 1))
    assert path.read_text() != "1", "first try"
"""
    project.change("def test_nice():\n    pass", "def test_nice():" + flaky)
    project.change("severity: soft, ", "", "suites/demo/rollout.yaml")
    result = project.run("-m", "canary", "--reruns", "1")
    assert project.verdicts()["nice"] == "warn"
    assert "first try" in project.decision()["conditions"][0]["reason"]["text"]
    assert result.ret == 0


def test_a_failing_subtest_fails_its_criterion(project: Project, how: list[str]) -> None:
    project.change(
        "def test_nice():\n    pass",
        "def test_nice(subtests):\n    with subtests.test('one'):\n        assert 1 == 2, 'sub'",
    )
    project.change("severity: soft, ", "", "suites/demo/rollout.yaml")
    assert project.run("-m", "canary", *how).ret == 10
    assert "sub" in project.reason("nice")


def test_entry_is_decided_before_the_phase_begins(project: Project) -> None:
    project.change("def test_ready():", "def test_ready(phase):")
    project.change("    pass", "    assert not phase.events('begin')", "suites/demo/test_canary.py")
    project.change(
        "def test_works(part):\n    assert not", "def test_works(part, phase):\n    assert"
    )
    project.change("def test_nice():\n    assert not", "def test_nice(phase):\n    assert")
    assert project.run("-m", "canary").ret == 0
