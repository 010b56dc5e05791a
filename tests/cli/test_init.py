"""What `rollout init` writes passes `rollout check`, and rehearses to GO or to an honest HOLD."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pytest_rollout.cli import main
from pytest_rollout.scaffold.wishes import Template
from tests.cli.conftest import Answer
from tests.test_ci_howto import fits

pytestmark = pytest.mark.slow
QUICK = " ".join(f"-pno:{one}" for one in ("allure_pytest", "locust", "respx", "randomly"))
APP = """\
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
@app.get("/health")
@app.get("/version")
async def version():
    return {"version": "1.4.0"}
"""
JOB = "from pathlib import Path\nPath('out.csv').write_text(Path('in.csv').read_text())\n"
ROWS = "id,updated_at\n" + "".join(f"{n},2999-01-01T00:00:00+00:00\n" for n in range(100))
FILES = {
    "app.py": APP,
    "shop.py": "",
    "job.py": JOB,
    "in.csv": ROWS,
    "tests/test_it.py": "def test_it(): ...\ndef test_more(): ...\n",
}
RUNS_JOB = ("--target", "python job.py", "--output", "out.csv")
FILLED = {
    Template.WEB: ("--target", "app:app"),
    Template.BATCH: RUNS_JOB,
    Template.PIPELINE: (*RUNS_JOB, "--input", "in.csv"),
    Template.LIBRARY: ("--target", "shop"),
}
PHASES = {one: one.phase for one in Template}
Rollout = Callable[..., Answer]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without pytest's configuration, in which children start quickly."""
    root = tmp_path / "shop-1.2"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("PYTEST_ADDOPTS", f"{QUICK} -pno:cacheprovider")
    scripts = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{scripts}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    return root


@pytest.fixture
def rollout(folder: Path, capsys: pytest.CaptureFixture[str]) -> Rollout:
    """The command, in the project; nobody sits at a terminal."""

    def call(*arguments: str) -> Answer:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        return Answer(int(str(ended.value.code)), out, err)

    return call


def fill(folder: Path) -> None:
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def rehearsed(folder: Path, phase: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-m", phase, *more]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


NIGHTLY = (Template.BATCH, Template.LIBRARY)


@pytest.mark.parametrize(
    "template",
    [pytest.param(one, marks=[pytest.mark.nightly] * (one in NIGHTLY)) for one in Template],
    ids=lambda one: one.value,
)
def test_a_filled_template_rehearses_to_go(
    template: Template, folder: Path, rollout: Rollout
) -> None:
    fill(folder)
    said = rollout("init", "--template", template.value, *FILLED[template])
    open_ = said.out.count(": ask what your users ask")
    assert (said.status, open_) == (0, template is Template.WEB), said.out + said.err
    assert ("to fill in" in said.out) == (template is Template.WEB)
    assert len(said.out.partition("next:\n")[2].splitlines()) == 3
    checked = rollout("check", "shop")
    assert checked.out.endswith("no problems\n"), checked.out
    assert (folder / "suites/shop/bindings.txt").is_file()
    (folder / "out.csv").write_text("of yesterday")
    run = rehearsed(folder, PHASES[template])
    assert (folder / "out.csv").read_text() == "of yesterday"
    assert not list(folder.glob("*.kept"))
    where = f"shop.{PHASES[template]}"
    assert run.stdout.endswith(f"GO: {where}/entry GO, {where}/exit GO\n"), run.stdout
    workflow = (folder / ".github/workflows/shop-gate.yml").read_text("utf-8")
    valid = fits(workflow, ("vendor.github-workflows",), folder)
    assert valid.returncode == 0, valid.stdout


OPEN = {
    Template.WEB: {
        "embedded:": "how pytest starts the service in a rehearsal",
        "PATH": "ask what your users ask",
    },
    Template.BATCH: {
        "COMMAND": "the command, as a list of its words",
        "OUTPUT": "the file that it writes",
    },
    Template.LIBRARY: {"binds:": "the tests that must pass"},
    Template.PIPELINE: {
        "COMMAND": "the command, as a list of its words",
        "INPUT": "the file that it reads",
        "OUTPUT": "the file that it writes",
    },
}


@pytest.mark.parametrize(
    "template",
    [pytest.param(one, marks=[pytest.mark.nightly] * (one is not Template.WEB)) for one in OPEN],
    ids=lambda one: one.value,
)
def test_an_open_template_holds_and_says_what_to_fill_in(
    template: Template, folder: Path, rollout: Rollout
) -> None:
    said = rollout("init", "--template", template.value, "--json").json
    assert len(said["fill_in"]) == len(OPEN[template])
    for told, (word, says) in zip(said["fill_in"], OPEN[template].items(), strict=True):
        path, line, what = told.split(":", 2)
        assert what == f" {says}"
        assert word in (folder / path).read_text("utf-8").splitlines()[int(line) - 1]
    assert rollout("check", "shop").out.endswith("no problems\n")
    run = rehearsed(folder, PHASES[template])
    assert (run.returncode, run.stdout.splitlines()[-1][:5]) == (11, "HOLD:"), run.stdout


def test_a_service_that_has_no_such_page_is_told_so(folder: Path, rollout: Rollout) -> None:
    (folder / "app.py").write_text(APP.replace('@app.get("/")\n', ""))
    rollout("init", "--target", "app:app")
    run = rehearsed(folder, "canary")
    assert run.returncode == 10, run.stdout
    assert "test_requests: GET / answers {404}" in run.stdout


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("job", "says"),
    [
        ("import time; time.sleep(60)", "it did not end within 1 s"),
        ("raise SystemExit('no orders')", "no orders"),
    ],
)
def test_a_job_that_hangs_or_fails_is_no_go_and_leaves_the_output(
    job: str, says: str, folder: Path, rollout: Rollout
) -> None:
    (folder / "job.py").write_text(job)
    (folder / "out.csv").write_text("of yesterday")
    rollout("init", "--template", "batch", *RUNS_JOB)
    for name, was, is_ in (
        ("conftest.py", "LONGEST_S = 600", "LONGEST_S = 1"),
        ("rollout.yaml", '"<= 60s"', '"< 1s"'),
    ):
        path = folder / "suites/shop" / name
        path.write_text(path.read_text("utf-8").replace(was, is_))
    run = rehearsed(folder, "trial")
    assert run.returncode == 10, run.stdout
    assert f"shop.trial.ends-well: test_the_job_ends_well: {says}" in run.stdout
    hung = "sleep" in job
    assert ("shop.trial.deadline: max of seconds was 1." in run.stdout) == hung
    assert ("shop.trial.deadline: no sample of seconds" in run.stdout) != hung
    assert (folder / "out.csv").read_text() == "of yesterday"


@pytest.mark.nightly
def test_what_a_killed_rehearsal_kept_is_not_overwritten(folder: Path, rollout: Rollout) -> None:
    fill(folder)
    (folder / "out.csv.kept").write_text("of yesterday")
    rollout("init", "--template", "batch", *RUNS_JOB)
    run = rehearsed(folder, "trial")
    assert "a rehearsal was killed and left" in run.stdout
    assert run.stdout.splitlines()[-1].startswith("HOLD: "), run.stdout
    assert (folder / "out.csv.kept").read_text() == "of yesterday"
    assert not (folder / "out.csv").exists()


def test_phases_zone_and_window_are_in_the_plan(folder: Path, rollout: Rollout) -> None:
    fill(folder)
    window = ("--zone", "Europe/Berlin", "--window", "mon,wed 09:00-16:00")
    phases = ("--phase", "canary", "--phase", "half")
    assert rollout("init", "--name", "web", "--target", "app:app", *phases, *window).status == 0
    plan = yaml.safe_load((folder / "suites/web/rollout.yaml").read_text("utf-8"))
    assert plan["timezone"] == "Europe/Berlin"
    assert plan["windows"] == {"change": [{"days": ["mon", "wed"], "hours": "09:00-16:00"}]}
    assert [(one["id"], one.get("requires")) for one in plan["phases"]] == [
        ("canary", None),
        ("half", ["canary"]),
    ]
    assert "2 phases, 10 criteria, 6 bound checks" in rollout("check").out


def test_nothing_is_overwritten(folder: Path, rollout: Rollout) -> None:
    (folder / "suites/shop").mkdir(parents=True)
    (folder / "suites/shop/bindings.txt").write_text("mine")
    (folder / "suites/shop/rollout.yaml").write_text("plan: mine\n")
    before = files_of(folder)
    said = rollout("init", "--json")
    assert (said.status, said.json["error"]["code"]) == (4, "files.there")
    there = ["suites/shop/rollout.yaml", "suites/shop/bindings.txt"]
    assert said.json["error"]["facts"]["files"] == there
    assert files_of(folder) == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--zone", "Mars"), "unknown timezone `Mars`"),
        (("--window", "some day"), "'some day' are no days"),
        (("--window", "9 to 5"), "--window: '9 to 5' is no window"),
        (("--name", "my-shop"), "--name: 'my-shop' is no name"),
        (("--target", "app"), "'app' is neither a URL (http or https) nor module:app"),
        (("--target", "tcp://127.0.0.1:7700"), "is neither a URL (http or https) nor module:app"),
        (("--target", "localhost:7700"), "is neither a URL (http or https) nor module:app"),
        (("--template", "library", "--target", "a b"), "--target: 'a b' is no module"),
        (("--template", "batch", "--target", "job 'x"), "is no command (No closing quotation)"),
        (
            ("--template", "batch", "--target", "job ${IN}"),
            "--target: 'job ${IN}' names a variable",
        ),
        (("--template", "batch", "--output", "${OUT}"), "--output: '${OUT}' names a variable"),
        (("--from-tests", "--select", "nowhere"), "--select: nowhere means no test (files: none)"),
    ],
)
def test_what_would_be_wrong_is_refused_before_anything_is_written(
    arguments: tuple[str, ...], told: str, folder: Path, rollout: Rollout
) -> None:
    said = rollout("init", *arguments)
    assert (said.status, said.out) == (4, "")
    assert told in said.err
    assert files_of(folder) == {}


def test_what_the_project_has_is_kept(folder: Path, rollout: Rollout) -> None:
    (folder / "setup.cfg").write_text("[tool:pytest]\nrollout_plans = other/*.yaml\n")
    (folder / ".gitignore").write_text("*.pyc\n.rollout")
    said = rollout("init", "--json").json
    assert "pytest.ini" not in said["written"]
    assert said["fill_in"][-1].startswith("add suites/shop/rollout.yaml to rollout_plans")
    assert (folder / ".gitignore").read_text() == "*.pyc\n.rollout\nrollout-report/\n"


TESTS = """\
import sys
import pytest

class TestAll:
    @pytest.mark.parametrize("n", [1, pytest.param(2, marks=pytest.mark.xfail), 3])
    def test_n(self, n):
        assert n != 2

    @pytest.mark.skipif(sys.version_info > (3,), reason="of old Pythons")
    def test_old(self): ...

    def test_new(self): ...
"""


def test_existing_tests_are_bound_but_those_that_cannot_pass(
    folder: Path, rollout: Rollout
) -> None:
    (folder / "tests").mkdir()
    (folder / "tests/test_a.py").write_text(TESTS)
    (folder / "tests/test_b.py").write_text("def test_b(): ...\n")
    (folder / "tests/test_c.py").write_text("def test_c(): assert False\n")
    chosen = ("--select", "tests/test_[ab].py", "--select", "tests/test_a.py", "--select")
    said = rollout("init", "--from-tests", *chosen, "tests/test_b.py")
    assert "note: 2 tests are skipped or expected to fail here, so they are not bound" in said.out
    assert "note: 1 test is not selected, so it is not bound: tests/test_c.py::test_c" in said.out
    plan = yaml.safe_load((folder / "suites/shop/rollout.yaml").read_text("utf-8"))
    bound = {one["id"]: one.get("binds") for one in plan["phases"][0]["criteria"]}
    at = "../../tests/test_a.py::TestAll::test_"
    assert bound == {
        "notes-read": None,
        "tests-a": [f"{at}n[1]", f"{at}n[3]", f"{at}new"],
        "tests-b": ["../../tests/test_b.py"],
    }
    assert rehearsed(folder, "merge").returncode == 0
    assert rehearsed(folder, "merge", "-n2").returncode == 0
    part = rehearsed(folder, "merge", "-k", "test_b")
    assert (part.returncode, part.stdout.splitlines()[-1][:5]) == (11, "HOLD:")


def test_only_what_is_selected_is_bound(folder: Path, rollout: Rollout) -> None:
    (folder / "tests").mkdir()
    (folder / "tests/test_a.py").write_text("def test_a(): ...\ndef test_b(): assert False\n")
    rollout("init", "--from-tests", "--select", "tests/test_a.py::test_a")
    plan = yaml.safe_load((folder / "suites/shop/rollout.yaml").read_text("utf-8"))
    (tests,) = (one for one in plan["phases"][0]["criteria"] if one["id"] == "tests-a")
    assert tests["binds"] == ["../../tests/test_a.py::test_a"]


def test_tests_that_come_later_are_taken_in_or_remarked_on(folder: Path, rollout: Rollout) -> None:
    (folder / "tests").mkdir()
    (folder / "tests/test_a.py").write_text("def test_a(): ...\n")
    assert "takes in tests that come later" in rollout("init", "--from-tests").out
    (folder / "tests/test_a.py").write_text("def test_a(): ...\ndef test_later(): ...\n")
    (folder / "tests/test_new.py").write_text("def test_it(): ...\ndef test_two(): ...\n")
    checked = rollout("check", "shop")
    beside, listed = (line for line in checked.out.splitlines() if "test_" in line)
    assert checked.status == 0, checked.out
    assert listed == (
        "note: shop.merge.tests-a: bindings.txt lacks 1 check: tests/test_a.py::test_later (review "
        "them: `rollout check shop --write-bindings` writes it anew)"
    )
    assert beside == (
        "note: shop: in tests/test_new.py no criterion asks for 2 tests: test_it, test_two (state "
        '`{id: tests-new, kind: operational, binds: ["../../tests/test_new.py"]}` among its '
        'criteria; `binds: ["../../tests"]` takes all that is ever in the folder)'
    )
    plan = folder / "suites/shop/rollout.yaml"
    plan.write_text(plan.read_text("utf-8").replace("timezone:", "bindings: strict\ntimezone:", 1))
    strict = rollout("check", "shop")
    assert (strict.status, strict.out.splitlines()[-1]) == (4, "2 problems"), strict.out


def test_a_second_plan_binds_no_test_of_the_first_and_asks_for_its_own_phase(
    folder: Path, rollout: Rollout
) -> None:
    (folder / "tests").mkdir()
    (folder / "tests/test_a.py").write_text("def test_a(): ...\n")
    assert "to fill in" not in rollout("init", "--name", "first", "--from-tests").out
    (folder / "tests/test_b.py").write_text("def test_b(): ...\n")
    said = rollout("init", "--name", "second", "--from-tests")
    assert "to fill in" not in said.out, said.out
    taken = (
        "note: 1 test is bound by another plan (a test belongs to one phase), so it is not bound"
    )
    assert taken in said.out
    assert '  pytest -m "second and merge"\n' in said.out
    workflow = yaml.safe_load((folder / ".github/workflows/second-gate.yml").read_text("utf-8"))
    decides = workflow["jobs"]["gate"]["steps"][4]["run"]
    assert decides == 'exec pytest -m "second and merge"'


def test_tests_that_cannot_be_collected_are_said(folder: Path, rollout: Rollout) -> None:
    (folder / "test_a.py").write_text("import nowhere\n")
    said = rollout("init", "--from-tests")
    assert (said.status, "could not collect the project's tests: ERROR test_a.py" in said.err) == (
        4,
        True,
    )


def test_it_asks_on_a_terminal(folder: Path) -> None:
    (folder / "test_a.py").write_text("def test_a(): ...\n")
    here, there = pty.openpty()
    command = [sys.executable, "-m", "pytest_rollout.cli", "init", "--from-tests"]
    answers = ["lib", "", "", "Asia/Tokyo", "mon-thu", "test_a.py"]
    os.write(here, "".join(f"{one}\n" for one in answers).encode())
    done = subprocess.run(command, cwd=folder, stdin=there, capture_output=True, text=True)
    os.close(there)
    os.close(here)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Its phases, in order, with spaces between [merge]: " in done.stdout
    assert "1 tests in 1 files:\n  test_a.py (1)\n" in done.stdout
    plan = yaml.safe_load((folder / "suites/lib/rollout.yaml").read_text("utf-8"))
    assert (plan["plan"], plan["timezone"]) == ("lib", "Asia/Tokyo")
    assert plan["windows"] == {"change": [{"days": "mon-thu"}]}
    assert plan["phases"][0]["criteria"][-1]["binds"] == ["../../test_a.py"]


def test_the_first_lines_lead_editors_to_the_schema(folder: Path, rollout: Rollout) -> None:
    rollout("init", "--yes")
    first, second, *_ = (folder / "suites/shop/rollout.yaml").read_text("utf-8").splitlines()
    name = first.removeprefix("# yaml-language-server: $schema=")
    assert second == f"# $schema: {name}"
    schema = json.loads((folder / "suites/shop" / name).read_text("utf-8"))
    assert schema["properties"]["plan"]["description"]
