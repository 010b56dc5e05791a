"""Drills: the fault reaches the target, and nobody else can read it."""

from __future__ import annotations

import pytest

from tests.session.project import Project
from tests.targets.test_embedded import APP

PLAN = """\
plan: demo
environments: {embedded: {targets: {small: {serve: "small:app"}}}}
release: {target: small, path: /, json: pid}
phases:
  - id: canary
    criteria:
      - {id: ready, gate: entry, kind: operational}
      - {id: sweet, kind: demo}
"""

TESTS = """\
import pytest

pytestmark = pytest.mark.canary


@pytest.mark.criterion("ready")
def test_ready(phase):
    assert phase.target("small").client.get("/").is_success


@pytest.mark.criterion("sweet")
def test_sweet(phase, request):
    config = request.config
    assert config.getoption("rollout_fault") is None
    assert not any("sour" in str(value) for value in vars(config.option).values())
    assert phase.target("small").client.get("/").json()["fault"] == ""
"""


@pytest.fixture
def served(project: Project) -> Project:
    """A project with a target of its own."""
    project.write("small.py", APP)
    project.plan(PLAN)
    project.tests(TESTS)
    project.pytester.makeini("[pytest]\npythonpath = .\n")
    return project


def test_the_release_is_read_at_start_and_end(served: Project, how: list[str]) -> None:
    assert served.run("-m", "canary", *how).ret == 0
    assert served.decision()["release"].isdecimal()


def test_a_drill_is_stored_as_one(served: Project, how: list[str]) -> None:
    result = served.run("-m", "canary", "--rollout-fault", "sour", *how)
    assert result.ret == 10
    assert served.decision(drill="sour")["drill"] == "sour"
    assert "sour" in served.reasons(drill="sour")[0]
    assert not (served.root / "rollout-report/demo").exists()
    assert served.rollout("decide", "demo.canary").ret == 4
    assert served.run("-m", "canary").ret == 0
    assert served.decision()["looks"] == 0, "a rehearsal is no look, and a drill neither"


def test_a_fault_belongs_to_the_embedded_environment(served: Project) -> None:
    served.change("environments: {", "environments: {prod: {}, ", "suites/demo/rollout.yaml")
    served.change("release: {target: small, path: /, json: pid}\n", "", "suites/demo/rollout.yaml")
    result = served.run("-m", "canary", "--rollout-env", "prod", "--rollout-fault", "sour")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*faults exist in the embedded environment only*"])


def test_a_release_that_changes_on_the_way_holds(served: Project) -> None:
    served.change(
        'body = {"pid": os.getpid(),',
        'open("n", "a").write("x")\n    body = {"pid": os.path.getsize("n") // 4,',
        "small.py",
    )
    assert served.run("-m", "canary").ret == 11
    assert "more than one release was judged" in served.reasons()[0]


def test_a_target_that_does_not_start_is_an_error(served: Project) -> None:
    served.change("small:app", "small:broken", "suites/demo/rollout.yaml")
    result = served.run("-m", "canary")
    assert result.ret == 11
    assert served.verdicts()["sweet"] == "error"
    assert "no database here" in served.reason("sweet")
    assert "Traceback" not in result.stdout.str()
