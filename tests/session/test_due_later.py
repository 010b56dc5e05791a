"""A soft criterion that is due at a later gate, met by a run of its checks alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.watched import Service, serving
from tests.session.project import Project

pytestmark = pytest.mark.slow
PROD = ("--rollout-env", "prod")
BY = ("--env", "prod", "--by", "A. Person")
OWED = ("-m", "canary", "-k", "test_told", "--rollout-gate", "exit", *PROD)
PLAN = """\
plan: demo
release: {{target: api, path: /version, json: version}}
environments:
  prod: {{targets: {{api: "{url}"}}, allow: [observe, change]}}
phases:
  - id: canary
    owners: [sre]
    criteria:
      - {{id: works, kind: demo, says: It works}}
      - {{id: told, kind: documentation, severity: soft, due: demo.done/entry, says: It is told}}
      - {{id: ready, gate: entry, kind: demo, says: It is ready}}
  - id: done
    owners: [sre]
    criteria:
      - {{id: over, gate: entry, kind: demo, says: It is over}}
"""
TESTS = """\
import pathlib
import pytest

@pytest.mark.canary
@pytest.mark.criterion("ready")
def test_ready(): pass

@pytest.mark.canary
@pytest.mark.criterion("works")
@pytest.mark.effect("change")
def test_works(): pass

@pytest.mark.canary
@pytest.mark.criterion("told")
def test_told(): assert pathlib.Path("told").exists()

"""
OVER = """\
@pytest.mark.done
@pytest.mark.criterion("over")
def test_over(): pass
"""


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as found:
        yield found


@pytest.fixture
def ended(project: Project, service: Service) -> Project:
    """A project whose phase canary has ended in prod with a condition that is due at done/entry."""
    project.plan(PLAN.format(url=service.url))
    project.tests(TESTS + OVER)
    assert project.run("-m", "canary", *PROD).ret == 0
    assert project.rollout("begin", "demo.canary", *BY).ret == 0
    assert project.run("-m", "canary", *PROD).ret == 0
    assert project.rollout("end", "demo.canary", *BY).ret == 0
    return project


def due(project: Project) -> list[str]:
    """What the entry of the next phase says of its run, having asked anew; empty for a GO."""
    status = project.run("-m", "done", *PROD).ret
    again = project.rollout("decide", "demo.done/entry", "--env", "prod").outlines
    assert again[-1] == "the same as was decided then, byte for byte"
    said = project.reasons("entry", phase="done", environment="prod")
    return [] if status == 0 else said


def test_its_checks_alone_meet_it_and_the_newest_look_counts(ended: Project) -> None:
    (said,) = due(ended)
    assert "demo.canary.told is due by now and still open" in said
    told = ended.write("told", "to everyone")
    assert ended.run(*OWED).ret == 11, "a partial run decides nothing by itself"
    assert due(ended) == []
    told.unlink()
    ended.run(*OWED)
    (said,) = due(ended)
    assert "demo.canary.told is due by now and still open" in said


def test_a_run_that_left_it_out_or_lacked_the_release_meets_nothing(
    ended: Project, service: Service
) -> None:
    ended.write("told", "to everyone")
    ended.run("-m", "canary", "-k", "test_works", "--rollout-gate", "exit", *PROD)
    assert len(due(ended)) == 1
    service.version = ""
    ended.run(*OWED)
    service.version = "v1"
    assert len(due(ended)) == 1


def hints(project: Project) -> list[str]:
    """What a run of the owed checks alone says is to be done."""
    lines = [line.strip() for line in project.run(*OWED).outlines if line.startswith("  ")]
    return [line for line in lines if line.startswith(("1. ", "2. ", "next: ", "pytest "))]


def test_a_run_of_its_checks_alone_says_where_it_counts(ended: Project, service: Service) -> None:
    not_met = "1. sre: told is not met, and due at demo.done/entry: fix it"
    assert hints(ended) == [not_met]
    ended.write("told", "to everyone")
    met = "1. sre: told is met, which counts where it is due: decide demo.done/entry"
    assert hints(ended) == [met, "pytest -m done --rollout-env prod"]
    service.version = ""
    assert "told" not in " ".join(hints(ended)), "of no release that is known it counts nowhere"


def status(project: Project) -> str:
    return project.rollout("status", "--env", "prod").stdout.str()


def test_the_status_knows_what_was_met_since(ended: Project) -> None:
    due(ended)
    assert "exit GO +1 condition" in status(ended)
    assert "fix what made done/entry HOLD" in status(ended)
    told = ended.write("told", "to everyone")
    ended.run(*OWED)
    said = status(ended)
    assert "condition" not in said
    assert "due" not in said
    assert "sre: `pytest -m done --rollout-env prod` decides its entry gate" in said
    told.unlink()
    ended.run(*OWED)
    assert "exit GO +1 condition" in status(ended)
    assert "demo.canary.told is due by now and still open" in status(ended)


@pytest.fixture
def asked_people(project: Project, service: Service) -> Project:
    """A project like `ended`, whose condition people answer."""
    attested = "{{id: told, kind: manual, by: [sre], severity: soft"
    text = PLAN.replace("{{id: told, kind: documentation, severity: soft", attested)
    project.plan(
        text.replace("release:", "roles: {{sre: Reliability}}\nrelease:").format(url=service.url)
    )
    project.tests(TESTS.partition('@pytest.mark.canary\n@pytest.mark.criterion("told")')[0] + OVER)
    assert project.run("-m", "canary", *PROD).ret == 0
    assert project.rollout("begin", "demo.canary", *BY).ret == 0
    assert project.run("-m", "canary", *PROD).ret == 0
    assert project.rollout("end", "demo.canary", *BY).ret == 0
    return project


def test_the_status_knows_what_people_attested_since(asked_people: Project) -> None:
    due(asked_people)
    assert "exit GO +1 condition" in status(asked_people)
    assert "demo.canary.told is due by now and still open" in status(asked_people)
    answer = ("attest", "demo.canary.told", "--role", "sre", *BY)
    assert asked_people.rollout(*answer, "--note", "mailed to everyone").ret == 0
    said = status(asked_people)
    assert "condition" not in said
    assert "due" not in said
    assert due(asked_people) == []
    assert asked_people.rollout(*answer, "--note", "two lists lack it", "--fail").ret == 0
    assert "exit GO +1 condition" in status(asked_people)
