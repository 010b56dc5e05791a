"""Checks that the plan states itself are items like any other: bound, missed, judged."""

from __future__ import annotations

import sqlite3

import pytest

from pytest_rollout.evidence.run_log import RunLog
from tests.evidence.runs import reading
from tests.session.project import Project
from tests.targets.test_embedded import APP
from tests.words import told

PLAN = """\
plan: demo
environments:
  embedded: {targets: {registry: {file: registry.db}}}
  prod: {targets: {registry: "${REGISTRY}"}, allow: [observe, change]}
phases:
  - id: canary
    date: 2099-01-01
    owners: [sre]
    criteria:
      - id: ready
        gate: entry
        kind: operational
        check: {command: [echo, ready], expect: {stdout: ready}}
      - id: works
        kind: demo
        check: {command: [cat, state], expect: {stdout: {has: good}}}
      - id: lanes
        kind: invariant
        check: {sql: "select count(*) from lanes", on: registry}
        pass: ">= 2"
"""


@pytest.fixture
def plain(project: Project) -> Project:
    """A project whose plan states every check, without a test."""
    project.plan(PLAN)
    (project.root / "suites/demo/test_canary.py").unlink()
    project.write("state", "good\n")
    with sqlite3.connect(project.root / "registry.db") as db:
        db.execute("create table lanes (lane text, cap int)")
        db.executemany("insert into lanes values (?, ?)", [("A", 1), ("B", 2)])
    db.close()
    return project


def sql(project: Project, statement: str) -> None:
    with sqlite3.connect(project.root / "registry.db") as db:
        db.execute(statement)
    db.close()


def check(project: Project, old: str, new: str) -> None:
    project.change(old, new, "suites/demo/rollout.yaml")


def test_a_plan_without_a_test_decides(plain: Project, how: list[str]) -> None:
    assert plain.run("-m", "canary", *how).ret == 0
    assert plain.verdicts("entry") == {"ready": "pass"}
    assert plain.verdicts() == {"works": "pass", "lanes": "pass"}
    assert "last of lanes was 2" in plain.reason("lanes")
    plain.write("state", "bad\n")
    sql(plain, "delete from lanes")
    assert plain.run("-m", "canary", *how).ret == 10
    assert plain.reason("works") == "canary:works: stdout lacks 'good'; it is 'bad'"
    assert plain.verdicts() == {"works": "fail", "lanes": "fail"}


def test_items_have_the_marks_and_the_names_of_their_phase(plain: Project) -> None:
    result = plain.run("-m", "canary", "--collect-only", "-q")
    result.stdout.fnmatch_lines(["suites/demo/rollout.yaml::canary:*"] * 3)
    for selected in ("-kcanary:works", "--deselect=suites/demo/rollout.yaml::canary:ready"):
        result = plain.run("--collect-only", "-q", selected)
        result.stdout.fnmatch_lines(["suites/demo/rollout.yaml::canary:works"])
    result = plain.run("-v", "-p", "no:randomly", "suites/demo/rollout.yaml::canary:works")
    result.stdout.fnmatch_lines(["suites/demo/rollout.yaml::canary:works PASSED*"])
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "arguments",
    [
        ["-k", "not works"],
        ["--deselect", "suites/demo/rollout.yaml::canary:works"],
        ["suites/demo/rollout.yaml::canary:lanes", "suites/demo/rollout.yaml::canary:ready"],
        ["--ignore", "suites/demo/rollout.yaml"],
        ["tests"],
        ["-k", "not works", "-n2"],
    ],
)
def test_what_is_left_out_is_missing_and_the_run_partial(
    plain: Project, arguments: list[str]
) -> None:
    plain.write("tests/test_unit.py", "def test_unit():\n    pass\n")
    assert plain.run("-m", "canary", *arguments).ret == 11
    decision = plain.decision()
    assert decision["partial"]
    assert plain.verdicts()["works"] == "missing"


def test_a_plan_that_collection_ignores_is_missed(plain: Project, how: list[str]) -> None:
    plain.write("suites/demo/conftest.py", "collect_ignore = ['rollout.yaml']\n")
    plain.write(
        "suites/demo/test_more.py",
        """\
        import pytest

        @pytest.mark.criterion("works", "lanes")
        def test_more(observe):
            observe("lanes", 5)
        """,
    )
    assert plain.run("-m", "canary", *how).ret == 11
    assert plain.verdicts() == {"works": "missing", "lanes": "missing"}
    assert "the plan's file was not collected" in plain.reason("works")


def test_a_bound_test_beside_the_check_counts_too(plain: Project) -> None:
    plain.write(
        "suites/demo/test_more.py",
        """\
        import pytest

        @pytest.mark.criterion("works")
        def test_more():
            raise AssertionError("it does not")
        """,
    )
    assert plain.run("-m", "canary").ret == 10
    assert plain.reason("works") == "test_more: it does not"


TROUBLE = {
    "not there": ("[cat, state]", "[bin/none]", "error", "the command cannot start: bin/none"),
    "out of time": ("[cat, state]", "[sleep, 60], timeout: 200ms", "error", "end within 0.2 s"),
    "exit status": ("[cat, state]", "[cat, none]", "fail", "exit status 1, expected 0; stderr"),
    "a pipe": ("[cat, state]", "'cat none state | cat', shell: true", "fail", "exit status 1"),
    "no table": ("from lanes", "from lane", "error", "no such table: lane"),
    "a write": ("select count(*) from", "delete from", "error", "a check only reads"),
    "NULL": ("count(*)", "max(cap) + null", "missing", "gave no value (NULL)"),
    "no row": ("from lanes", "from lanes where 0 group by lane", "missing", "gave nothing"),
    "two rows": ("from lanes", "from lanes group by lane", "missing", "2 values where one"),
    "infinite": ("count(*)", "9e999 * max(cap)", "inconclusive", "no finite number was measured"),
    "no fixture": (
        "{command: [cat, state]",
        "{fixtures: none, command: [cat, state]",
        "error",
        "fixture 'none' not found",
    ),
}


@pytest.mark.parametrize("what", TROUBLE)
def test_trouble_is_said_and_is_no_evidence(plain: Project, what: str) -> None:
    old, new, verdict, said = TROUBLE[what]
    check(plain, old, new)
    result = plain.run("-m", "canary")
    assert result.ret == (10 if verdict == "fail" else 11)
    slug = "works" if plain.verdicts()["works"] != "pass" else "lanes"
    assert plain.verdicts()[slug] == verdict
    assert said in plain.reason(slug)
    result.stdout.no_fnmatch_line("*planned.py*")


def test_groups_are_judged_each_by_itself(plain: Project) -> None:
    check(plain, "select count(*) from lanes", "select lane, cap from lanes")
    check(plain, 'pass: ">= 2"', 'pass: "< 5"\n        each: {lane: [A, B, C]}')
    assert plain.run("-m", "canary").ret == 11
    assert plain.verdicts()["lanes"] == "missing"
    assert "lane C: no sample" in plain.reason("lanes")
    sql(plain, "insert into lanes values ('C', 9)")
    assert plain.run("-m", "canary").ret == 10
    assert "lane C: last of lanes was 9" in plain.reason("lanes")


def test_a_number_of_a_command_that_failed_is_not_judged(plain: Project) -> None:
    check(plain, '{sql: "select count(*) from lanes", on: registry}', "{command: [cat, number]}")
    plain.write("number", "7\n")
    assert plain.run("-m", "canary").ret == 0
    check(plain, "[cat, number]", "'cat number; exit 3', shell: true")
    assert plain.run("-m", "canary").ret == 11
    assert plain.verdicts()["lanes"] == "error"
    assert "nothing was measured: exit status 3" in plain.reason("lanes")


def test_what_was_answered_is_kept_as_evidence(plain: Project) -> None:
    plain.run("-m", "canary")
    kept = {path.read_text() for path in (plain.root / ".rollout/attachments").iterdir()}
    assert kept == {"ready\n", "good\n"}
    with reading(plain.root / ".rollout/ledger.db") as ledger:
        batches = RunLog(ledger.of_run(plain.decision()["run"])).batches
    names = [file.name for batch in batches for file in batch.body.attachments]
    assert names == ["ready.stdout.txt", "works.stdout.txt"]


def test_without_what_it_waits_for_a_check_is_not_run(
    plain: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(plain, "kind: demo", "kind: demo\n        when: {configured: PAGER}")
    check(plain, "[cat, state]", "[touch, ran]")
    assert plain.run("-m", "canary").ret == 0
    assert plain.verdicts()["works"] == "not_applicable"
    assert not (plain.root / "ran").exists()
    monkeypatch.setenv("PAGER", "yes")
    assert plain.run("-m", "canary").ret == 10
    assert (plain.root / "ran").exists()


def test_fixtures_stand_before_a_check(plain: Project) -> None:
    plain.write(
        "suites/demo/conftest.py",
        """\
        import pytest
        from pytest_rollout import scenario

        @scenario(effect="change")
        def two_more(phase):
            with open("state", "w") as state:
                state.write(f"good in {phase.environment}")
        """,
    )
    check(plain, "[cat, state]", "[cat, state], fixtures: two_more")
    check(plain, "has: good", "has: good in embedded")
    result = plain.run("-m", "canary")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["rollout: checks of demo.canary change"])


def test_an_effect_is_refused_before_it_happens(
    plain: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY", str(plain.root / "registry.db"))
    check(plain, "[cat, state]", "[touch, ran], effect: change")
    prod = ["-m", "canary", "--rollout-env", "prod"]
    assert plain.run(*prod, "--rollout-gate", "exit").ret == 11
    decision = plain.decision(environment="prod")
    reasons = " ".join(told(decision["reasons"]))
    assert "effect change, refused in prod: demo.canary has not begun" in reasons
    assert not (plain.root / "ran").exists()
    assert plain.verdicts(environment="prod")["lanes"] == "pass"


def test_a_listed_check_of_the_plan_is_missed_like_any_other(plain: Project) -> None:
    assert plain.rollout("check", "--write-bindings").ret == 0
    listed = (plain.root / "suites/demo/bindings.txt").read_text()
    assert "demo.canary.works rollout.yaml::canary:works\n" in listed
    assert plain.run("-m", "canary").ret == 0
    check(plain, "        check: {command: [cat, state], expect: {stdout: {has: good}}}\n", "")
    assert plain.run("-m", "canary").ret == 11
    assert "listed in bindings.txt, but not collected" in plain.reason("works")


def test_check_shows_what_each_criterion_asks_itself(plain: Project) -> None:
    check(plain, "count(*) from", "sum(cap > 1) / count(*) from")
    result = plain.rollout("check")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "*3 bound checks",
            "demo.canary.works <- command: cat state (suites/demo/rollout.yaml::canary:works)",
            "demo.canary.lanes <- sql on registry: select sum(cap > 1) / count(*) *",
            "note: demo.canary.lanes: `sum(cap > 1) / count(*)` drops the fraction where both*",
        ]
    )


SERVED = """\
plan: demo
environments: {embedded: {targets: {small: {serve: "small:app"}}}}
release: {target: small, path: /, json: pid}
phases:
  - id: canary
    criteria:
      - id: sweet
        gate: entry
        kind: demo
        check: {http: /, on: small, expect: {json: {fault: ""}}}
      - id: asked
        kind: demo
        check: {command: [curl, -fsS, "${ROLLOUT_TARGET_SMALL}"], on: small}
      - id: alive
        kind: slo
        check: {http: /, on: small, json: pid}
        pass: "> 0"
"""


def test_a_served_target_is_asked_and_a_drill_shows(project: Project, how: list[str]) -> None:
    project.write("small.py", APP)
    project.plan(SERVED)
    (project.root / "suites/demo/test_canary.py").unlink()
    curl = "import sys, urllib.request as u; u.urlopen(sys.argv[-1]).read()"
    project.write("curl.py", curl)
    check(project, "[curl, -fsS, ", "[python3, curl.py, ")
    project.pytester.makeini("[pytest]\npythonpath = .\n")
    assert project.run("-m", "canary", *how).ret == 0
    assert project.run("-m", "canary", "--rollout-fault", "sour", *how).ret == 10
    reasons = project.reasons("entry", drill="sour")
    assert "body.fault is 'sour', expected ''" in reasons[0]


def test_plans_in_one_folder_keep_their_own_checks(project: Project) -> None:
    for name in ("one", "two"):
        project.write(
            f"plans/{name}.yaml",
            f"plan: {name}\nphases: [{{id: start_{name}, criteria: [{{id: c, kind: demo,"
            f" check: {{command: [echo, {name}], expect: {{stdout: one}}}}}}]}}]\n",
        )
    project.pytester.makeini("[pytest]\nrollout_plans = plans/*.yaml\n")
    project.run("-m", "one or two")
    assert project.verdicts(plan="one", phase="start_one") == {"c": "pass"}
    assert project.verdicts(plan="two", phase="start_two") == {"c": "fail"}


def test_a_plan_that_states_no_check_is_not_collected(project: Project) -> None:
    result = project.run("--collect-only", "-q")
    result.stdout.no_fnmatch_line("*rollout.yaml*")


def test_no_part_of_it_can_be_left_out(plain: Project) -> None:
    result = plain.run("-m", "canary", "-p", "no:rollout-planned")
    assert result.ret == 4
    assert "cannot be left out" in result.stderr.str()
