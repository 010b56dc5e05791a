"""`rollout watch`: live looks at a service, trips on record, the way back, resets."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from pytest_rollout.evidence.resets import reset
from pytest_rollout.evidence.verify import verify
from pytest_rollout.model.reset import Reset
from tests.cli.conftest import Answer, Project
from tests.cli.watched import PLAN, Service, events, happen, serving
from tests.evidence.runs import ENTRY, EXIT, Writer
from tests.words import because

WATCH = ("watch", "demo.canary", "--every", "50ms")
RESET = ("reset", "demo.canary.lag", "--by", "A. Person", "--reason", "the cause is gone")


@pytest.fixture
def service(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service, a plan that watches it, and a phase that has begun."""
    project.plan.write_text(PLAN)
    with serving() as found:
        monkeypatch.setenv("DEMO_API", found.url)
        monkeypatch.setenv("DEMO_HOOK", f"{found.url}/hook")
        with project.ledger() as ledger:
            happen(ledger)
        yield found


def looks(project: Project, service: Service, n: int) -> Answer:
    """A watch that is ended after so many answers, unless it ends by itself."""
    service.end_after = n
    return project.rollout(*WATCH, "--for", "60s")


def test_a_quiet_watch_is_sealed_and_counts_at_the_gate(project: Project, service: Service) -> None:
    answer = looks(project, service, 3)
    assert answer.status == 0, answer.out + answer.err
    assert "lag: quiet" in answer.out
    assert "it was told to; what it saw is sealed" in answer.out
    assert service.posted == []
    with project.ledger() as ledger:
        found = Writer(ledger, "r1", "prod", PLAN, gates=(EXIT,)).good().decisions[0]
        (rail,) = found.guardrails
        assert rail.verdict.value == "pass"
        assert "over 3 samples since the phase began" in because(rail)
        assert verify(ledger, ()).problems == ()


def test_a_value_that_turns_bad_ends_the_watch(project: Project, service: Service) -> None:
    service.lags = [0, 0, 9]
    answer = project.rollout(*WATCH, "--for", "20s")
    assert answer.status == 12
    lines = answer.out.splitlines()
    assert any("lag: quiet" in line for line in lines)
    assert any(line.startswith("demo.canary.lag tripped: last of lag was 9") for line in lines)
    assert "slack: told" in lines
    assert "  1. traffic goes back (http on api: POST /stop)" in lines
    assert "  3. the customer is called (by hand)" in lines
    runs = "`rollout watch demo.canary --env prod --execute` runs the steps"
    assert lines[-2] == f"not run: {runs}"
    reset = "rollout reset demo.canary.lag --env prod --by NAME --reason WHY"
    assert lines[-1] == f"next: roll back, fix the cause, then `{reset}`"
    does = "watching demo.canary in prod: after a trip of lag it does nothing by itself"
    assert lines[0] == f"{does}: {runs}"
    ((path, said),) = service.posted
    assert path == "/hook"
    assert said["text"].startswith("*ROLLBACK: demo.canary.lag tripped in prod*\n")
    with project.ledger() as ledger:
        (trip,) = events(ledger, "trip")
        assert (trip["guardrail"], trip["answer"]) == ("demo.canary.lag", "ROLLBACK")
        assert events(ledger, "notify")[0]["failed"] is False
        found = Writer(ledger, "r1", "prod", PLAN, gates=(EXIT,)).good().decisions[0]
        assert found.answer.value == "ROLLBACK"


def test_the_way_back_is_run_once_though_asked_twice(project: Project, service: Service) -> None:
    service.lags = [9]
    execute = (*WATCH, "--execute", "--yes", "demo.canary")
    first = project.rollout(*execute)
    assert first.status == 12
    assert "1. traffic goes back: done" in first.out
    assert "2. the page is taken down: done: no check says that it holds" in first.out
    assert "left to do by hand: 3. the customer is called" in first.out
    again = project.rollout(*execute)
    assert again.status == 12
    assert "on record since" in again.out
    assert "1. traffic goes back: already done: http on api: /state holds" in again.out
    assert "2. the page is taken down: already done: it was run at" in again.out
    assert service.paths() == ["/hook", "/stop", "/page"]
    with project.ledger() as ledger:
        assert len(events(ledger, "trip")) == 1
        outcomes = [one["outcome"] for one in events(ledger, "rollback-step")]
    assert outcomes == [
        *("begun", "done", "begun", "done", "to be done by hand"),
        *("already done", "already done", "to be done by hand"),
    ]


def test_a_report_says_what_became_of_each_step(project: Project, service: Service) -> None:
    service.lags = [9]
    project.rollout(*WATCH, "--execute", "--yes", "demo.canary")
    with project.ledger() as ledger:
        Writer(ledger, "r1", "prod", PLAN, gates=(EXIT,)).good()
    answer = project.rollout("report", "demo.canary/exit", "--env", "prod", "--format", "md")
    text = " ".join(answer.out.split())
    assert "rolled back, every step" not in text  # one is left
    assert "roll back by hand: the customer is called" in text
    assert re.search(r"traffic goes back `[^`]+` \| done \| 20", text)
    assert re.search(r"the customer is called \| to be done by hand \| 20", text)
    page = project.rollout("report", "demo.canary/exit", "--env", "prod", "--format", "html").out
    told = project.rollout("standup", "--env", "prod").out
    for said in (page, told):
        assert "1. traffic goes back: done: http on api" in said
        assert "demo.canary.lag tripped: last of lag was 9" in said
    status = " ".join(project.rollout("status", "demo", "--env", "prod").out.split())
    assert "roll back by hand (the customer is called) and fix it" in status


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--execute", "--yes", "demo.day0"], "--yes demo.day0 is not demo.canary"),
        (["--execute"], "nobody is here to confirm it"),
    ],
)
def test_nothing_is_run_without_a_confirmation(
    project: Project, service: Service, given: list[str], says: str
) -> None:
    service.lags = [9]
    answer = project.rollout(*WATCH, *given)
    assert (answer.status, says in answer.out) == (12, True)
    assert service.paths() == ["/hook"]


def test_a_step_that_fails_stops_the_rest_unless_told_otherwise(
    project: Project, service: Service
) -> None:
    service.lags, service.broken = [9], True
    execute = (*WATCH, "--execute", "--yes", "demo.canary")
    answer = project.rollout(*execute)
    assert "1. traffic goes back: failed: POST /stop answered 500" in answer.out
    assert "2. the page is taken down: left" in answer.out
    assert "left to do by hand: 1. traffic goes back; 2. the page" in answer.out
    assert service.paths() == ["/hook", "/stop"]
    project.rollout(*execute, "--keep-going")
    assert service.paths() == ["/hook", "/stop", "/stop", "/page"]


def test_a_plan_may_let_a_watch_go_back_by_itself(project: Project, service: Service) -> None:
    check = '{sql: "select n from caps", on: store, expect: {value: 1}, timeout: 1s}'
    statement = f'{{says: caps, sql: "update caps set n = 1", on: store, check: {check}}}'
    before, _, after = PLAN.partition("    rollback:\n")
    after = after[after.index("    on_rollback") :]
    auto = f"    rollback:\n      mode: auto\n      steps:\n        - {statement}\n"
    project.plan.write_text(before + auto + after)
    with closing(sqlite3.connect(project.root / "store.db")) as db:
        db.executescript("create table caps (n); insert into caps values (9);")
    service.lags = [9]
    looked = project.rollout(*WATCH)
    assert "it does nothing by itself: `rollout watch" in looked.out.splitlines()[0]
    with closing(sqlite3.connect(project.root / "store.db")) as db:
        assert db.execute("select n from caps").fetchall() == [(9,)], "looking changes nothing"
    answer = project.rollout(*WATCH, "--execute")
    by_itself = "after a trip of lag it runs 1 step by itself (mode: auto)"
    assert answer.out.splitlines()[0] == f"watching demo.canary in prod: {by_itself}"
    assert (answer.status, "1. caps: done" in answer.out) == (12, True), answer.out
    with closing(sqlite3.connect(project.root / "store.db")) as db:
        assert db.execute("select n from caps").fetchall() == [(1,)]
    project.plan.write_text((before + auto + after).replace("[observe, change]", "[observe]"))
    with closing(sqlite3.connect(project.root / "store.db")) as db:
        db.execute("update caps set n = 5")
        db.commit()
    answer = project.rollout(*WATCH, "--execute")
    assert "prod does not allow change, so that fails" in answer.out.splitlines()[0]
    assert "1. caps: failed: prod does not allow change" in answer.out


def test_telling_that_fails_is_shown_without_the_address_and_changes_nothing(
    project: Project, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.lags = [9]
    monkeypatch.setenv("DEMO_HOOK", f"{service.url}/hook/gone")
    answer = project.rollout(*WATCH)
    assert (answer.status, "slack: failed: it answered 500" in answer.out) == (12, True)
    with project.ledger() as ledger:
        (one,) = events(ledger, "notify")
        assert one["failed"] is True
        assert not any("hook/gone" in record.body for record in ledger.between(0))


def test_an_answer_that_is_not_to_be_had_is_blind(project: Project, service: Service) -> None:
    service.lags = [0, None]
    answer = looks(project, service, 4)
    assert answer.status == 11
    assert "not measured: lag: nothing was measured: GET /lag answered 503" in answer.out
    assert "lag: blind" in answer.out
    assert "cannot be judged: no finite number was measured" in answer.out
    assert "NaN" not in answer.out
    assert "; blind until `rollout reset demo.canary.lag`" in answer.out
    service.lags = [0]
    assert looks(project, service, 1).status == 11  # it could have been a trip
    reset = project.rollout(*RESET)
    assert (reset.status, "then it was blind" in reset.out) == (0, True)
    assert looks(project, service, 1).status == 0


@pytest.mark.parametrize(("then", "status"), [("pause", 11), ("warn", 0)])
def test_what_a_trip_does_is_what_the_plan_says(
    project: Project, service: Service, then: str, status: int
) -> None:
    project.plan.write_text(PLAN.replace("[rollback, notify]", then))
    service.lags = [9]
    answer = looks(project, service, 2)
    assert (answer.status, "tripped" in answer.out) == (status, True)
    assert service.paths() == ["/hook"] * (then == "pause")


def test_a_line_of_json_for_each_look(project: Project, service: Service) -> None:
    service.lags = [0, 9]
    answer = project.rollout(*WATCH, "--json")
    lines = [json.loads(line) for line in answer.out.splitlines()]
    looks = [line["look"] for line in lines if "look" in line]
    states = [look["guardrails"][0]["state"] for look in looks]
    assert (answer.status, states) == (12, ["quiet", "tripped"])
    (rail,) = looks[1]["guardrails"]
    assert rail | {"since": "", "reason": ""} == {
        **{"id": "demo.canary.lag", "verdict": "fail", "state": "tripped", "answer": "ROLLBACK"},
        **{"value": "9", "limit": "> 5", "since": "", "reason": "", "until_reset": True},
        "then": ["rollback", "notify"],
    }
    assert rail["reason"]["text"].startswith("tripped: last of lag was 9 at ")
    assert [line["event"] for line in lines if "event" in line] == [
        "start",
        "trip",
        "notify",
        "end",
        *["rollback"] * 5,
        "next",
    ]


def test_its_time_ends_a_watch_and_a_second_look_is_not_needed(
    project: Project, service: Service
) -> None:
    answer = project.rollout(*WATCH, "--for", "1ms")
    assert (answer.status, "0.001s are over; what it saw is sealed" in answer.out) == (0, True)
    with project.ledger() as ledger:
        assert verify(ledger, ()).unfinished == ()


def test_the_end_of_the_phase_ends_the_watch(project: Project, service: Service) -> None:
    def end() -> None:
        with project.ledger() as ledger:
            happen(ledger, "end")

    service.happens = end
    answer = looks(project, service, 2)
    assert "the phase has ended" in answer.out


def test_what_a_run_sees_that_still_runs_can_trip_and_never_quiet(
    project: Project, service: Service
) -> None:
    project.plan.write_text(
        PLAN.replace("check: {http: /lag, on: api, json: lag}", "metric: errors, take: max")
    )
    with project.ledger() as ledger:
        runs = Writer(ledger, "r1", "prod", project.plan.read_text(), gates=(EXIT,))
        runs.start()
        runs.manifest()
        runs.batch("t.py::test_errors", errors=(0,), t_us=runs.ledger_now())
        blind = project.rollout(*WATCH, "--for", "60ms")
        assert (blind.status, "lag: blind" in blind.out) == (11, True)
        runs.batch("t.py::test_works", errors=(9,), t_us=runs.ledger_now())
        assert project.rollout(*WATCH, "--for", "60ms").status == 12


def test_a_reset_is_of_what_tripped_and_says_what_it_was(
    project: Project, service: Service
) -> None:
    quiet = project.rollout(*WATCH, "--for", "60ms")
    assert quiet.status == 0
    refused = project.rollout(*RESET)
    assert (refused.status, "is quiet in prod: there is nothing to reset" in refused.err) == (
        4,
        True,
    )
    service.lags = [9]
    assert project.rollout(*WATCH).status == 12
    service.lags = [0]
    assert project.rollout(*WATCH).status == 12  # it latches
    reset = project.rollout(*RESET, "--json")
    assert (reset.json["release"], reset.json["was"][:7]) == ("v1", "tripped")
    assert project.rollout(*WATCH, "--for", "60ms").status == 0
    with project.ledger() as ledger:
        found = Writer(ledger, "r1", "prod", PLAN, gates=(EXIT,)).good().decisions[0]
        assert found.answer.value == "GO"
        assert "the cause is gone" in because(found.conditions[0])
        assert verify(ledger, ()).problems == ()
    explained = project.rollout("explain", "demo.canary.lag", "--env", "prod")
    assert "by A. Person: the cause is gone (then it was tripped" in explained.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["reset", "demo.canary.lag", "--by", "A", "--reason", " "], "--reason says nothing"),
        (["reset", "demo.canary.lg", "--by", "A", "--reason", "r"], "did you mean `lag`?"),
        ([*RESET, "--env", "embedded"], "a rehearsal is not reset"),
        (["watch", "demo.canary", "--env", "embedded"], "watch a real environment"),
        (["watch", "demo.prep"], "states no guardrail to watch"),
        (["watch", "demo.canary", "--every", "soon"], "--every: 'soon' is no duration"),
    ],
)
def test_wrong_use_is_one_message(
    project: Project, service: Service, arguments: list[str], says: str
) -> None:
    answer = project.rollout(*arguments)
    assert (answer.status, says in answer.err) == (4, True), answer.err


def test_a_reset_needs_the_release(project: Project, service: Service) -> None:
    service.lags = [9]
    assert project.rollout(*WATCH).status == 12
    service.version = "v2"
    refused = project.rollout(*RESET)
    assert "blind" in refused.out  # of v2 nothing was seen
    assert project.rollout(*RESET, "--release", "v1").status == 0


def test_after_a_rollback_the_phase_is_not_clear_before_it_is_revalidated(
    project: Project, service: Service
) -> None:
    def entry(run: str) -> None:
        with project.ledger() as ledger:
            Writer(ledger, run, "prod", PLAN, gates=(ENTRY,)).good()

    clear = ("clear", "demo.canary/entry", "--env", "prod")
    entry("r1")
    assert project.rollout(*clear).status == 0
    service.lags = [9]
    assert project.rollout(*WATCH).status == 12
    answer = project.rollout(*clear)
    assert answer.status == 11
    assert "no   revalidated: canary/entry must be GO anew (ROLLBACK at" in answer.out
    assert "last looked at before the rollback" in answer.out
    status = project.rollout("status", "--env", "prod")
    assert "to revalidate: canary/entry after the ROLLBACK at" in status.out
    entry("r2")
    answer = project.rollout(*clear)
    assert (answer.status, "yes  revalidated: canary/entry is GO anew" in answer.out) == (11, True)
    assert "no   trips: demo.canary.lag tripped at" in answer.out, "it was not reset"
    project.rollout("reset", "demo.canary.lag", "--by", "A. Person", "--reason", "INC-4")
    assert project.rollout(*clear).status == 0
    assert "to revalidate" not in project.rollout("status", "--env", "prod").out


@pytest.mark.slow
def test_a_way_back_that_nothing_starts_or_nobody_may_go_is_remarked_on(project: Project) -> None:
    check = "{http: /state, on: api, expect: {json: {traffic: old}}}"
    step = f"{{says: back, http: POST /stop, on: api, check: {check}}}"
    head, _, _ = PLAN.partition("    rollback:\n")
    auto = f"{head}    rollback: {{mode: auto, steps: [{step}]}}\n"
    only_looks = auto.replace("[observe, change]", "[observe]")
    project.plan.write_text(only_looks.replace("[rollback, notify]", "pause"))
    notes = project.rollout("check", "demo", "--json").json["notes"]
    assert "demo.canary: `mode: auto`, and none of its guardrails has `then: rollback`" in notes
    assert any(
        "prod does not allow change, so steps of its rollback are refused" in n for n in notes
    )


def test_a_guardrail_that_was_reset_under_a_watch_may_trip_anew(
    project: Project, service: Service
) -> None:
    project.plan.write_text(PLAN.replace("[rollback, notify]", "warn"))

    def lift() -> None:
        with project.ledger() as ledger:
            reset(ledger, Reset("demo.canary.lag", "A", "r", 0, "", "tripped", "v1"), "prod")
        service.lags, service.end_after, service.happens = [0, 9], 4, type(service).happens

    service.lags, service.happens = [9], lift
    answer = looks(project, service, 2)
    assert answer.status == 0
    with project.ledger() as ledger:
        assert len(events(ledger, "trip")) == 2
