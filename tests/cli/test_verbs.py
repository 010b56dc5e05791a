"""What each verb answers, in words and in JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_rollout.report.stored import to_json
from tests.cli.conftest import Project
from tests.evidence.runs import EXIT, FAIL, ITEMS, PLAN, Writer, tamper

ROOT = Path(__file__).parents[2]
GUARDED = (
    PLAN
    + """\
    guardrails:
      - {id: spike, metric: errors, take: max, over: [{last: 9}], fail: "> 5", then: [rollback]}
"""
)


def apart(project: Project, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "pytest_rollout.cli", *arguments]
    return subprocess.run(
        command,
        cwd=project.root,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        check=False,
        timeout=60,
    )


def run_of(project: Project, answer: str, text: str = PLAN) -> Writer:
    """A run with that answer at the exit gate."""
    project.plan.write_text(text)
    with project.ledger() as ledger:
        run = Writer(ledger, f"run-{answer}", text=text)
        run.start()
        run.manifest(items={} if answer == "HOLD" else ITEMS)
        run.checks(FAIL if answer == "NO-GO" else (("pass", ""),), errors=_errors(answer))
        run.seal()
        run.decide()
        assert run.decisions[1].answer.value == answer
    return run


def _errors(answer: str) -> tuple[int, ...]:
    return (0, 9) if answer == "ROLLBACK" else (0, 0)


STATUS = [("GO", 0), ("NO-GO", 10), ("HOLD", 11), ("ROLLBACK", 12)]


@pytest.mark.parametrize(("answer", "status"), STATUS)
def test_decide_exits_as_the_decision_and_gives_the_stored_bytes(
    project: Project, answer: str, status: int
) -> None:
    run = run_of(project, answer, GUARDED)
    said = project.rollout("decide", "demo.canary", "--env", "embedded")
    assert said.status == status
    lines = said.out.splitlines()
    assert lines[0].startswith(f"{answer}: demo.canary/exit in embedded")
    assert lines[-1] == "the same as was decided then, byte for byte"
    printed = apart(project, "decide", "demo.canary/exit", "--json", "--env", "embedded")
    assert printed.returncode == status
    assert printed.stdout == to_json(run.decisions[1]).encode()


@pytest.mark.parametrize(("answer", "_status"), STATUS)
def test_decide_can_answer_without_failing_the_step(
    project: Project, answer: str, _status: int
) -> None:
    run_of(project, answer, GUARDED)
    said = project.rollout("decide", "demo.canary", "--no-assert")
    assert said.status == 0
    assert said.out.startswith(f"{answer}: demo.canary")
    assert project.rollout("decide", "demo.nothing", "--no-assert").status == 4


@pytest.mark.parametrize(("answer", "_status"), STATUS)
def test_report_writes_and_prints_the_stored_decision(
    project: Project, answer: str, _status: int
) -> None:
    run = run_of(project, answer, GUARDED)
    said = project.rollout("report", "demo.canary", "--json")
    assert said.status == 0
    assert said.json["decision"] == answer
    written = Path(said.json["folder"], "decision.json").read_bytes()
    printed = apart(project, "report", "demo.canary", "--format", "json").stdout
    assert printed == written == to_json(run.decisions[1]).encode()
    assert project.rollout("report", "demo.canary").out.startswith(f"demo.canary/exit {answer}: ")


def test_report_where_nothing_can_be_written(project: Project) -> None:
    run_of(project, "GO")
    (project.root / "rollout-report").write_text("in the way")
    said = project.rollout("report", "demo.canary")
    assert said.status == 4
    assert "rollout-report" in said.err


def test_explain_in_words_and_numbers(project: Project) -> None:
    run_of(project, "GO")
    said = project.rollout("explain", "demo.canary.errors")
    assert said.status == 0
    assert "demo.canary.errors: pass" in said.out
    assert (
        "the largest of errors, in this run, must be at most 0; it takes at least 2 samples"
        in said.out
    )
    found = project.rollout("explain", "demo.canary.errors", "--json").json
    assert found["decision"] == "GO"
    assert found["criterion"]["verdict"] == "pass"


def test_status_of_every_phase(project: Project) -> None:
    bare = project.rollout("status")
    assert bare.status == 0
    assert "entry undecided  exit undecided" in bare.out
    run_of(project, "NO-GO")
    assert "entry GO  exit NO-GO" in project.rollout("status", "demo").out
    row = project.rollout("status", "--json").json["phases"][0]
    assert row["exit"]["decision"] == "NO-GO"
    assert row["exit"]["run"] == "run-NO-GO"


def test_status_after_a_run_that_never_finished(project: Project) -> None:
    run_of(project, "GO")
    with project.ledger() as ledger:
        Writer(ledger, "r2").start()
    assert "exit HOLD (run r2 never finished)" in project.rollout("status").out
    assert project.rollout("decide", "demo.canary").status == 11
    shown = project.rollout("report", "demo.canary")
    assert (shown.status, "r2 stored none" in shown.err) == (4, True)


def test_status_names_broken_plans(project: Project) -> None:
    (project.root / "suites" / "bad").mkdir(parents=True)
    (project.root / "suites" / "bad" / "rollout.yaml").write_text("plan: [")
    said = project.rollout("status")
    assert said.status == 0
    assert "not read: suites/bad/rollout.yaml:2" in said.out
    assert project.rollout("status", "--json").json["problems"]


def test_targets_of_an_environment(project: Project) -> None:
    said = project.rollout("targets", "--env", "prod")
    assert said.status == 0
    assert said.out.startswith("demo.api in prod  http://127.0.0.1:1  ")
    assert "refused" in said.out
    assert project.rollout("targets", "--env", "prod", "--json").json["targets"][0]["state"]


def test_targets_that_are_files_are_where_they_are_looked_for(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = '{api: "http://127.0.0.1:1", a: {file: a.db}, b: {file: "${B_DB}"}}'
    project.plan.write_text(PLAN.replace('{api: "http://127.0.0.1:1"}', files))
    (project.root / "a.db").write_bytes(b"")
    here = project.root / "a.db"
    unset, missing = (
        "demo.b in prod  file: ${B_DB}  target b: the environment variable B_DB is not set",
        f"demo.b in prod  file: {project.root / 'b.db'}  there is no such file",
    )
    said = project.rollout("targets", "--env", "prod").out.splitlines()
    assert said[1:] == [f"demo.a in prod  file: {here}", unset]
    monkeypatch.setenv("B_DB", "b.db")
    assert project.rollout("targets", "--env", "prod").out.splitlines()[2] == missing


@pytest.mark.parametrize("address", ["http://[", "ftp://x", "not an address", "http://\\x00"])
def test_targets_with_addresses_that_are_none(project: Project, address: str) -> None:
    project.plan.write_text(PLAN.replace("http://127.0.0.1:1", address))
    assert project.rollout("targets", "--env", "prod").status == 0


@pytest.mark.slow
def test_check_names_criteria_without_a_check(project: Project) -> None:
    (project.root / "test_it.py").write_text(
        "import pytest\n"
        "@pytest.mark.canary\n@pytest.mark.criterion('works')\ndef test_works(): pass\n"
    )
    said = apart(project, "check")
    assert said.returncode == 0, said
    out = said.stdout.decode()
    assert "rollout.yaml: 1 phase, 3 criteria, 1 bound check\n" in out
    assert "note: demo.canary.errors has no check, so its gate cannot be GO" in out
    assert out.endswith("no problems\n")
    assert json.loads(apart(project, "check", "demo", "--json").stdout)["problems"] == []


@pytest.mark.slow
def test_check_of_a_broken_plan(project: Project) -> None:
    project.plan.write_text(PLAN.replace("kind: demo", "kind: dmo"))
    said = apart(project, "check")
    assert said.returncode == 4
    assert b"rollout.yaml:12" in said.stdout
    assert b"did you mean `demo`?" in said.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["decide", "dmo.canary"], "no plan `dmo` (did you mean `demo`?)"),
        (["decide", "demo.canry"], "demo has no phase `canry` (did you mean `canary`?)"),
        (["decide", "demo.canary/exti"], "a gate is entry or exit, not 'exti'"),
        (["decide", "demo"], "'demo' is not plan.phase"),
        (["decide", "demo.canary", "--env", "prdo"], "no plan has an environment `prdo` (did"),
        (["decide", "demo.canary", "--env", "prod"], "no full run has asked for demo.canary in"),
        (["report", "demo.canry"], "did you mean `canary`?"),
        (["explain", "demo.canary.wroks"], "no criterion `wroks` (did you mean `works`?)"),
        (["explain", "demo.canry.works"], "did you mean `canary`?"),
        (["explain", "demo.canary"], "is a phase; name one thing in it: demo.canary."),
        (["status", "dmo"], "did you mean `demo`?"),
        (["status", "--env", "prdo"], "did you mean `prod`?"),
        (["targets", "dmo"], "did you mean `demo`?"),
        (["targets", "--env", "prdo"], "did you mean `prod`?"),
        (["check", "dmo"], "did you mean `demo`?"),
        (["status", "--root", "nowhere"], "nowhere"),
        (["decid"], "decid"),
        (["decide"], "ADDRESS"),
    ],
)
@pytest.mark.parametrize("ran", [False, True])
def test_mistakes_get_the_nearest_spelling(
    project: Project, arguments: list[str], says: str, ran: bool
) -> None:
    if ran:
        run_of(project, "GO")
    said = project.rollout(*arguments)
    assert said.status == 4
    if ran or "--env" not in arguments or arguments[0] != "decide":
        assert says in said.err


@pytest.mark.parametrize("verb", ["decide", "report"])
def test_without_a_ledger_one_is_told_what_to_do(project: Project, verb: str) -> None:
    said = project.rollout(verb, "demo.canary")
    assert said.status == 4
    assert "there is no ledger" in said.err
    assert "pytest -m" in said.err
    assert not project.store.exists()


@pytest.mark.parametrize(
    "arguments", [["status"], ["decide", "a.b"], ["explain", "a.b.c"], ["targets"], ["check"]]
)
def test_in_a_folder_without_a_plan(project: Project, arguments: list[str]) -> None:
    project.plan.unlink()
    said = project.rollout(*arguments)
    assert said.status == 4
    assert "no rollout plan below" in said.err


@pytest.mark.parametrize("verb", [["decide"], ["report"], ["status"]])
def test_a_broken_plan_is_named(project: Project, verb: list[str]) -> None:
    project.plan.write_text("plan: demo\nphases: {}\nfoo: 1\n")
    said = project.rollout(*verb, "demo" if verb == ["status"] else "demo.canary")
    assert said.status == 4
    assert "rollout.yaml:" in said.err


@pytest.mark.parametrize(
    "now",
    [
        PLAN.replace('pass: "<= 0"', 'pass: "<= 99"'),
        PLAN.replace("id: canary", "id: other"),
        PLAN.replace("plan: demo", "plan: other"),
        PLAN.replace("id: errors", "id: faults"),
        "plan: [",
        None,
    ],
    ids=["laxer", "phase gone", "plan gone", "criterion gone", "broken", "no file"],
)
def test_a_decision_is_judged_and_told_by_the_plan_as_it_was(
    project: Project, now: str | None
) -> None:
    run = run_of(project, "NO-GO")
    with project.ledger() as ledger:
        assert run.run in {one.run for one in ledger.runs(str(EXIT), "embedded")}
    if now is None:
        project.plan.unlink()
    else:
        project.plan.write_text(now)
    said = project.rollout("decide", "demo.canary")
    assert said.status == 10
    assert "the same as was decided then" in said.out
    assert project.rollout("report", "demo.canary").status == 0
    told = project.rollout("explain", "demo.canary.errors")
    assert told.status == 0
    assert "must be at most 0;" in told.out
    assert "The plan has been changed since" in told.out


def test_a_plan_text_that_was_edited_in_the_ledger_is_not_judged_by(project: Project) -> None:
    run_of(project, "NO-GO")
    project.plan.write_text(PLAN.replace("title: A demo", "title: Another"))
    tamper(project.store, "UPDATE texts SET text = replace(text, 'works', 'worked')")
    said = project.rollout("decide", "demo.canary")
    assert said.status == 4
    assert "was changed after it was stored" in said.err


def test_what_evidence_says_cannot_drive_the_terminal(project: Project) -> None:
    with project.ledger() as ledger:
        run = Writer(ledger)
        run.good(works=(("fail", "\x1b[2J\ud800 gone"),))
    said = project.rollout("decide", "demo.canary")
    assert said.status == 10
    assert "\x1b" not in said.out
    assert "gone" in said.out


def test_help_is_paid_by_nobody(project: Project) -> None:
    code = (
        "import sys\nfrom pytest_rollout.cli import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit as end:\n    assert end.code == 0\n"
        "heavy = {'pytest', '_pytest', 'httpx', 'jinja2', 'yaml', 'sqlite3'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        f"import pytest_rollout\nassert pytest_rollout.__file__.startswith({str(ROOT)!r})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project.root,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for verb in ("check", "decide", "explain", "report", "status", "targets"):
        assert f"\n  {verb}" in done.stdout
        assert project.rollout(verb, "--help").status == 0


def test_standup_says_what_was_decided_and_what_stands_against_it(project: Project) -> None:
    run_of(project, "NO-GO", GUARDED)
    lines = project.rollout("standup", "--env", "embedded").out.splitlines()
    assert "(demo in embedded), " in lines[0]
    assert any("demo.canary/exit NO-GO: " in line for line in lines)
    told = json.loads(project.rollout("standup", "demo", "--json", "--env", "embedded").out)
    assert told["plans"]["demo"] == lines
    assert project.rollout("standup", "nothing").status == 4
