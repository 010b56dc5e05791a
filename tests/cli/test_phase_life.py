"""`rollout begin`, `record` and `end`: the life of a phase in a real environment."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from pytest_rollout.evidence import resets
from pytest_rollout.evidence.bodies import PhaseBegun, StepTaken, StoredEvent, TripEvent
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.model.plan import Address
from pytest_rollout.model.reset import Reset
from pytest_rollout.model.verdict import Answer as Decided
from tests.cli.conftest import Answer, Project
from tests.evidence.runs import ENTRY, EXIT, FAIL, Writer
from tests.targets.test_identity import answering, saying

PLAN = """\
plan: demo
title: A demo
release: {target: api, path: /version, json: version}
environments:
  embedded: {targets: {api: {serve: "app:app"}}}
  prod: {targets: {api: "URL"}, allow: [observe, change]}
phases:
  - id: canary
    owners: [sre]
    criteria:
      - {id: ready, gate: entry, kind: operational, says: The target is ready}
      - {id: works, kind: demo, says: It works}
      - {id: errors, kind: slo, says: No request fails, metric: errors, take: max, pass: "<= 0",
         need: 2}
    guardrails:
      - {id: rail, metric: errors, take: max, fail: "> 9", over: [{span: 5m}], then: [rollback]}
    rollback: [the customer is called]
"""
BY = ("--by", "A. Person")
TRIP = TripEvent(
    type=TripEvent.TYPE,
    t_us=1_700_000_000_000_000,
    says="max of errors was 12",
    guardrail="demo.canary.rail",
    answer=Decided.ROLLBACK,
    release="v1",
)


@pytest.fixture
def served(project: Project) -> Iterator[Project]:
    with answering(saying('{"version": "v1"}')) as url:
        project.plan.write_text(PLAN.replace("URL", url))
        yield project


def decided(project: Project, gate: Address, run: str) -> None:
    with project.ledger() as ledger:
        text = project.plan.read_text()
        writer = Writer(ledger, run=run, environment="prod", text=text, gates=(gate,))
        writer.good(t_us=time.time_ns() // 1000 - 3_000_000)


def verb(project: Project, name: str, *more: str) -> Answer:
    return project.rollout(name, "demo.canary", *more, *BY)


def begun(project: Project) -> None:
    decided(project, ENTRY, "entry")
    assert verb(project, "begin").status == 0


def test_a_phase_begins_where_its_entry_is_clear(served: Project) -> None:
    decided(served, ENTRY, "entry")
    answer = verb(served, "begin")
    assert answer.status == 0
    assert "demo.canary began in prod at " in answer.out
    assert "release v1" in answer.out
    assert "next: pytest -m canary --rollout-env prod" in answer.out
    with served.ledger() as ledger:
        told = PhaseLife(ledger, ENTRY, "prod").begin()
    assert told is not None
    assert isinstance(told.body, PhaseBegun)
    assert (told.body.by, told.body.release) == ("A. Person", "v1")


def test_clear_asks_for_the_exit_once_a_phase_has_begun(served: Project) -> None:
    begun(served)
    assert "demo.canary/exit in prod" in served.rollout("clear", "demo.canary", "--env", "prod").out


def rolled_back(project: Project) -> None:
    step = StepTaken(
        type=StepTaken.TYPE,
        t_us=1,
        says="1. traffic goes back: done",
        step="1",
        outcome="done",
        trip=1,
    )
    with project.ledger() as ledger:
        PhaseLife(ledger, ENTRY, "prod").record(step)


def clear(project: Project) -> Answer:
    return project.rollout("clear", "demo.canary/exit", "--env", "prod")


def test_after_a_rollback_the_exit_is_clear_once_the_change_is_out_again(served: Project) -> None:
    begun(served)
    decided(served, EXIT, "before")
    assert clear(served).status == 0
    rolled_back(served)
    decided(served, EXIT, "after")
    held = clear(served)
    assert held.status == Decided.HOLD.exit_status
    assert "rolled-back: the phase was rolled back at " in held.out
    assert (
        "-> `rollout begin demo.canary --env prod --by NAME`, once its entry is clear" in held.out
    )
    assert verb(served, "end").status == Decided.HOLD.exit_status
    assert verb(served, "record", "change", "--says", "out again", "--env", "prod").status == 0
    decided(served, EXIT, "again")
    assert clear(served).status == 0


def test_what_is_not_clear_does_not_begin(served: Project) -> None:
    with served.ledger() as ledger:
        text = served.plan.read_text()
        writer = Writer(ledger, run="r1", environment="prod", text=text, gates=(ENTRY,))
        writer.start()
        writer.manifest()
        writer.batch("t.py::test_ready", FAIL)
        writer.batch("t.py::test_works")
        writer.batch("t.py::test_errors")
        writer.seal()
        writer.decide()
    answer = verb(served, "begin")
    assert answer.status == Decided.NO_GO.exit_status
    assert "demo.canary/entry in prod: NOT clear (NO-GO)" in answer.out
    with served.ledger() as ledger:
        assert PhaseLife(ledger, ENTRY, "prod").begin() is None


def test_a_phase_begins_once(served: Project) -> None:
    begun(served)
    again = verb(served, "begin")
    assert again.status == 4
    assert "is on record as begun in prod at " in again.err
    assert "(begun by A. Person)" in again.err
    assert "`rollout end demo.canary --env prod` ends it" in again.err


def test_a_phase_that_was_rolled_back_begins_anew_once_it_is_clear(served: Project) -> None:
    begun(served)
    with served.ledger() as ledger:
        PhaseLife(ledger, EXIT, "prod").record(TRIP)
    refused = verb(served, "begin")
    assert refused.status == Decided.HOLD.exit_status, "the guardrail is not reset"
    assert "demo.canary.rail tripped at" in refused.out
    reset = served.rollout("reset", TRIP.guardrail, "--env", "prod", *BY, "--reason", "INC-1")
    assert reset.status == 0, reset.err
    decided(served, ENTRY, "anew")
    assert verb(served, "begin").status == 0
    again = verb(served, "begin")
    assert "is on record as begun in prod at " in again.err, "the rollback came before this begin"


def test_a_phase_ends_where_its_exit_is_clear_and_may_begin_again(served: Project) -> None:
    begun(served)
    held = verb(served, "end")
    assert held.status == Decided.HOLD.exit_status, "its exit was never asked for"
    decided(served, EXIT, "exit")
    assert verb(served, "end").status == 0
    assert "has ended in prod at " in verb(served, "end").err
    decided(served, ENTRY, "entry2")
    assert verb(served, "begin").status == 0


def test_a_second_life_rests_on_no_run_of_the_first(served: Project) -> None:
    begun(served)
    decided(served, EXIT, "exit")
    assert verb(served, "end").status == 0
    again = verb(served, "begin")
    assert again.status == Decided.HOLD.exit_status
    assert "run entry is from before the phase ended at " in again.out
    decided(served, ENTRY, "entry2")
    assert verb(served, "begin").status == 0
    ended = verb(served, "end")
    assert ended.status == Decided.HOLD.exit_status
    assert "run exit is from before the phase began at " in ended.out


def test_what_was_cleared_is_what_begins(project: Project) -> None:
    """A target that switches between the clearance and the begin begins nothing."""
    said = iter(["v1"])

    def respond(handler: BaseHTTPRequestHandler) -> None:
        saying(json.dumps({"version": next(said, "v2")}))(handler)

    with answering(respond) as url:
        project.plan.write_text(PLAN.replace("URL", url))
        decided(project, ENTRY, "entry")
        answer = verb(project, "begin")
    assert answer.status == 4
    assert "prod runs v2 now, and v1 was cleared" in answer.err
    with project.ledger() as ledger:
        assert PhaseLife(ledger, ENTRY, "prod").begin() is None


def test_an_older_copy_of_the_ledger_clears_nothing(served: Project) -> None:
    decided(served, ENTRY, "entry")
    older = served.store.read_bytes()
    decided(served, ENTRY, "entry2")
    assert served.rollout("clear", "demo.canary", "--ledger", str(served.store)).status == 0
    served.store.write_bytes(older)
    answer = served.rollout("clear", "demo.canary", "--ledger", str(served.store))
    assert answer.status == Decided.HOLD.exit_status
    assert "it is an older or another copy" in answer.out


def test_after_the_end_a_phase_means_its_exit_until_a_run_asks_for_its_entry(
    served: Project,
) -> None:
    begun(served)
    decided(served, EXIT, "exit")
    assert verb(served, "end").status == 0
    answer = served.rollout("clear", "demo.canary", "--env", "prod")
    assert (answer.status, "demo.canary/exit in prod: clear" in answer.out) == (0, True), answer.out
    assert "  yes  ended: the phase has ended at " in answer.out
    assert "(ended by A. Person); this is about its exit" in answer.out
    twice = verb(served, "end")
    assert (twice.status, "has ended in prod at " in twice.err) == (4, True)
    decided(served, ENTRY, "entry2")
    entry = served.rollout("clear", "demo.canary", "--env", "prod")
    assert "demo.canary/entry in prod: clear" in entry.out
    assert "has ended" not in entry.out
    assert verb(served, "begin").status == 0
    assert "has ended" not in served.rollout("clear", "demo.canary", "--env", "prod").out


AFTER = """\
  - id: full
    requires: [canary]
    criteria:
      - {id: open, gate: entry, kind: operational, says: It is open}
      - {id: calm, kind: operational, says: It is calm}
"""


def ended(project: Project, run: str) -> list[str]:
    """The canary is decided, begun, decided and ended; what its end says comes next."""
    for gate, name in ((ENTRY, "begin"), (EXIT, "end")):
        decided(project, gate, f"{run}-{gate.gate}")
        answer = verb(project, name)
        assert answer.status == 0, answer.out
    return answer.out.splitlines()[1:]


def had_its_turn(project: Project, phase: str) -> None:
    """A phase begins and ends."""
    with project.ledger() as ledger:
        for type_ in ("begin", "end"):
            event = StoredEvent(type=type_, t_us=1_700_000_000_000_000, says="the pager said so")
            PhaseLife(ledger, Address("demo", phase), "prod").record(event)


def following(project: Project) -> dict[str, list[str]]:
    """What the status says is next, by phase."""
    rows = project.rollout("status", "--env", "prod", "--json").json["phases"]
    return {row["phase"]: [step["do"] for step in row["next"]] for row in rows}


def test_each_end_says_what_comes_next_in_each_rollout(served: Project) -> None:
    served.plan.write_text(served.plan.read_text() + AFTER)
    canary, full = (f"`pytest -m {one} --rollout-env prod`" for one in ("canary", "full"))
    for rollout in ("first", "second"):
        assert ended(served, rollout) == ["  next: pytest -m full --rollout-env prod"]
        assert following(served) == {
            "canary": [f"full is next: {full} decides its entry gate"],
            "full": [f"{full} decides its entry gate"],
        }
        had_its_turn(served, "full")
        (done,) = following(served)["full"]
        assert (following(served)["canary"], done) == (
            [],
            f"the plan is done in prod; a new rollout begins with {canary}, which decides the "
            "entry gate of canary",
        )
    assert f"    next: {done}" in served.rollout("status", "--env", "prod").out.splitlines()


def test_a_second_rollout_says_what_comes_next_and_rests_on_no_answer_of_the_first(
    served: Project,
) -> None:
    begun(served)
    decided(served, EXIT, "exit")
    assert verb(served, "end").status == 0
    decided(served, ENTRY, "entry2")
    assert following(served)["canary"] == ["`rollout begin demo.canary --env prod --by NAME`"]
    assert verb(served, "begin").status == 0
    watch, exit_ = following(served)["canary"]
    assert "nobody watches" in watch
    assert exit_ == "`pytest -m canary --rollout-env prod` decides its exit gate"


def test_the_end_of_the_last_phase_says_nothing_more(served: Project) -> None:
    begun(served)
    decided(served, EXIT, "exit")
    assert len(verb(served, "end").out.splitlines()) == 1


def test_a_begin_that_a_check_recorded_is_one_for_every_verb(served: Project) -> None:
    with served.ledger() as ledger:
        began = StoredEvent(type="begin", t_us=1_700_000_000_000_000, says="the pager said so")
        PhaseLife(ledger, ENTRY, "prod").record(began)
    assert "(the pager said so)" in verb(served, "begin").err
    assert verb(served, "end").status == Decided.HOLD.exit_status, "its exit was never asked for"


def test_demands_that_no_plan_states_are_explained_too(served: Project) -> None:
    begun(served)
    decided(served, EXIT, "exit")
    said = served.rollout("explain", "demo.canary.run.release", "--env", "prod")
    assert said.status == 0, said.err
    lines = said.out.splitlines()
    assert lines[1] == "  It says: The run looked at one release, which is known."
    assert "  demo.canary/exit in prod: pass; v1, at start and end" in lines, said.out
    quiet = served.rollout("explain", "demo.canary.phase.release", "--env", "prod")
    assert quiet.out.endswith("say nothing of it: nothing stands against it.\n")
    data = served.rollout("explain", "demo.canary.run.release", "--env", "prod", "--json").json
    assert [one["verdict"] for one in data["found"]] == ["pass", "pass"]
    wrong = served.rollout("explain", "demo.canary.phase.relaese", "--env", "prod")
    assert (wrong.status, "did you mean `phase.release`?" in wrong.err) == (4, True)


def test_a_rehearsal_is_neither_begun_nor_ended_nor_recorded(served: Project) -> None:
    for name, more in (("begin", ()), ("end", ()), ("record", ("change", "--says", "x"))):
        answer = verb(served, name, *more, "--env", "embedded")
        assert (answer.status, "a rehearsal" in answer.err) == (4, True), name


def test_a_freeze_on_record_holds_until_a_resume(served: Project) -> None:
    decided(served, ENTRY, "entry")
    assert verb(served, "record", "freeze", "--says", "INC-7").status == 0
    answer = verb(served, "begin")
    assert answer.status == Decided.HOLD.exit_status
    assert "no   freeze: frozen on record since " in answer.out
    assert "INC-7 (A. Person)" in answer.out
    assert verb(served, "record", "resume", "--says", "over").status == 0
    assert verb(served, "begin").status == 0


def test_what_was_not_frozen_is_not_resumed(served: Project) -> None:
    decided(served, ENTRY, "entry")
    assert "is not frozen on record" in verb(served, "record", "resume", "--says", "x").err


def test_a_trip_on_record_holds_until_its_guardrail_is_reset(served: Project) -> None:
    begun(served)
    decided(served, EXIT, "exit")
    with served.ledger() as ledger:
        PhaseLife(ledger, EXIT, "prod").record(TRIP)
    answer = verb(served, "end")
    assert answer.status == Decided.HOLD.exit_status
    assert "no   trips: demo.canary.rail tripped at " in answer.out
    assert "was not reset: max of errors was 12" in answer.out
    reason = ("--reason", "the disk was full, INC-8")
    reset = served.rollout("reset", "demo.canary.rail", *BY, *reason)
    assert reset.status == 0, reset.err
    alone = verb(served, "end")
    assert alone.status == Decided.HOLD.exit_status
    assert "trips" not in alone.out
    assert "run exit is from before demo.canary.rail tripped at " in alone.out
    decided(served, EXIT, "exit2")
    assert verb(served, "end").status == 0


def test_a_reset_of_another_release_lifts_no_trip(served: Project) -> None:
    begun(served)
    with served.ledger() as ledger:
        life = PhaseLife(ledger, EXIT, "prod")
        life.record(TRIP)
        for release, left in (("v0", 1), ("v1", 0)):
            resets.reset(ledger, Reset(TRIP.guardrail, "A", "seen", 0, "", "", release), "prod")
            assert len(list(life.trips())) == left


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (("change", "--says", " "), "--says: says nothing"),
        (("change", "--says", "x", "--at", "noon"), "--at: 'noon' is no moment"),
        (("change", "--says", "x", "--at", "2199-01-01T00:00:00Z"), "is still to come"),
        (("chnage", "--says", "x"), "'chnage' is not one of"),
    ],
)
def test_mistakes_are_one_message(served: Project, more: tuple[str, ...], why: str) -> None:
    answer = verb(served, "record", *more)
    assert answer.status == 4
    assert why in answer.err


def test_status_leads_with_trips_and_says_what_has_begun_and_is_frozen(served: Project) -> None:
    begun(served)
    verb(served, "record", "freeze", "--says", "INC-7")
    with served.ledger() as ledger:
        PhaseLife(ledger, EXIT, "prod").record(TRIP)
    _, first, row, *below = served.rollout("status", "--env", "prod").out.splitlines()
    assert first.startswith("  TRIPPED demo.canary.rail 2023-11-14 22:13:20 UTC, not reset: max of")
    assert row.startswith("  canary")
    assert [line.split()[0] for line in below[:2]] == ["begun", "frozen"]
    assert "by A. Person" in below[0]
    assert "INC-7 (A. Person)" in below[1]
    data = served.rollout("status", "--env", "prod", "--json").json["phases"][0]
    assert (len(data["trips"]), bool(data["begun"]), bool(data["freeze"])) == (1, True, True)


def test_a_change_in_the_past_is_recorded_with_both_times(served: Project) -> None:
    at = ("--at", "2025-11-10T09:00:00-05:00", "--json")
    data = verb(served, "record", "change", "--says", "caps raised", *at).json
    assert (data["type"], data["at"]) == ("change", "2025-11-10T14:00:00+00:00")
    assert data["recorded"] > data["at"]
