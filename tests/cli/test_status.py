"""`rollout status`: trips first, who is next, whether somebody watches, what runs now."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest

from pytest_rollout.cli import phase_standing
from pytest_rollout.evidence.bodies import Process
from pytest_rollout.evidence.decoding import decoded
from pytest_rollout.evidence.ledger import Draft
from pytest_rollout.model.people import Authors
from pytest_rollout.processes import this_process
from pytest_rollout.watching.record import Recording, Watched
from tests.cli.conftest import Project
from tests.cli.watched import PLAN, Service, happen, serving
from tests.evidence.runs import ENTRY, FAIL, Writer, plan_of

SHOWN = ("status", "--env", "prod")


@pytest.fixture
def service(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service, and a plan with two phases that watches it."""
    project.plan.write_text(PLAN)
    with serving() as found:
        monkeypatch.setenv("DEMO_API", found.url)
        monkeypatch.setenv("DEMO_HOOK", f"{found.url}/hook")
        yield found


def entered(project: Project) -> None:
    """The entry gate is GO for v1, and the phase begins."""
    with project.ledger() as ledger:
        Writer(ledger, "r1", "prod", PLAN, gates=(ENTRY,)).good()
        happen(ledger)


def test_the_worst_leads_and_each_phase_says_who_is_next(
    project: Project, service: Service
) -> None:
    entered(project)
    service.lags = [9]
    assert project.rollout("watch", "demo.canary", "--every", "50ms").status == 12
    lines = project.rollout(*SHOWN).out.splitlines()
    assert lines[1].startswith("  TRIPPED demo.canary.lag ")
    assert lines[2].startswith("  1. canary: sre: roll back (`rollout watch demo.canary --env prod")
    assert "`rollout reset demo.canary.lag --env prod --by NAME --reason WHY`" in lines[2]
    below = lines[lines.index("") :]
    assert "    next: see 1. and 2. above" in below, "reset, and revalidate"
    assert (
        "    next: its owner: `pytest -m prep --rollout-env prod` decides its entry gate" in below
    )
    prep, canary = project.rollout(*SHOWN, "--json").json["phases"]
    assert (prep["next_gate"], canary["next_gate"]) == ("entry", "exit")
    assert [step["urgency"] for step in canary["next"]] == ["tripped", "held"]
    assert (canary["owners"], canary["release"]) == (["sre"], "v1")


def test_it_says_whether_somebody_watches(project: Project, service: Service) -> None:
    entered(project)
    before = project.rollout(*SHOWN)
    assert "`rollout watch demo.canary --env prod`: nobody watches its guardrails" in before.out
    assert project.rollout("watch", "demo.canary", "--every", "50ms", "--for", "300ms").status == 0
    assert "last watched at" in canary(project)
    assert "killed" not in canary(project)


def canary(project: Project) -> str:
    """What is said of the canary phase."""
    said: str = project.rollout(*SHOWN, "--json").json["phases"][1]["watched"]
    return said


def test_a_watch_that_was_killed_is_named(
    project: Project, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered(project)
    assert project.rollout("watch", "demo.canary", "--every", "50ms", "--for", "60ms").status == 0
    with project.ledger() as ledger:
        start = next(one for one in ledger.between(1) if "-watch-" in one.run)
        ledger.append(Draft(decoded(start), "20200101T000000-watch-abcdef", "", "", "prod"))
    assert canary(project).startswith("watched now"), "its last record is of this moment"
    assert "nobody watches" not in project.rollout(*SHOWN).out
    monkeypatch.setattr(phase_standing, "_LEAST_PATIENCE_US", 0)
    monkeypatch.setattr(phase_standing, "_PATIENCE", 0)
    killed = "ago); that watch was killed: what it asked for is blind until a reset"
    assert canary(project).endswith(killed)
    assert "nobody watches" in project.rollout(*SHOWN).out


def test_drift_is_another_release_than_that_of_the_last_go(
    project: Project, service: Service
) -> None:
    entered(project)
    assert "DRIFT" not in project.rollout(*SHOWN, "--drift").out
    service.version = "v2"
    assert "DRIFT" not in project.rollout(*SHOWN).out, "nothing is read unless it is asked"
    drift = project.rollout(*SHOWN, "--drift").out.splitlines()[1]
    assert re.match(r"  DRIFT prod runs v2; the last GO \(canary/entry at .*\) is for v1$", drift)
    (line,) = project.rollout(*SHOWN, "--drift", "--json").json["drift"]
    assert line.startswith("prod runs v2;")


def test_drift_says_what_cannot_be_told(
    project: Project, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = project.rollout(*SHOWN, "--drift").out
    assert "DRIFT demo has no GO in prod to compare with" in none
    entered(project)
    monkeypatch.setenv("DEMO_API", "http://127.0.0.1:1")
    assert "DRIFT prod does not say what it runs (" in project.rollout(*SHOWN, "--drift").out


def test_a_go_that_another_run_stands_against_is_held(project: Project, service: Service) -> None:
    with project.ledger() as ledger:
        slow = Writer(ledger, "slow", "prod", PLAN, gates=(ENTRY,))
        slow.start()
        Writer(ledger, "quick", "prod", PLAN, gates=(ENTRY,)).good()
        slow.manifest()
        slow.batch("t.py::test_ready", FAIL)
        slow.seal()
        slow.decide()
    row = project.rollout(*SHOWN, "--json").json["phases"][1]
    (why,) = row["against"]["entry"]
    assert (row["entry"]["decision"], row["entry"]["run"]) == ("GO", "quick")
    assert why == "run slow, which began earlier and ended later, says NO-GO"
    (step,) = row["next"]
    assert (step["urgency"], step["do"].startswith("settle what holds")) == ("refused", True)
    assert f"    entry is held: {why}" in project.rollout(*SHOWN).out.splitlines()
    assert why in project.rollout("clear", "demo.canary/entry", "--env", "prod").out


def test_a_run_that_still_runs_here_is_no_lost_one(project: Project, service: Service) -> None:
    with project.ledger() as ledger:
        running = Writer(ledger, "r1", "prod", PLAN, gates=(ENTRY,))
        running.process = Process(*this_process())
        running.start()
        running.manifest()
    row = project.rollout(*SHOWN, "--json").json["phases"][1]
    (step,) = row["next"]
    waits = f"waits for the run of canary/entry that still runs (process {os.getpid()})"
    assert (step["urgency"], step["do"]) == ("waiting", waits)
    says = f"entry HOLD (run r1 still runs (process {os.getpid()}))"
    assert says in project.rollout(*SHOWN).out


def test_an_author_of_the_change_is_not_asked_to_sign(project: Project, service: Service) -> None:
    people = "people:\n  - {id: ada, name: Ada, roles: [sre]}\n  - {id: bob, roles: [sre, pm]}\n"
    (project.root / "roles.yaml").write_text(people)
    signoff = "    owners: [sre]\n    signoff: [sre, pm]\n"
    text = PLAN.replace("    owners: [sre]\n", signoff)
    text = text.replace("phases:\n", "author: {variable: CHANGE_AUTHOR}\nphases:\n", 1)
    project.plan.write_text(text)
    with project.ledger() as ledger:
        Writer(ledger, "r1", "prod", text, gates=(ENTRY,), authors=Authors(("bob",))).good()
    steps = project.rollout(*SHOWN, "--json").json["phases"][1]["next"]
    assert [step["who"] for step in steps] == [
        "sre (Ada)",
        "pm (only an author of the change holds the role)",
    ]


def test_a_guardrail_that_is_blind_is_said(project: Project, service: Service) -> None:
    with project.ledger() as ledger:
        Writer(ledger, "r1", "prod", PLAN, gates=(ENTRY,)).good()
    begin = project.rollout("begin", "demo.canary", "--env", "prod", "--by", "A")
    assert begin.status == 0, begin.out
    service.lags = [None]
    watch = project.rollout("watch", "demo.canary", "--every", "50ms", "--for", "60ms")
    assert watch.status == 11, watch.out
    said = project.rollout(*SHOWN)
    assert "demo.canary.lag is blind, because its watch left holes" in said.out
    step = project.rollout(*SHOWN, "--json").json["phases"][1]["next"][0]
    assert step["urgency"] == "doubted"
    assert step["do"].startswith("`rollout reset demo.canary.lag --env prod")
    reset = ("reset", "demo.canary.lag", "--env", "prod", "--by", "A", "--reason", "it was down")
    assert project.rollout(*reset).status == 0
    assert "is blind" not in project.rollout(*SHOWN).out


def test_a_watch_that_goes_on_is_told_though_a_later_one_has_ended(
    project: Project, service: Service
) -> None:
    entered(project)
    with project.ledger() as ledger:
        watched = Watched(ENTRY, "prod", ("lag",), plan_of(PLAN).digest, {}, {})
        Recording(ledger, watched).begin(None)
        ended = Recording(ledger, watched)
        ended.begin(None)
        ended.seal(None)
    assert canary(project).startswith("watched now, last look at ")
