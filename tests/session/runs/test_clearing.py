"""What `rollout clear` must not take for a clearance: other runs, other places, rehearsals."""

from __future__ import annotations

import threading

from tests.session.project import PLAN, Project
from tests.session.runs.variations import command, vary
from tests.targets.test_identity import answering, saying

Workers = tuple[str, ...]

REAL = PLAN.replace("phases:", "environments: {prod: {}}\nphases:")


def test_a_rehearsal_clears_no_change(project: Project, workers: Workers) -> None:
    project.plan(REAL)
    assert project.run("-m", "canary").ret == 0
    status, said = command(project, "clear", "demo.canary")
    assert status != 0
    assert "--env" in said
    assert "prod" in said
    assert command(project, "clear", "demo.canary", "--env", "embedded")[0] == 0
    project.change("def test_ready():\n    pass", "def test_ready():\n    assert False")
    assert project.run("-m", "canary", "--rollout-env", "prod", *workers).ret == 10
    assert command(project, "clear", "demo.canary")[0] != 0
    assert command(project, "clear", "demo.canary", "--env", "prod")[0] == 10


def test_a_partial_run_that_ends_red_takes_the_clearance_away(
    project: Project, workers: Workers
) -> None:
    clear = ("clear", "demo.canary", "--env", "embedded")
    assert project.run("-m", "canary").ret == 0
    assert command(project, *clear)[0] == 0
    good = "def test_works(part):\n    pass"
    bad = "def test_works(part):\n    assert False, 'one is two'"
    partial = ("-m", "canary", "-k", "works")
    assert project.run(*partial).ret == 11
    assert command(project, *clear)[0] == 0  # it saw nothing bad
    project.change(good, bad)
    assert project.run(*partial, *workers).ret == 10
    status, said = command(project, *clear)
    assert status in (10, 11)
    run = project.decision()["run"]
    assert run in said
    assert "works" in said
    assert command(project, "clear", "demo.canary/entry", "--env", "embedded")[0] == 0
    project.change(bad, good)
    assert project.run("-m", "canary").ret == 0
    assert command(project, *clear)[0] == 0


_WEB = """\
release: {{target: web, path: /version, json: ok}}
environments: {{prod: {{targets: {{web: "{url}"}}}}}}
"""


def test_the_address_of_a_target_is_part_of_what_was_judged(
    project: Project, workers: Workers
) -> None:
    prod = ("--rollout-env", "prod")
    clear = ("clear", "demo.canary", "--env", "prod")
    with answering(saying('{"ok": "1"}')) as one, answering(saying('{"ok": "1"}')) as other:
        more = _WEB.format(url="${WEB_URL}")
        vary(project, {}, more=more)
        project.pytester._monkeypatch.setenv("WEB_URL", one)
        assert project.run("-m", "canary", *prod, *workers).ret == 0
        assert command(project, *clear)[0] == 0
        project.pytester._monkeypatch.setenv("WEB_URL", other)
        status, said = command(project, *clear)
    assert status == 11
    assert "web" in said
    assert "address" in said
    assert one in said
    assert other in said


OVERLAP = """
import pathlib, time

@bound
def test_waits():
    here = pathlib.Path(__file__).parent
    if (here / "slow").exists():
        (here / "slow").unlink()
        (here / "begun").touch()
        for _ in range(600):
            if (here / "ended").exists():
                break
            time.sleep(0.05)
        assert False, 'the slow one fails'
"""


def test_of_two_runs_that_overlap_the_newest_knowledge_wins(
    project: Project, workers: Workers
) -> None:
    clear = ("clear", "demo.canary", "--env", "embedded")
    vary(project, {"waits": OVERLAP})
    suite = project.root / "suites/demo"
    (suite / "slow").touch()
    slow = threading.Thread(target=project.run_apart, args=("-m", "canary", *workers))
    slow.start()
    for _ in range(1200):
        if (suite / "begun").exists():
            break
        threading.Event().wait(0.05)
    assert project.run("-m", "canary").ret == 0
    while_running, said = command(project, *clear)
    (suite / "ended").touch()
    slow.join(60)
    after, then = command(project, *clear)
    assert while_running == 11, said
    assert "has not finished" in said or "never finished" in said or "still" in said
    assert after in (10, 11), then
