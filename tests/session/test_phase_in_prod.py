"""A phase in a real environment, run by pytest: its begin, its events, what runs meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_rollout.evidence.bodies import PhaseBegun, StoredEvent
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.evidence.records import Record, RecordKind
from pytest_rollout.model.plan import Address
from tests.cli.watched import Service, serving
from tests.evidence.runs import opened, tamper
from tests.session.project import PLAN, Project
from tests.words import told

WHERE = Address("demo", "canary")
PROD = ("-m", "canary", "--rollout-env", "prod")
BY = ("--by", "A. Person")
REAL = """\
release: {{target: api, path: /version, json: version}}
configuration: {{target: api, path: /state, json: traffic}}
environments:
  prod: {{targets: {{api: "{url}"}}, allow: [observe, change]}}
phases:
"""
CONFTEST = """\
import httpx
from pytest_rollout import scenario

@scenario(effect="observe")
def work(phase):
    ask = lambda path: httpx.get(phase.target("api").url + path)
    {before}
    yield ask
    {after}

@scenario(effect="change")
def changing(phase):
    return 7
"""
TESTS = """\
import pytest

pytestmark = pytest.mark.canary

@pytest.mark.criterion("ready")
def test_ready(): pass

@pytest.mark.criterion("works")
def test_works({works}): {body}

@pytest.mark.criterion("nice")
def test_nice({nice}): pass

@pytest.mark.criterion("errors")
def test_errors(observe):
    for number in range(3):
        observe("errors", 0)
"""


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as found:
        yield found


@pytest.fixture
def begun(project: Project, service: Service) -> Project:
    """A project whose phase has begun in prod."""
    project.plan(PLAN.replace("phases:\n", REAL.format(url=service.url)))
    suite(project)
    assert project.run(*PROD).ret == 0
    assert project.rollout("begin", "demo.canary", "--env", "prod", *BY).ret == 0
    return project


def suite(
    project: Project, works: str = "", body: str = "pass", nice: str = "", **around: str
) -> None:
    texts = {"before": "pass", "after": "pass", **around}
    project.write("suites/demo/conftest.py", CONFTEST.format(**texts))
    project.tests(TESTS.format(works=works, body=body, nice=nice))


def records(project: Project, kind: RecordKind) -> list[Record]:
    with opened(project.root / ".rollout" / "ledger.db") as ledger:
        return [one for one in ledger.between(1) if one.kind is kind]


def bodies(project: Project, kind: RecordKind) -> list[Any]:
    return [json.loads(one.body) for one in records(project, kind)]


def reasons(project: Project) -> str:
    return " ".join(told(project.decision(environment="prod")["reasons"]))


def test_the_exit_is_decided_under_its_begin(begun: Project) -> None:
    assert begun.run(*PROD).ret == 0
    begin = records(begun, RecordKind.EVENT)[0]
    assert bodies(begun, RecordKind.RUN)[-1]["begins"] == {"demo.canary": begin.sequence}
    demands = {one["id"] for one in begun.decision(environment="prod")["demands"]}
    assert "phase.begun" in demands


def test_a_begin_that_is_lost_afterwards_holds(begun: Project) -> None:
    assert begun.run(*PROD).ret == 0
    store = begun.root / ".rollout" / "ledger.db"
    tamper(store, "DELETE FROM records WHERE kind = 'event'")
    again = begun.rollout("decide", "demo.canary/exit", "--env", "prod", "--json")
    assert again.ret == 11
    assert "is gone" in again.stdout.str()


def test_the_release_is_read_around_each_scenario(begun: Project, how: list[str]) -> None:
    suite(begun, works="work")
    assert begun.run(*PROD, *how).ret == 0
    around = [one["when"] for one in bodies(begun, RecordKind.RELEASE) if one.get("scenario")]
    assert around == ["start", "end"]


def test_a_switch_during_a_scenario_is_named(begun: Project, service: Service) -> None:
    def switch() -> None:
        service.version = "v2" if service.version == "v1" else "v1"
        service.end_after = 1

    service.end_after, service.happens = 1, switch
    suite(begun, works="work", body='work("/lag")', before='ask("/lag")')
    assert begun.run(*PROD).ret == 11
    assert service.version == "v1", "at the start and the end of the run"
    said = "more than one release was judged: v1, v2 (scenario work ran on v1 and then v2)"
    assert said in reasons(begun)


@pytest.mark.parametrize(("refusals", "status"), [(2, 0), (9, 11)])
def test_a_target_that_a_scenario_restarts_is_asked_again(
    begun: Project, service: Service, refusals: int, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, answers = [0], service.get

    def get(path: str) -> tuple[int, object]:
        if path == "/lag":
            left[0] = refusals
        elif path == "/version" and left[0]:
            left[0] -= 1
            return 503, {}
        return answers(path)

    monkeypatch.setattr(service, "get", get)
    suite(begun, works="work", before='ask("/lag")')
    assert begun.run(*PROD).ret == status
    assert ("the release could not be read" in reasons(begun)) is (status == 11)


def test_drift_holds_and_a_recorded_change_explains_it(begun: Project, service: Service) -> None:
    service.traffic = "all of it"
    assert begun.run(*PROD).ret == 11
    assert "the configuration was " in reasons(begun)
    says = ("--says", "traffic moved", "--env", "prod", *BY)
    assert begun.rollout("record", "demo.canary", "configuration", *says).ret == 0
    assert begun.run(*PROD).ret == 0


def test_a_change_that_a_check_records_counts_the_same(begun: Project, service: Service) -> None:
    suite(begun, works="phase", body='phase.record("change", "traffic moved")')
    service.end_after = 10**6
    service.traffic = "all of it"
    assert begun.run(*PROD).ret == 0
    service.traffic = "none of it"
    suite(begun)
    assert begun.run(*PROD).ret == 11


def test_a_freeze_that_a_check_records_holds(begun: Project) -> None:
    suite(begun, works="phase", body='phase.record("freeze", "INC-7")', nice="changing")
    assert begun.run(*PROD).ret == 0  # what is soft was refused, and is a condition
    nice = begun.reason("nice", environment="prod")
    assert "refused in prod: it is frozen on record: INC-7" in nice
    cleared = begun.rollout("clear", "demo.canary", "--env", "prod")
    assert cleared.ret == 11
    cleared.stdout.fnmatch_lines(["*no   freeze: frozen on record since *: INC-7*"])
    suite(begun, works="phase", body='phase.record("resume", "over")', nice="changing")
    assert begun.run(*PROD).ret == 0
    assert begun.rollout("clear", "demo.canary", "--env", "prod").ret == 0


@pytest.mark.parametrize("type_", ["configuration", "incident"])
def test_a_check_writes_what_the_command_writes(begun: Project, type_: str) -> None:
    suite(begun, works="phase", body=f'phase.record("{type_}", "said")')
    assert begun.run(*PROD).ret == 0
    with opened(begun.root / ".rollout" / "ledger.db") as ledger:
        found = ledger.find(RecordKind.EVENT, "demo", "demo.canary", "prod")
        last = json.loads(found[-1].body)
        begin = PhaseLife(ledger, WHERE, "prod").begin()
    assert (last["type"], last["says"]) == (type_, "said")
    assert begin is not None
    assert isinstance(begin.body, PhaseBegun)
    assert StoredEvent(**last).type == type_


@pytest.mark.parametrize("type_", ["begin", "amendment", "trip"])
def test_what_only_commands_record_a_check_does_not(begun: Project, type_: str) -> None:
    before = len(records(begun, RecordKind.EVENT))
    suite(begun, works="phase", body=f'phase.record("{type_}", "said")')
    assert begun.run(*PROD).ret == 11
    assert "only commands record that" in begun.reason("works", environment="prod")
    assert len(records(begun, RecordKind.EVENT)) == before


def test_what_is_not_frozen_a_check_does_not_resume(begun: Project) -> None:
    suite(begun, works="phase", body='phase.record("resume", "over")')
    assert begun.run(*PROD).ret == 11
    assert "demo.canary is not frozen on record" in begun.reason("works", environment="prod")
