"""What nobody recorded: a watch trips on it, the exit holds, and `rollout clear` says no."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_rollout.evidence.since_begin import life_of
from tests.cli.conftest import Answer, Project
from tests.cli.watched import PLAN, Service, events, serving
from tests.evidence.runs import ENTRY, EXIT, Writer

BY = ("--by", "A. Person")


@pytest.fixture
def service(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service, and a plan that watches it."""
    project.plan.write_text(PLAN)
    with serving() as found:
        monkeypatch.setenv("DEMO_API", found.url)
        monkeypatch.setenv("DEMO_HOOK", f"{found.url}/hook")
        yield found


def run(project: Project, name: str, service: Service, *gates: object) -> Writer:
    """A run on the release that the service says it runs."""
    text = project.plan.read_text()
    with project.ledger() as ledger:
        writer = Writer(ledger, name, "prod", text, gates=gates or (EXIT,))  # type: ignore[arg-type]
        writer.release = service.version
        return writer.good(t_us=time.time_ns() // 1000 - 3_000_000)


@pytest.fixture
def begun(project: Project, service: Service) -> Service:
    """The phase has begun in prod, by the command."""
    run(project, "entry", service, ENTRY)
    answer = project.rollout("begin", "demo.canary", *BY)
    assert answer.status == 0, answer.out + answer.err
    return service


def watch(project: Project, service: Service, looks: int = 3) -> Answer:
    service.end_after = looks
    return project.rollout("watch", "demo.canary", "--every", "50ms")


def record(project: Project, what: str = "change") -> None:
    assert project.rollout("record", "demo.canary", what, "--says", "v2 is out", *BY).status == 0


def clear(project: Project) -> str:
    return project.rollout("clear", "demo.canary", "--env", "prod").out


def test_a_watch_trips_on_a_release_that_nobody_recorded(project: Project, begun: Service) -> None:
    quiet = watch(project, begun)
    assert quiet.status == 0, quiet.out + quiet.err
    assert "drift: quiet: release, configuration and addresses are as expected" in quiet.out
    begun.end_after, begun.happens = 2, lambda: setattr(begun, "version", "v2")
    answer = project.rollout("watch", "demo.canary", "--every", "50ms", "--for", "20s")
    assert answer.status == 11, answer.out + answer.err
    tripped = "demo.canary.drift tripped: the release was v2 at "
    assert tripped in answer.out
    assert (
        answer.out.splitlines()[-2] == "the watch ended: a guardrail tripped; what it saw is sealed"
    )
    with project.ledger() as ledger:
        (trip,) = events(ledger, "trip")
    assert (trip["guardrail"], trip["answer"]) == ("demo.canary.drift", "HOLD")
    assert any("demo.canary.drift tripped in prod" in str(said) for _, said in begun.posted)
    begun.version = "v1"
    assert watch(project, begun).status == 11, "it latches"


def test_what_tripped_holds_the_exit_until_it_is_reset(project: Project, begun: Service) -> None:
    begun.version = "v2"
    assert watch(project, begun).status == 11
    held = run(project, "r1", begun).decisions[0]
    assert [one.id for one in held.reasons] == ["phase.drift"]
    said = clear(project)
    assert "no   trips: demo.canary.drift tripped at " in said
    assert "no   drift: the release was v2 at " in said
    reset = project.rollout("reset", "demo.canary.drift", *BY, "--reason", "v2 is meant, INC-9")
    assert reset.status == 0, reset.err
    found = run(project, "r2", begun).decisions[0]
    assert [one.reason.code for one in found.reasons if one.id == "phase.drift"] == []
    assert "demo.canary.drift" in [one.id for one in found.conditions]
    assert not [line for line in clear(project).splitlines() if "drift" in line and "no " in line]
    assert watch(project, begun).status == 0


def test_a_recorded_change_is_no_drift(project: Project, begun: Service) -> None:
    record(project)
    begun.version = "v2"
    answer = watch(project, begun)
    assert answer.status == 0, answer.out
    begun.version = "v3"
    assert watch(project, begun).status == 11, "one change is one change"


def test_a_change_may_be_recorded_before_it_is_made(project: Project, begun: Service) -> None:
    record(project)
    assert watch(project, begun).status == 0, "it read the same as before"
    begun.version = "v2"
    assert watch(project, begun).status == 0
    record(project)
    run(project, "r1", begun)
    begun.version = "v3"
    assert watch(project, begun).status == 11, "a run used the record up"


def test_a_configuration_is_no_new_release(project: Project, begun: Service) -> None:
    record(project, "configuration")
    begun.version = "v2"
    assert watch(project, begun).status == 11


def test_clear_says_no_before_anybody_ran_anything(project: Project, begun: Service) -> None:
    run(project, "r1", begun)
    assert "drift" not in clear(project)
    begun.version = "v2"
    assert "no   drift: the release was v2 at " in clear(project)


def test_another_address_is_drift(
    project: Project, begun: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run(project, "r1", begun)
    monkeypatch.setenv("DEMO_API", begun.url.replace("127.0.0.1", "localhost"))
    assert "no   drift: the address of api was http://localhost:" in clear(project)
    assert watch(project, begun).status == 11


def test_nothing_to_reset_before_the_begin(project: Project, service: Service) -> None:
    run(project, "entry", service, ENTRY)
    answer = project.rollout("reset", "demo.canary.drift", *BY, "--reason", "x")
    assert "demo.canary has not begun in prod: nothing drifts from it" in answer.err


def test_the_name_is_taken(project: Project) -> None:
    project.plan.write_text(PLAN.replace("id: lag,", "id: drift,"))
    answer = project.rollout("check", "demo")
    assert "guardrail drift is built in" in answer.out + answer.err


def test_a_long_life_is_read_in_order(project: Project, begun: Service) -> None:
    for name in ("r1", "r2"):
        run(project, name, begun)
    record(project)
    with project.ledger() as ledger:
        life = life_of(ledger, EXIT, "prod", ledger.head().sequence + 1).life
    assert life is not None
    moments = [step.at_us for step in life.since]
    assert moments == sorted(moments)
    assert len(moments) == 5


def explain(project: Project) -> Answer:
    return project.rollout("explain", "demo.canary.drift", "--env", "prod")


def test_explain_tells_of_the_built_in_guardrail(project: Project, begun: Service) -> None:
    told = explain(project)
    assert told.status == 4
    assert "demo.canary.drift is built in (Release, configuration and addresses stay" in told.err
    assert "`rollout clear demo.canary --env prod` shows it" in told.err
    run(project, "r1", begun)
    told = explain(project)
    assert told.status == 0, told.err
    assert told.out.startswith("demo.canary.drift: quiet")
    begun.version = "v2"
    run(project, "r2", begun)
    told = explain(project)
    assert told.out.startswith("demo.canary.drift: tripped")
    assert "Seen: the release was v2 at " in told.out
    assert project.rollout("explain", "demo.canary.drift", "--env", "prod", "--json").json[
        "criterion"
    ]["verdict"] == ("fail")


def test_explain_says_that_nothing_was_begun(project: Project, service: Service) -> None:
    run(project, "r1", service)
    told = explain(project)
    assert (told.status, "which was not on record when demo.canary/exit" in told.err) == (4, True)
