"""What `rollout load` makes of a run: a GO without a load is none, and what follows is said."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_rollout.evidence.bodies import PhaseBegun, PhaseEnded, StoredEvent
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.evidence.records import Batch
from pytest_rollout.load import phase_child
from pytest_rollout.load.phase_child import Asked
from pytest_rollout.model.plan import EMBEDDED, Address
from tests.cli.conftest import Answer, Project
from tests.evidence.runs import ENTRY, EXIT, FAIL, PASS, PLAN, Writer

LOADS = """\
loads:
  - {id: peak, locustfile: load/web.py, target: api, rate: 4/s, duration: 20s}
phases:
"""
TEXT = PLAN.replace("phases:\n", LOADS)
BEGUN = PhaseBegun(
    type="begin", t_us=1, by="Ada", entry="d", release="v1", configuration=None, asked=""
)
ENDED = PhaseEnded(type="end", t_us=2, by="Ada", exit="d")


class Loading:
    """A project whose phase is run by nobody: a run is written to its ledger instead."""

    def __init__(self, project: Project) -> None:
        self.project = project
        project.plan.write_text(TEXT)
        self.runs = 0
        self.made: Sequence[str] = ()  # the names of files that a check attaches
        self.works = PASS
        self.status = 0
        self.gate = ENTRY

    @contextmanager
    def running(self, asked: Asked, folder: Path) -> Iterator[Loading]:
        """What the child would leave, once it has run."""
        self.runs += 1
        with self.project.ledger() as ledger:
            run = Writer(ledger, f"r{self.runs}", asked.environment, TEXT, gates=[self.gate])
            run.start()
            run.manifest()
            run.checks(self.works)
            digest = hashlib.sha256(b"{}").hexdigest()
            ledger.store.put(digest, b"{}")
            files = tuple(
                {"name": name, "digest": digest, "size": 2, "type": "application/json"}
                for name in self.made
            )
            batch = Batch("t.py::test_works", "demo.canary", self.works, (), files)
            ledger.append_batch(run.run, asked.environment, batch, "main")
            run.seal()
            run.decide()
        yield self

    def has_ended(self) -> bool:
        return True

    def now(self) -> None:
        return None

    def ended(self) -> tuple[int, list[str]]:
        return self.status, ["said"]

    def event(self, event: StoredEvent) -> None:
        with self.project.ledger() as ledger:
            PhaseLife(ledger, Address("demo", "canary"), "prod").record(event)

    def load(self, *arguments: str) -> Answer:
        return self.project.rollout("load", "demo.canary", *arguments)


@pytest.fixture
def loading(project: Project, monkeypatch: pytest.MonkeyPatch) -> Loading:
    made = Loading(project)
    monkeypatch.setattr(phase_child, "running", made.running)
    return made


def test_an_entry_gate_without_a_load_is_no_go(loading: Loading) -> None:
    answer = loading.load("--env", "prod")
    assert answer.status == 11
    last = answer.out.splitlines()[-1]
    assert last == (
        "HOLD: demo.canary: no load was made: demo.canary has not begun in prod "
        "(rollout begin demo.canary --env prod --by NAME)"
    )
    told = json.loads(loading.load("--env", "prod", "--json").out)
    assert told["exit_status"] == 11
    (phase,) = told["phases"]
    assert (phase["answer"], phase["gates"][0]["answer"]) == ("HOLD", "GO")
    assert phase["trouble"].startswith("no load was made: ")


def test_a_phase_that_has_ended_makes_no_load(loading: Loading) -> None:
    loading.event(BEGUN)
    loading.event(ENDED)
    answer = loading.load("--env", "prod")
    assert answer.status == 11
    assert "no load was made: demo.canary has ended in prod at " in answer.out
    assert "(rollout begin demo.canary --env prod --by NAME)" in answer.out


def test_no_check_of_a_gate_that_makes_a_load(loading: Loading) -> None:
    loading.event(BEGUN)
    loading.gate = EXIT
    loading.made = ("peak.load.json.txt", "notes.json")
    answer = loading.load("--env", "prod")
    assert answer.status == 11
    assert "no load was made: no check of demo.canary at its exit gate makes one" in answer.out
    loading.gate = ENTRY
    answer = loading.load()
    assert answer.status == 11
    assert "HOLD: demo.canary: no load was made: no check of demo.canary makes one" in answer.out


@pytest.mark.parametrize("environment", [EMBEDDED, "prod"])
def test_a_load_that_was_made_keeps_the_answer(loading: Loading, environment: str) -> None:
    loading.event(BEGUN)
    loading.gate, loading.made = EXIT, ("load.peak.json",)
    answer = loading.load("--env", environment)
    assert (answer.status, answer.out.splitlines()[-1]) == (0, "GO: demo.canary/exit GO")
    assert "HOLD" not in answer.out


def test_a_no_is_a_no_with_and_without_a_load(loading: Loading) -> None:
    loading.event(BEGUN)
    loading.gate, loading.works, loading.status = EXIT, FAIL, 10
    answer = loading.load("--env", "prod")
    assert (answer.status, answer.out.splitlines()[-1]) == (10, "NO-GO: demo.canary/exit NO-GO")


def test_the_report_and_the_next_step_are_said(loading: Loading) -> None:
    loading.event(BEGUN)
    loading.gate, loading.made = EXIT, ("load.peak.json",)
    lines = loading.load("--env", "prod").out.splitlines()
    assert lines[-4].startswith("  next: rollout end demo.canary --env prod --by NAME")
    assert lines[-2] == "  report: rollout-report/demo/prod/canary/exit"
