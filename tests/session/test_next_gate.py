"""Which gate a run on a real environment decides, why, and what follows: said in so many words."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from pytest_rollout.evidence import opening
from pytest_rollout.evidence.bodies import StoredEvent
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.model.plan import Address
from tests.session.project import TESTS, Project
from tests.targets.test_identity import answering, saying

PLAN = """\
plan: demo
title: A demo
timezone: America/New_York
release: {target: api, path: /version, json: version}
environments:
  prod: {targets: {api: "URL"}}
phases:
  - id: canary
    owners: [sre]
    criteria:
      - {id: ready, gate: entry, kind: operational, says: The target is ready}
      - {id: works, kind: demo, says: It works}
"""
HALF = TESTS[: TESTS.index('@pytest.mark.criterion("nice")')]
RUN = ("-m", "canary", "--rollout-env", "prod")
BEGIN = "rollout begin demo.canary --env prod --by NAME"
PYTEST = "pytest -m canary --rollout-env prod"


@pytest.fixture
def prod(project: Project) -> Iterator[Project]:
    """A project with a real environment that runs v1."""
    with answering(saying('{"version": "v1"}')) as url:
        project.plan(PLAN.replace("URL", url))
        project.tests(HALF)
        yield project


def happens(project: Project, type_: str) -> None:
    """The phase begins, or ends."""
    with closing(opening.to_write(str(project.root / ".rollout/ledger.db"))) as ledger:
        now = time.time_ns() // 1000
        event = StoredEvent(type=type_, t_us=now, says=f"{type_} by Ada")
        PhaseLife(ledger, Address("demo", "canary"), "prod").record(event)


def said(result: pytest.RunResult) -> tuple[str, list[str]]:
    """The line of the header that says which gate and why, and the lines of what is next.

    Of a GO those are the last of what is to be done.
    """
    (why,) = [line for line in result.outlines if line.startswith("rollout: demo.canary ")]
    after = [line.strip() for line in result.outlines if line.startswith("  next: ")]
    last = [n for n, line in enumerate(result.outlines) if ": once nothing is, " in line]
    todo = [line.strip() for n in last for line in result.outlines[n : n + 2]]
    return why.removeprefix("rollout: "), [
        line.partition("sre: ")[2] or line for line in todo
    ] + after


def test_a_life_from_entry_to_end_names_each_gate_and_the_next_step(prod: Project) -> None:
    why, after = said(prod.run(*RUN))
    assert why == "demo.canary has not begun in prod: this run decides its entry gate"
    assert after == ["once nothing is, begin the phase", BEGIN]
    why, after = said(prod.run(*RUN))
    assert "this run decides its entry gate again, which is GO already for v1;" in why
    assert f"`{BEGIN}` leads to its exit gate" in why
    assert after == ["once nothing is, begin the phase", BEGIN]
    happens(prod, "begin")
    why, after = said(prod.run(*RUN))
    assert why.startswith("demo.canary began in prod at ")
    assert why.endswith("(begin by Ada): this run decides its exit gate")
    end = "rollout end demo.canary --env prod --by NAME"
    assert after == ["once nothing is, end the phase", end]
    happens(prod, "end")
    why, _ = said(prod.run(*RUN))
    assert why.startswith("demo.canary has ended in prod at ")
    assert why.endswith("(end by Ada): this run decides its entry gate anew")


def test_another_gate_than_the_next_says_how_to_get_there(prod: Project) -> None:
    asked = prod.run(*RUN, "--rollout-gate", "exit")
    why, after = said(asked)
    assert why == (
        "demo.canary has not begun in prod, and --rollout-gate asks for its exit gate, "
        f"where nothing counts before `{BEGIN}`"
    )
    assert after == []
    todo = [line.strip() for line in asked.outlines if BEGIN in line or "begin the phase" in line]
    assert todo[-2:] == ["1. sre: begin the phase: its exit is of one that has begun", BEGIN]
    prod.run(*RUN)
    happens(prod, "begin")
    asked = prod.run(*RUN, "--rollout-gate", "entry")
    why, after = said(asked)
    assert "so its exit gate is next, but --rollout-gate asks for its entry gate" in why
    assert after == []
    todo = [line.strip() for line in asked.outlines if line.strip().startswith(("1. ", PYTEST))]
    assert todo[-2:] == ["1. sre: the phase has begun: decide its exit gate", PYTEST]


def test_what_is_no_go_leads_to_another_run(prod: Project) -> None:
    prod.change("def test_ready():\n    pass", "def test_ready():\n    assert False")
    for more, first in ((), "ready: fix it"), (("-k", "works"), "run the gate whole"):
        result = prod.run(*RUN, *more)
        todo = [line.strip() for line in result.outlines if line.startswith("  ")]
        assert any(line.startswith(f"1. sre: {first}") for line in todo)
        assert todo.count(PYTEST) == 1, "what is next stands among what is to be done, once"
        assert said(result)[1] == []


def test_a_rehearsal_says_nothing_of_it(prod: Project) -> None:
    result = prod.run("-m", "canary")
    assert not [line for line in result.outlines if "next: " in line or "this run decides" in line]


def test_a_run_that_makes_the_ledger_says_that_nothing_from_before_counts(prod: Project) -> None:
    prod.change("def test_ready():\n    pass", "def test_ready():\n    assert False")
    first = prod.run(*RUN).outlines
    made = "this run makes the ledger "
    assert any(line.startswith(f"rollout: {made}") for line in first)
    assert any(line.startswith(f"note: {made}") for line in first)
    second = prod.run(*RUN).outlines
    assert not any(made in line for line in second)
    assert any(line.startswith("rollout: evidence goes to ") for line in second)
    assert not any(made in line for line in prod.run("-m", "canary").outlines)


def test_a_go_needs_no_word_of_what_was_before(prod: Project) -> None:
    assert not any("note: this run makes" in line for line in prod.run(*RUN).outlines)


def test_a_partial_run_leaves_the_report_of_the_full_one(prod: Project) -> None:
    prod.run(*RUN)
    folder = prod.root / "rollout-report/demo/prod/canary/entry"
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    result = prod.run(*RUN, "-k", "nothing")
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    assert len(list(folder.glob("runs/*/decision.json"))) == 2
    result.stdout.fnmatch_lines(["  report: rollout-report/demo/prod/canary/entry/runs/*"])
