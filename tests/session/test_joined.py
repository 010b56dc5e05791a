"""Jobs that each run a part of the checks, as users split them, and their one decision."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

import pytest

from pytest_rollout.cli import main
from tests.session.project import INI, Project
from tests.targets.test_identity import answering, saying

PLAN = """\
plan: demo
release: {target: api, path: /version, json: version}
environments:
  embedded: {targets: {api: {serve: "app:app"}}}
  prod: {targets: {api: "URL"}}
phases:
  - id: canary
    owners: [sre]
    criteria:
      - {id: ready, gate: entry, kind: operational, says: The target is ready}
      - {id: works, gate: entry, kind: demo, says: It works}
      - {id: errors, gate: entry, kind: slo, says: No request fails, metric: errors, take: sum,
         pass: "<= 0", need: 3}
"""
ONE = """\
import pytest

pytestmark = pytest.mark.canary

@pytest.mark.criterion("ready")
def test_ready():
    pass

@pytest.mark.criterion("works")
@pytest.mark.parametrize("part", ["left", "right"])
def test_works(part):
    pass
"""
TWO = """\
import time
import pytest

pytestmark = pytest.mark.canary

@pytest.mark.criterion("errors")
def test_errors(observe):
    for number in range(3):
        observe("errors", 0, at=time.time() - number)
"""
# As pytest-split does it: every test is collected, each job takes every other one.
SPLITTER = """\
import pytest

def pytest_addoption(parser):
    parser.addoption("--group", type=int, default=0)

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    group = config.getoption("--group")
    if group:
        mine = [item for n, item in enumerate(items) if n % 2 == group - 1]
        config.hook.pytest_deselected(items=[item for item in items if item not in mine])
        items[:] = mine
"""
PROD = ("-m", "canary", "--rollout-env", "prod")


@pytest.fixture
def shop(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project on a target that answers; tests in two modules."""
    project = Project(pytester)
    project.write("pytest.ini", INI)
    with answering(saying('{"version": "v1"}')) as url:
        project.plan(PLAN.replace("URL", url))
        project.tests(ONE, "demo/test_one.py")
        project.tests(TWO, "demo/test_two.py")
        project.write("conftest.py", SPLITTER)
        monkeypatch.chdir(project.root)
        yield project


def rollout(*arguments: str) -> tuple[int, str]:
    """What the command answers."""
    said = StringIO()
    with redirect_stdout(said), redirect_stderr(said), pytest.raises(SystemExit) as ended:
        main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code, said.getvalue()


def job(project: Project, number: int, *selected: str) -> None:
    """One job: a run of a part, in a ledger of its own."""
    result = project.run(*PROD, *selected, "--rollout-ledger", f"part{number}.db")
    assert result.ret == 11, "a part alone is no decision"


def decided(*numbers: int) -> tuple[int, str]:
    ledgers = [f"part{number}.db" for number in numbers]
    assert rollout("merge", *ledgers)[0] == 0
    return rollout("join", "demo.canary", "--env", "prod")


def test_jobs_that_select_by_name(shop: Project) -> None:
    job(shop, 1, "-k", "ready or left")
    job(shop, 2, "-k", "not (ready or left)")
    status, out = decided(1, 2)
    assert status == 0, out
    assert set(shop.verdicts("entry", environment="prod").values()) == {"pass"}
    assert rollout("clear", "demo.canary/entry", "--env", "prod")[0] == 0


def test_a_check_that_neither_job_ran_is_missing(shop: Project) -> None:
    job(shop, 1, "-k", "ready")
    job(shop, 2, "-k", "errors or left")
    status, out = decided(1, 2)
    assert status == 11
    assert "test_works[right]" in out
    assert shop.verdicts("entry", environment="prod")["works"] == "missing"


def test_jobs_that_a_plugin_splits(shop: Project) -> None:
    job(shop, 1, "--group", "1")
    job(shop, 2, "--group", "2")
    assert decided(1, 2)[0] == 0


def test_jobs_by_file_need_one_that_lists(shop: Project) -> None:
    job(shop, 1, "suites/demo/test_one.py")
    job(shop, 2, "suites/demo/test_two.py::test_errors")
    status, out = decided(1, 2)
    assert status == 4
    assert "nobody knows what is missing" in out
    assert '-k "not test"' in out
    job(shop, 3, "-k", "not test")
    assert decided(3)[0] == 0


def test_a_release_that_changed_between_jobs_joins_nothing(shop: Project) -> None:
    job(shop, 1, "-k", "ready or left")
    with answering(saying('{"version": "v2"}')) as url:
        old = (shop.root / "suites/demo/rollout.yaml").read_text()
        shop.plan(PLAN.replace("URL", url))
        job(shop, 2, "-k", "not (ready or left)")
        shop.plan(old)
    status, out = decided(1, 2)
    assert status == 11  # of the newest run alone, which did not do everything
    assert "left out: " in out


def test_an_older_copy_in_a_ledgers_place_stops_a_run(shop: Project) -> None:
    shop.run(*PROD)
    shutil.copy(".rollout/ledger.db", "older.db")
    shop.run(*PROD)
    before = (shop.root / "rollout-report/demo/prod/canary/entry/decision.json").read_bytes()
    shutil.copy("older.db", ".rollout/ledger.db")
    result = shop.run(*PROD)
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*is an older or another copy*record * of run *rollout merge*"])
    assert (
        shop.root / "rollout-report/demo/prod/canary/entry/decision.json"
    ).read_bytes() == before


def test_a_run_says_that_it_made_the_ledger(shop: Project) -> None:
    made = "*this run made the ledger *rollout merge FILE*"
    shop.run(*PROD, "--rollout-ledger", "good.db").stdout.no_fnmatch_line(made)  # GO needs no more
    shutil.rmtree("rollout-report")
    half = (*PROD, "-k", "ready")
    shop.run(*half).stdout.fnmatch_lines([made])
    shop.run(*half).stdout.no_fnmatch_line(made)
    result = shop.run(*PROD, "--rollout-ledger", "other.db")
    result.stdout.fnmatch_lines(["*decision.json was decided from record *this run made it*"])


def test_jobs_that_leave_out_a_check_for_rehearsals(shop: Project) -> None:
    kills = '@pytest.mark.rehearsal_only\n@pytest.mark.criterion("works")\ndef test_outage(): ...\n'
    shop.tests(f"{ONE}\n{kills}", "demo/test_one.py")
    job(shop, 1, "-k", "ready or left")
    job(shop, 2, "-k", "not (ready or left)")
    status, out = decided(1, 2)
    assert status == 0, out
    (left_out,) = shop.decision("entry", environment="prod")["rehearsal_only"]
    assert left_out == "demo.canary.works: suites/demo/test_one.py::test_outage"
